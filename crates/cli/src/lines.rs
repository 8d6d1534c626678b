//! A file with one event per line, cut after the last line that a piece has room for.

use super::input::{MOST_EVENT, PIECE, Piece, Source};
use std::io::{self, Read};

/// Such a file, and what was read beyond the last piece.
pub struct Lines {
    source: Source,
    rest: Vec<u8>,
    line: u64,
}

impl Lines {
    /// The file from its beginning, or from a later line on.
    pub fn new(source: Source, line: u64) -> Self {
        Lines { source, rest: Vec::new(), line }
    }

    pub fn next(&mut self, piece: &mut Piece) -> io::Result<()> {
        piece.bytes.append(&mut self.rest);
        let read = self.fill(&mut piece.bytes);
        piece.first_line = Some(self.line);
        let is_open = !piece.bytes.is_empty() && !piece.bytes.ends_with(b"\n");
        self.line += memchr::memchr_iter(b'\n', &piece.bytes).count() as u64 + u64::from(is_open);
        read
    }

    /// Reads up to the last line break within reach, or else to the next one.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let before = bytes.len();
            let read = self.source.by_ref().take(PIECE as u64).read_to_end(bytes);
            let added = bytes.get(before..).unwrap_or_default();
            let is_too_long = before > MOST_EVENT;
            let line_break = if is_too_long { memchr::memchr(b'\n', added) } else { memchr::memrchr(b'\n', added) };
            let is_end = read? < PIECE;
            match line_break {
                Some(at) if !is_end || is_too_long => {
                    self.rest.extend_from_slice(added.get(at + 1..).unwrap_or_default());
                    bytes.truncate(before + if is_too_long { 0 } else { at + 1 });
                    return Ok(());
                }
                _ if is_too_long => bytes.truncate(before),
                _ => {}
            }
            if is_end {
                return Ok(());
            }
        }
    }
}
