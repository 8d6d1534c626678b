//! Rule zero: bytes to an [`Event`], in one pass that copies nothing.
//!
//! The reader accepts exactly RFC 8259 in UTF-8, notes what the rules will ask for while it passes over it, and keeps
//! spans of the input, so that an accepted event reaches the store as it was written. It is written by hand because the
//! measured alternatives pay for a tree or a second pass (`bench/RESULTS.md`); the property tests and the fuzz targets
//! hold it to `serde_json`.

mod deep;
mod members;
mod walk;

use crate::event::{Fault, Field, Kind};
use crate::known_keys::Level;
use crate::reading::{Event, Faults, Value};
use crate::{number, redact, text};

pub use walk::WINDOW;

/// The deepest nesting of an event.
pub const MOST_DEPTH: usize = 32;

/// The text is not JSON; [`Reader::position`] is the first byte that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken;

/// A reader over one text.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    /// Where the text ends; behind it there may be zeros.
    end: usize,
    at: usize,
    /// How many bytes more Postgres writes than were read.
    stored: isize,
    /// Whether a snapshot shows all that was read of the event byte for byte.
    is_shown: bool,
}

// A small result travels in registers: with the position in `Broken`, and sizes beside values, reading took a quarter
// longer.
type Read<T> = Result<T, Broken>;

impl<'a> Reader<'a> {
    /// Starts at the beginning, behind a byte order mark if there is one. A text longer than a [`Value`] can say ends
    /// there.
    pub fn new(text: &'a [u8]) -> Self {
        Reader::in_front(text, text.len())
    }

    /// The same for a text of so many bytes with zeros behind it, which let the reader look ahead until its end: nothing
    /// of JSON is a zero.
    pub fn in_front(text: &'a [u8], length: usize) -> Self {
        let text = text.get(..Value::MOST).unwrap_or(text);
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Reader { text, end: length.min(text.len()), at, stored: 0, is_shown: true }
    }

