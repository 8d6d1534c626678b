//! Rows of a CSV file as events.

use super::input::Piece;
use crate::event::Field;
use crate::{number, text};
use std::io::{self, Read};

/// Hands every row on as an event: a column named `metadata.KEY` is a key of metadata, an empty cell is absent, and a
/// cell of metadata that is a JSON number, true or false is that.
pub fn rows(reader: impl Read, mut take: impl FnMut(Piece) -> bool) -> io::Result<()> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let header = reader.byte_headers()?.clone();
    let mut piece = Piece::default();
    let mut row = csv::ByteRecord::new();
    while reader.read_byte_record(&mut row)? {
        write_event(&mut piece.bytes, &header, &row);
        let line = row.position().map_or(0, csv::Position::line);
        piece.close(line);
        if piece.is_full() && !take(std::mem::take(&mut piece)) {
            return Ok(());
        }
    }
    take(piece);
    Ok(())
}

fn write_event(out: &mut Vec<u8>, header: &csv::ByteRecord, row: &csv::ByteRecord) {
    let cells = || header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
    out.push(b'{');
    let mut metadata = Vec::new();
    for (name, cell) in cells() {
        match name.strip_prefix(b"metadata.") {
            Some(key) => {
                separate(&mut metadata);
                text::write(&mut metadata, key);
                metadata.push(b':');
                write_value(&mut metadata, cell);
            }
            None => {
                separate(out);
                text::write(out, name);
                out.push(b':');
                if Field::top_level(name) == Some(Field::Metadata) {
                    out.extend_from_slice(cell);
                } else {
                    text::write(out, cell);
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
        text::write(out, cell);
    }
}
