//! Rule zero: bytes to an [`Event`], in one pass that copies nothing.
//!
//! The reader accepts exactly RFC 8259 in UTF-8, notes what the rules will ask for while it passes over it, and keeps
//! spans of the input, so that an accepted event reaches the store as it was written. It is written by hand because the
//! measured alternatives pay for a tree or a second pass (`bench/RESULTS.md`); the property tests and the fuzz targets
//! hold it to `serde_json`.

mod deep;
mod event;
mod faults;
pub mod key_cache;
mod members;
pub mod number;
pub mod string;
mod value;
mod walk;

use crate::contract::limits::{MOST_DEPTH, SNAPSHOT_BYTES, SNAPSHOT_DEPTH, SNAPSHOT_TEXT};
use crate::contract::vocabulary::{Fault, Field, Kind};
use key_cache::Level;

pub use event::{Event, Member};
pub use faults::Faults;
pub use value::Value;
pub use walk::WINDOW;

/// The text is not JSON; [`Reader::position`] is the first byte that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotJson;

/// Where in a text events are read.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    /// Where the text ends; behind it there may be zeros.
    end: usize,
    at: usize,
}

// A small result travels in registers: with the position in `NotJson`, and sizes beside values, reading took a quarter
// longer.
type Read<T> = Result<T, NotJson>;

impl<'a> Reader<'a> {
    /// Starts at the beginning, behind a byte order mark if there is one. A text longer than a [`Value`] can say ends
    /// there.
    pub fn new(text: &'a [u8]) -> Self {
        Reader::padded(text, text.len())
    }

    /// The same for a text of so many bytes with zeros behind it, which let the reader look ahead until its end: nothing
    /// of JSON is a zero.
    pub fn padded(text: &'a [u8], length: usize) -> Self {
        let text = text.get(..Value::MOST).unwrap_or(text);
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Reader { text, end: length.min(text.len()), at }
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
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
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

    /// Reads up to the array of `{"events": […]}`; back to where it was if the text is something else.
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

    /// Reads one event; a value of another kind is read over and noted as such.
    pub fn event(&mut self, event: &mut Event) -> Read<()> {
        event.clear();
        let is_object = self.peek() == b'{';
        event.start = self.at;
        let read = if is_object {
            event.members(self.text, Level::Event, self.at + 1, 1)
        } else {
            event.faults.add(Fault::Shape);
            event.any(self.text, self.at, 0)
        };
        let Ok(value) = read else {
            self.at = event.fault_at;
            return Err(NotJson);
        };
        self.at = value.after();
        event.end = self.at;
        event.is_shown_whole &= event.faults.is_empty()
            && event.value(Field::Email) == Value::ABSENT
            && event.end - event.start < SNAPSHOT_BYTES;
        Ok(())
    }
}

/// Reading from a place on, and handing back the place behind: engines look after the limits of a module's memory whenever
/// it reads or writes there. For the same reason it is the event that reads: the module has one only, at a place that is
/// known when it is compiled and needs no looking after.
impl Event {
    #[cold]
    #[inline(never)]
    fn not_json<T>(&mut self, at: usize) -> Read<T> {
        self.fault_at = at;
        Err(NotJson)
    }

    /// The first byte from there on that is not white space, and its place; 0 at the end.
    #[inline(always)]
    fn next(&mut self, text: &[u8], at: usize) -> (usize, u8) {
        match text.get(at) {
            Some(&byte) if byte > b' ' => (at, byte),
            _ => {
                let at = self.after_space(text, at);
                (at, text.get(at).copied().unwrap_or_default())
            }
        }
    }

    #[inline(never)]
    fn after_space(&mut self, text: &[u8], start: usize) -> usize {
        let mut at = start;
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
            at += 1;
        }
        self.jsonb_growth -= (at - start) as isize;
        self.is_shown_whole &= at == start;
        at
    }

    /// Reads a value whose content no privacy rule speaks of.
    #[inline]
    fn outside_metadata(&mut self, text: &[u8], start: usize) -> Read<Value> {
        let personal_key = self.personal_key;
        let value = self.any(text, start, 1)?;
        self.personal_key = personal_key;
        Ok(value)
    }

    #[inline(never)]
    fn metadata(&mut self, text: &[u8], start: usize) -> Read<Value> {
        let before = self.jsonb_growth;
        let value = self.members(text, Level::Metadata, start + 1, 2)?;
        self.metadata_size = (value.end() - start).saturating_add_signed(self.jsonb_growth - before);
        Ok(value)
    }

    /// Reads a text from behind its quote.
    fn string(&mut self, text: &[u8], start: usize) -> Read<Value> {
        let Some(value) = string::read(text, start, &mut self.faults) else {
            return self.not_json(start);
        };
        if value.has(Value::ESCAPED) {
            self.jsonb_growth += string::jsonb_growth(text, value);
        }
        let is_short = value.end() - value.start() <= SNAPSHOT_TEXT;
        self.is_shown_whole &= is_short && !value.has(Value::ESCAPED | Value::SIGNS | Value::DIGITS);
        Ok(value)
    }

    /// Reads any value.
    #[inline]
    fn any(&mut self, text: &[u8], start: usize, depth: usize) -> Read<Value> {
        let (start, first) = self.next(text, start);
        let (kind, end) = match first {
            b'"' => return self.string(text, start + 1),
            b'-' | b'0'..=b'9' => {
                let Some((end, storable, size)) = number::read(text, start) else {
                    return self.not_json(start);
                };
                if !storable {
                    self.faults.add(Fault::Number);
                }
                self.jsonb_growth += size as isize - (end - start) as isize;
                self.is_shown_whole &= text.get(start..end).is_some_and(number::is_shown);
                (Kind::Number, end)
            }
            b't' => (Kind::True, self.literal(text, b"true", start)?),
            b'f' => (Kind::False, self.literal(text, b"false", start)?),
            b'n' => (Kind::Null, self.literal(text, b"null", start)?),
            b'{' | b'[' if depth >= MOST_DEPTH => {
                self.faults.add(Fault::Depth);
                (Kind::Array, self.deep(text, start)?)
            }
            b'{' => (Kind::Object, self.members(text, Level::Nested, start + 1, depth + 1)?.end()),
            b'[' => (Kind::Array, self.array(text, start + 1, depth)?),
            _ => return self.not_json(start),
        };
        self.is_shown_whole &= depth < SNAPSHOT_DEPTH;
        Ok(Value::new(kind, 0, start, end))
    }

    #[inline]
    fn literal(&mut self, text: &[u8], word: &'static [u8], start: usize) -> Read<usize> {
        if text.get(start..).is_some_and(|rest| rest.starts_with(word)) {
            Ok(start + word.len())
        } else {
            self.not_json(start)
        }
    }

    fn array(&mut self, text: &[u8], start: usize, depth: usize) -> Read<usize> {
        let (mut at, mut byte) = self.next(text, start);
        if byte == b']' {
            return Ok(at + 1);
        }
        loop {
            let value = if byte == b'"' { self.string(text, at + 1)? } else { self.any(text, at, depth + 1)? };
            self.suspicion |= value.suspicion();
            (at, byte) = self.next(text, value.after());
            match byte {
                b',' => {
                    (at, byte) = self.next(text, at + 1);
                    self.jsonb_growth += 1;
                }
                b']' => return Ok(at + 1),
                _ => return self.not_json(at),
            }
        }
    }
}