    /// The next byte to be read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next byte behind white space, not yet read; 0 at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => {
                    self.at += 1;
                    self.stored -= 1;
                }
                Some(&byte) => return byte,
                None => return 0,
            }
        }
    }

    /// Reads this byte, behind white space, if it is next.
    #[inline]
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

    #[inline]
    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err(Broken) }
    }

    /// Reads up to the array of `{"events": […]}`; back to where it was if the text is something else.
    pub fn enter_wrapper(&mut self) -> bool {
        let start = self.at;
        if self.take(b'{')
            && self.take(b'"')
            && matches!(self.text.get(self.at), Some(b'e' | b'\\'))
            && let Some(key) = text::read(self.text, self.at, &mut Faults::default())
            && text::equals(self.text, key, b"events")
        {
            self.at = key.end() + 1;
            if self.take(b':') && self.peek() == b'[' {
                return true;
            }
        }
        self.at = start;
        false
    }

    /// Reads one event; a value of another kind is read over and noted as such.
    pub fn event(&mut self, event: &mut Event) -> Read<()> {
        event.clear();
        let first = self.peek();
        self.is_shown = true;
        event.start = self.at;
        self.at = if first == b'{' {
            self.members(event, Level::Event, self.at + 1, 1)?
        } else {
            event.faults.add(Fault::Shape);
            self.value(event, self.at, 0)?.after()
        };
        event.end = self.at;
        event.is_shown_whole = self.is_shown
            && event.faults.is_empty()
            && event.value(Field::Email) == Value::ABSENT
            && event.end - event.start < redact::MOST_SNAPSHOT;
        Ok(())
    }

    // What follows is given the place to read from and hands back the place behind, because the module looks after the
    // limits of its memory whenever it reads or writes there; `at` is where reading began, until something is broken.

    #[cold]
    #[inline(never)]
    fn broken<T>(&mut self, at: usize) -> Read<T> {
        self.at = at;
        Err(Broken)
    }

    /// The first byte from there on that is not white space, and its place; 0 at the end.
    #[inline(always)]
    fn next(&mut self, at: usize) -> (usize, u8) {
        match self.text.get(at) {
            Some(&byte) if byte > b' ' => (at, byte),
            _ => {
                let at = self.behind_space(at);
                (at, self.text.get(at).copied().unwrap_or_default())
            }
        }
    }

    #[inline(never)]
    fn behind_space(&mut self, start: usize) -> usize {
        let mut at = start;
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(at) {
            at += 1;
        }
        self.stored -= (at - start) as isize;
        self.is_shown &= at == start;
        at
    }

    /// Reads a value whose content no privacy rule speaks of.
    #[inline]
    fn outside_metadata(&mut self, event: &mut Event, start: usize) -> Read<Value> {
        let personal_key = event.personal_key;
        let value = self.value(event, start, 1)?;
        event.personal_key = personal_key;
        Ok(value)
    }

    #[inline(never)]
    fn metadata(&mut self, event: &mut Event, start: usize) -> Read<Value> {
        let before = self.stored;
        let end = self.members(event, Level::Metadata, start + 1, 2)?;
        event.metadata_size = (end - start).saturating_add_signed(self.stored - before);
        Ok(Value::new(Kind::Object, 0, start, end))
    }

    /// Reads a text from behind its quote.
    fn text(&mut self, event: &mut Event, start: usize) -> Read<Value> {
        let Some(value) = text::read(self.text, start, &mut event.faults) else {
            return self.broken(start);
        };
        if value.has(Value::ESCAPED) {
            self.stored += text::stored_more(self.text, value);
        }
        let is_short = value.end() - value.start() <= redact::MOST_TEXT;
        self.is_shown &= is_short && !value.has(Value::ESCAPED | Value::SIGNS | Value::DIGITS);
        Ok(value)
    }

    #[inline]
    fn value(&mut self, event: &mut Event, start: usize, depth: usize) -> Read<Value> {
        let (start, first) = self.next(start);
        let (kind, end) = match first {
            b'"' => return self.text(event, start + 1),
            b'-' | b'0'..=b'9' => {
                let Some((end, storable, size)) = number::read(self.text, start) else {
                    return self.broken(start);
                };
                if !storable {
                    event.faults.add(Fault::Number);
                }
                self.stored += size as isize - (end - start) as isize;
                self.is_shown &= self.text.get(start..end).is_some_and(redact::is_shown_number);
                (Kind::Number, end)
            }
            b't' => (Kind::True, self.literal(b"true", start)?),
            b'f' => (Kind::False, self.literal(b"false", start)?),
            b'n' => (Kind::Null, self.literal(b"null", start)?),
            b'{' | b'[' if depth >= MOST_DEPTH => {
                event.faults.add(Fault::Depth);
                (Kind::Array, self.deep(event, start)?)
            }
            b'{' => (Kind::Object, self.object(event, start + 1, depth)?),
            b'[' => (Kind::Array, self.array(event, start + 1, depth)?),
            _ => return self.broken(start),
        };
        self.is_shown &= depth < redact::MOST_DEPTH;
        Ok(Value::new(kind, 0, start, end))
    }

    #[inline]
    fn literal(&mut self, word: &'static [u8], start: usize) -> Read<usize> {
        if self.text.get(start..).is_some_and(|rest| rest.starts_with(word)) {
            Ok(start + word.len())
        } else {
            self.broken(start)
        }
    }

    fn object(&mut self, event: &mut Event, start: usize, depth: usize) -> Read<usize> {
        self.members(event, Level::Nested, start, depth + 1)
    }

    fn array(&mut self, event: &mut Event, start: usize, depth: usize) -> Read<usize> {
        let (mut at, mut byte) = self.next(start);
        if byte == b']' {
            return Ok(at + 1);
        }
        loop {
            let value = self.value(event, at, depth + 1)?;
            event.suspicion |= value.suspicion();
            (at, byte) = self.next(value.after());
            match byte {
                b',' => {
                    at += 1;
                    self.stored += 1;
                }
                b']' => return Ok(at + 1),
                _ => return self.broken(at),
            }
        }
    }
}
