//! What is nested too deep to be read by calling: read over in a loop, so that its neighbours can still be judged.

use super::{MOST_DEPTH, Read, Reader};
use crate::reading::Event;

impl Reader<'_> {
    /// The place behind it.
    #[cold]
    pub(super) fn deep(&mut self, event: &mut Event, start: usize) -> Read<usize> {
        let mut open: Vec<bool> = Vec::new();
        self.at = start;
        loop {
            match self.peek() {
                byte @ (b'{' | b'[') => {
                    self.at += 1;
                    let object = byte == b'{';
                    if self.take(if object { b'}' } else { b']' }) {
                        if !self.close_deep(&mut open)? {
                            break;
                        }
                    } else {
                        open.push(object);
                    }
                }
                _ => {
                    self.at = self.value(event, self.at, MOST_DEPTH)?.after();
                    if !self.close_deep(&mut open)? {
                        break;
                    }
                }
            }
            if open.last() == Some(&true) {
                self.expect(b'"')?;
                self.at = self.text(event, self.at)?.after();
                self.expect(b':')?;
            }
        }
        Ok(self.at)
    }

    /// Reads what follows a value within what is open; whether another value follows.
    fn close_deep(&mut self, open: &mut Vec<bool>) -> Read<bool> {
        while let Some(&object) = open.last() {
            if self.take(b',') {
                return Ok(true);
            }
            self.expect(if object { b'}' } else { b']' })?;
            open.pop();
        }
        Ok(false)
    }
}
