//! The reader: reads events from a text, one after the other.

use super::faults::Faults;
use super::parser::{NotJson, Parser};
use super::value::Value;
use super::{space, string};

/// A text, and the place in it where the next event is read.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    /// Where the text ends; zeros may follow.
    end: usize,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the beginning, after a byte order mark if there is one. A text that is longer than a [`Value`] can
    /// express is cut there.
    pub fn new(text: &'a [u8]) -> Self {
        Reader::padded(text, text.len())
    }

    /// The same for a text of `length` bytes and zeros after it, which let the reader look ahead up to the text's end:
    /// JSON holds no zero byte.
    pub fn padded(text: &'a [u8], length: usize) -> Self {
        let text = text.get(..Value::MOST).unwrap_or(text);
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Reader { text, end: length.min(text.len()), at }
    }

    /// The next byte to be read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next byte after white space, without reading it; 0 at the end.
    pub fn peek(&mut self) -> u8 {
        self.at = space::skip(self.text, self.at);
        self.text.get(self.at).copied().unwrap_or_default()
    }

    /// Reads this byte if it is next after white space.
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += found as usize;
        found
    }

    /// Whether nothing but white space is left.
    pub fn is_done(&mut self) -> bool {
        self.peek();
        self.at >= self.end
    }

    /// Reads up to the array of `{"events": […]}`, or goes back to where it was if the text is something else.
    pub fn enter_wrapper(&mut self) -> bool {
        let start = self.at;
        if self.take(b'{')
            && self.take(b'"')
            && matches!(self.text.get(self.at), Some(b'e' | b'\\'))
            && let Some(key) = string::read(self.text, self.at, &mut Faults::default())
            && string::equals(self.text, key, b"events")
        {
            self.at = key.end() + 1;
            if self.take(b':') && self.peek() == b'[' {
                return true;
            }
        }
        self.at = start;
        false
    }

    /// Reads one event. A value that is not an object is passed over and noted as such.
    pub fn event(&mut self, parser: &mut Parser) -> Result<(), NotJson> {
        let start = space::skip(self.text, self.at);
        let read = parser.read(self.text, start);
        self.at = read.unwrap_or(parser.fault_at());
        read.map(|_| ())
    }
}
