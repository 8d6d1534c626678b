//! Files of events as a stream of pieces, each a whole number of events, whatever the file's form and size.

use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// How a file writes events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Form {
    /// By the file's name, else by its first byte.
    Auto,
    /// One JSON object a line.
    Ndjson,
    /// One JSON object, or an array of them.
    Json,
    /// A header of field names (`metadata.KEY` for keys of metadata), then one event a row.
    Csv,
}

/// Some events of a file, and where each begins in `bytes`.
#[derive(Debug, Default)]
pub struct Piece {
    /// The events, one behind the other.
    pub bytes: Vec<u8>,
    /// The end of each event in `bytes`, and its number: the line it stands on, or its place in the array.
    pub ends: Vec<(usize, u64)>,
}

/// About how many bytes a piece has.
const PIECE: usize = 1 << 20;

/// A file that is read from its beginning to its end.
pub struct Input {
    form: Form,
    reader: Box<dyn BufRead + Send>,
}

impl Input {
    /// Opens a file, or standard input for `-`. Gzip is recognised by its first bytes.
    pub fn open(path: &Path, form: Form, progress: indicatif::ProgressBar) -> io::Result<Input> {
        let raw: Box<dyn Read + Send> = match path.to_str() {
            Some("-") => Box::new(io::stdin()),
            _ => Box::new(File::open(path)?),
        };
        let mut reader: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(PIECE, progress.wrap_read(raw)));
        if reader.fill_buf()?.starts_with(b"\x1f\x8b") {
            reader = Box::new(BufReader::with_capacity(PIECE, MultiGzDecoder::new(reader)));
        }
        let form = match form {
            Form::Auto => recognise(path, reader.fill_buf()?),
            known => known,
        };
        Ok(Input { form, reader })
    }

    /// Hands every piece of the file on, in order, until the receiver has enough.
    pub fn pieces(self, take: impl FnMut(Piece) -> bool) -> io::Result<()> {
        match self.form {
            Form::Auto | Form::Ndjson => lines(self.reader, take),
            Form::Json => elements(self.reader, take),
            Form::Csv => super::table::rows(self.reader, take),
        }
    }
}

fn recognise(path: &Path, start: &[u8]) -> Form {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if name.ends_with(".csv") {
        return Form::Csv;
    }
    if name.ends_with(".ndjson") || name.ends_with(".jsonl") {
        return Form::Ndjson;
    }
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    if start.first() == Some(&b'[') || name.ends_with(".json") { Form::Json } else { Form::Ndjson }
}

impl Piece {
    /// Ends the event whose bytes were added last, unless it is blank.
    pub fn close(&mut self, number: u64) {
        let start = self.ends.last().map_or(0, |end| end.0);
        if self.bytes.get(start..).unwrap_or_default().trim_ascii().is_empty() {
            self.bytes.truncate(start);
        } else {
            self.ends.push((self.bytes.len(), number));
        }
    }

    /// Whether it is large enough to be handed on.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= PIECE
    }
}

fn lines(mut reader: impl BufRead, mut take: impl FnMut(Piece) -> bool) -> io::Result<()> {
    let mut piece = Piece::default();
    let mut number = 0;
    loop {
        number += 1;
        let read = reader.read_until(b'\n', &mut piece.bytes)?;
        if number == 1 && piece.bytes.starts_with(b"\xef\xbb\xbf") {
            piece.bytes.drain(..3);
        }
        piece.close(number);
        if (read == 0 || piece.is_full()) && !take(std::mem::take(&mut piece)) {
            return Ok(());
        }
        if read == 0 {
            return Ok(());
        }
    }
}

/// Splits at the commas of the outermost array; what is not JSON becomes an event of its own, and so gets its verdict.
fn elements(mut reader: impl BufRead, mut take: impl FnMut(Piece) -> bool) -> io::Result<()> {
    let mut piece = Piece::default();
    let mut split = Splitter::default();
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        for &byte in chunk {
            split.byte(byte, &mut piece);
        }
        let read = chunk.len();
        reader.consume(read);
        if piece.is_full() && !piece.ends.is_empty() {
            let start = piece.ends.last().map_or(0, |end| end.0);
            let rest = piece.bytes.split_off(start);
            let whole = std::mem::replace(&mut piece, Piece { bytes: rest, ends: Vec::new() });
            if !take(whole) {
                return Ok(());
            }
        }
    }
    split.number += 1;
    piece.close(split.number);
    take(piece);
    Ok(())
}

#[derive(Default)]
struct Splitter {
    number: u64,
    depth: usize,
    is_array: bool,
    has_begun: bool,
    in_text: bool,
    is_escaped: bool,
}

impl Splitter {
    fn byte(&mut self, byte: u8, piece: &mut Piece) {
        if self.in_text {
            self.in_text = byte != b'"' || self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            return piece.bytes.push(byte);
        }
        if !self.has_begun {
            if byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf) {
                return;
            }
            self.has_begun = true;
            self.is_array = byte == b'[';
            if self.is_array {
                return;
            }
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b']' if self.is_array && self.depth == 0 => {
                self.is_array = false;
                return self.end(piece);
            }
            b',' if self.is_array && self.depth == 0 => return self.end(piece),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        piece.bytes.push(byte);
    }

    fn end(&mut self, piece: &mut Piece) {
        self.number += 1;
        piece.close(self.number);
    }
}
