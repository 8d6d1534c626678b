//! Values that are nested too deep for recursion. A loop passes over them, so that their neighbours can still be
//! judged.

use super::parser::{Parser, Read};
use crate::contract::limits::MOST_DEPTH;

impl Parser {
    /// Passes over the value, and returns the place after it.
    #[cold]
    pub(super) fn deep(&mut self, text: &[u8], start: usize) -> Read<usize> {
        let mut open: Vec<bool> = Vec::new();
        let mut at = start;
        loop {
            let byte;
            (at, byte) = self.next(text, at);
            let is_over = if matches!(byte, b'{' | b'[') {
                let is_object = byte == b'{';
                let (inner, next) = self.next(text, at + 1);
                if next == closing(is_object) {
                    at = inner + 1;
                    self.close_deep(text, &mut at, &mut open)?
                } else {
                    at = inner;
                    open.push(is_object);
                    false
                }
            } else {
                at = self.any(text, at, MOST_DEPTH)?.after();
                self.close_deep(text, &mut at, &mut open)?
            };
            if is_over {
                return Ok(at);
            }
            if open.last() == Some(&true) {
                at = self.expect(text, at, b'"')?;
                at = self.string(text, at)?.after();
                at = self.expect(text, at, b':')?;
            }
        }
    }

    /// Reads what follows a value within the open objects and arrays, and returns whether the last of them is closed.
    fn close_deep(&mut self, text: &[u8], at: &mut usize, open: &mut Vec<bool>) -> Read<bool> {
        while let Some(&is_object) = open.last() {
            let (place, byte) = self.next(text, *at);
            *at = place;
            if byte == b',' {
                *at += 1;
                return Ok(false);
            }
            *at = self.expect(text, *at, closing(is_object))?;
            open.pop();
        }
        Ok(true)
    }

    fn expect(&mut self, text: &[u8], at: usize, byte: u8) -> Read<usize> {
        let (at, found) = self.next(text, at);
        if found == byte { Ok(at + 1) } else { self.not_json(at) }
    }
}

fn closing(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}
