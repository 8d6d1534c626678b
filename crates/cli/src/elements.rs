//! A JSON file, split at the commas of its outermost array. Anything that is not JSON becomes an event of its own, so
//! it gets a verdict too.

use super::input::{MOST_EVENT, Piece, Source};
use audience_gate::parse::space;
use std::io::{self, BufRead};

/// Such a file, and how far the last piece reached into it.
pub struct Elements {
    source: Source,
    split: Splitter,
    /// The beginning of an event that the last piece had no room for.
    rest: Vec<u8>,
}

impl Elements {
    pub fn new(source: Source) -> Self {
        Elements { source, split: Splitter::default(), rest: Vec::new() }
    }

    pub fn next(&mut self, piece: &mut Piece) -> io::Result<()> {
        piece.bytes.append(&mut self.rest);
        while self.split.state != State::End && (piece.ends.is_empty() || !piece.is_full()) {
            let chunk = self.source.fill_buf();
            if !matches!(chunk, Ok([_, ..])) {
                self.split.end_of_file(piece);
            }
            let chunk = chunk?;
            self.split.take(chunk, piece);
            let read = chunk.len();
            self.source.consume(read);
        }
        self.rest = piece.bytes.split_off(piece.open());
        Ok(())
    }
}

#[derive(Default)]
struct Splitter {
    number: u64,
    depth: usize,
    state: State,
    in_text: bool,
    is_escaped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Before,
    InArray,
    /// In a document that is not an array, or after the array.
    Outside,
    End,
}

impl Splitter {
    fn take(&mut self, mut chunk: &[u8], piece: &mut Piece) {
        while let Some((&byte, rest)) = chunk.split_first() {
            if self.in_text && !self.is_escaped {
                let plain = memchr::memchr2(b'"', b'\\', chunk).unwrap_or(chunk.len());
                push(piece, chunk.get(..plain).unwrap_or_default());
                chunk = chunk.get(plain..).unwrap_or_default();
                if plain > 0 {
                    continue;
                }
            }
            self.byte(byte, piece);
            chunk = rest;
        }
    }

    fn byte(&mut self, byte: u8, piece: &mut Piece) {
        if self.in_text {
            self.in_text = byte != b'"' || self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            return push(piece, &[byte]);
        }
        if self.state == State::Before {
            if space::skip(&[byte], 0) == 1 {
                return;
            }
            self.state = if byte == b'[' { State::InArray } else { State::Outside };
            if byte == b'[' {
                return;
            }
        }
        let is_outermost = self.state == State::InArray && self.depth == 0;
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b']' if is_outermost => return self.end_of_array(piece),
            b',' if is_outermost => return self.close(piece),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        push(piece, &[byte]);
    }

    fn end_of_array(&mut self, piece: &mut Piece) {
        self.state = State::Outside;
        let is_empty = self.number == 0 && piece.is_blank();
        if is_empty { piece.bytes.truncate(piece.open()) } else { self.close(piece) }
    }

    /// Ends an event. An empty one counts too: a comma promised an event there.
    fn close(&mut self, piece: &mut Piece) {
        self.number += 1;
        piece.close(self.number);
    }

    /// Ends what is open. A file of nothing gets a verdict, as does an array that the file cuts short, even if the cut is between two events.
    fn end_of_file(&mut self, piece: &mut Piece) {
        if !piece.is_blank() || self.state == State::Before {
            self.close(piece);
        }
        if self.state == State::InArray && self.depth == 0 && !self.in_text {
            self.close(piece);
        }
        piece.bytes.truncate(piece.open());
        self.state = State::End;
    }
}

/// Adds bytes to the event that is open, unless it is too long already.
fn push(piece: &mut Piece, bytes: &[u8]) {
    if piece.bytes.len() - piece.open() <= MOST_EVENT {
        piece.bytes.extend_from_slice(bytes);
    }
}
