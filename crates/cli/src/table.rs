//! Rows of a CSV file as events.

use super::input::{Piece, Source};
use audience_gate::contract::vocabulary::Field;
use audience_gate::parse::number;
use audience_gate::write;
use std::io;

/// Such a file, read from after its header.
pub struct Table {
    reader: csv::Reader<Source>,
    header: csv::ByteRecord,
    row: csv::ByteRecord,
}

impl Table {
    pub fn new(source: Source) -> io::Result<Self> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
        let header = reader.byte_headers()?.clone();
        Ok(Table { reader, header, row: csv::ByteRecord::new() })
    }

    pub fn next(&mut self, piece: &mut Piece) -> io::Result<()> {
        while !piece.is_full() && self.reader.read_byte_record(&mut self.row)? {
            write_event(&mut piece.bytes, &self.header, &self.row);
            piece.close(self.row.position().map_or(0, csv::Position::line));
        }
        Ok(())
    }
}

/// Appends a row as an event: a column named `metadata.KEY` is a key of metadata, an empty cell is absent, and a cell
/// of metadata that is a JSON number, true or false counts as one. A cell in a column without a name is kept as a field
/// named by the column's number, so that the row is refused instead of losing the cell.
fn write_event(out: &mut Vec<u8>, header: &csv::ByteRecord, row: &csv::ByteRecord) {
    out.push(b'{');
    let mut metadata = Vec::new();
    for (index, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        let unnamed;
        let name = match header.get(index) {
            Some(name) => name,
            None => {
                unnamed = format!("column {}", index + 1);
                unnamed.as_bytes()
            }
        };
        match name.strip_prefix(b"metadata.") {
            Some(key) => {
                separate(&mut metadata);
                write::text(&mut metadata, key);
                metadata.push(b':');
                write_value(&mut metadata, cell);
            }
            None => {
                separate(out);
                write::text(out, name);
                out.push(b':');
                if Field::top_level(name) == Some(Field::Metadata) {
                    out.extend_from_slice(cell);
                } else {
                    write_text(out, cell);
                }
            }
        }
    }
    if !metadata.is_empty() {
        separate(out);
        out.extend_from_slice(br#""metadata":{"#);
        out.extend_from_slice(&metadata);
        out.push(b'}');
    }
    out.push(b'}');
}

fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'{')) {
        out.push(b',');
    }
}

fn write_value(out: &mut Vec<u8>, cell: &[u8]) {
    let is_number = number::read(cell, 0).is_some_and(|(end, ..)| end == cell.len());
    if is_number || matches!(cell, b"true" | b"false") {
        out.extend_from_slice(cell);
    } else {
        write_text(out, cell);
    }
}

/// Writes a cell as a JSON text. U+0000 stays what it is, so that the contract refuses it.
fn write_text(out: &mut Vec<u8>, cell: &[u8]) {
    if cell.contains(&0) {
        out.extend_from_slice(br#""\u0000""#);
    } else {
        write::text(out, cell);
    }
}
