//! The parser: reads one event from a text, fills an [`Event`], and returns the place after it.
//!
//! Every function takes the place to read from and returns the place after what it read, instead of keeping it in
//! memory, because engines check the bounds of a module's memory at every access. For the same reason, everything that
//! is kept is in one structure: the module has one of it, at an address that is known when it is compiled and needs no
//! check.

use super::event::Event;
use super::key_cache::{KeyCache, Level};
use super::value::Value;
use super::{number, space, string};
use crate::contract::limits::MOST_DEPTH;
use crate::contract::vocabulary::{Fault, Kind};

/// The text is not JSON; [`Reader::position`](super::Reader::position) is the first byte that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotJson;

// A small result travels in registers: with the position in `NotJson` and sizes beside values, reading took a quarter
// longer.
pub(super) type Read<T> = Result<T, NotJson>;

/// The event that was read last, and what helps to read the next.
#[derive(Debug)]
pub struct Parser {
    /// The event.
    pub event: Event,
    /// The keys of earlier events.
    pub(super) key_cache: KeyCache,
    /// Whether a key of this event took another's slot, so that slots no longer tell keys apart.
    pub(super) has_evicted_keys: bool,
    /// How many more bytes Postgres writes than were read.
    pub(super) jsonb_growth: isize,
    fault_at: usize,
}

impl Default for Parser {
    fn default() -> Self {
        Parser::new()
    }
}

impl Parser {
    /// Nothing read yet.
    pub const fn new() -> Self {
        Parser { event: Event::new(), key_cache: KeyCache::NONE, has_evicted_keys: false, jsonb_growth: 0, fault_at: 0 }
    }
}

impl Parser {
    /// Reads the event that begins at `start`, and returns the place after it.
    pub(super) fn read(&mut self, text: &[u8], start: usize) -> Read<usize> {
        self.clear();
        self.event.start = start;
        let value = if text.get(start) == Some(&b'{') {
            self.members(text, Level::Event, start + 1, 1)?
        } else {
            self.event.faults.add(Fault::Shape);
            self.any(text, start, 0)?
        };
        self.event.end = value.after();
        Ok(value.after())
    }

    /// The first byte that is not JSON, if the last text was not JSON.
    pub(super) fn fault_at(&self) -> usize {
        self.fault_at
    }

    /// Empties the event.
    pub fn clear(&mut self) {
        self.event.clear();
        self.has_evicted_keys = false;
        self.jsonb_growth = 0;
    }

    #[cold]
    #[inline(never)]
    pub(super) fn not_json<T>(&mut self, at: usize) -> Read<T> {
        self.fault_at = at;
        Err(NotJson)
    }

    /// The next byte that is not white space, and its place; 0 at the end.
    #[inline(always)]
    pub(super) fn next(&mut self, text: &[u8], at: usize) -> (usize, u8) {
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
        let at = space::skip(text, start);
        self.jsonb_growth -= (at - start) as isize;
        at
    }

    /// Reads a value whose content no privacy rule concerns.
    #[inline]
    pub(super) fn outside_metadata(&mut self, text: &[u8], start: usize) -> Read<Value> {
        let personal_key = self.event.personal_key;
        let value = self.any(text, start, 1)?;
        self.event.personal_key = personal_key;
        Ok(value)
    }

    #[inline(never)]
    pub(super) fn metadata(&mut self, text: &[u8], start: usize) -> Read<Value> {
        let before = self.jsonb_growth;
        let value = self.members(text, Level::Metadata, start + 1, 2)?;
        self.event.metadata_size = (value.end() - start).saturating_add_signed(self.jsonb_growth - before);
        Ok(value)
    }

    /// Reads a text whose first quote has been read.
    #[inline]
    pub(super) fn string(&mut self, text: &[u8], start: usize) -> Read<Value> {
        let Some(value) = string::read(text, start, &mut self.event.faults) else {
            return self.not_json(start);
        };
        if value.has(Value::ESCAPED) {
            self.jsonb_growth += string::jsonb_growth(text, value);
        }
        Ok(value)
    }

    /// Reads any value.
    #[inline]
    pub(super) fn any(&mut self, text: &[u8], start: usize, depth: usize) -> Read<Value> {
        let (start, first) = self.next(text, start);
        let (kind, end) = match first {
            b'"' => return self.string(text, start + 1),
            b'-' | b'0'..=b'9' => {
                let Some((end, storable, size)) = number::read(text, start) else {
                    return self.not_json(start);
                };
                if !storable {
                    self.event.faults.add(Fault::Number);
                }
                self.jsonb_growth += size as isize - (end - start) as isize;
                let may_be_card = text.get(start..end).is_some_and(number::may_be_card);
                return Ok(Value::new(Kind::Number, if may_be_card { Value::DIGITS } else { 0 }, start, end));
            }
            b't' => (Kind::True, self.literal(text, b"true", start)?),
            b'f' => (Kind::False, self.literal(text, b"false", start)?),
            b'n' => (Kind::Null, self.literal(text, b"null", start)?),
            b'{' | b'[' if depth >= MOST_DEPTH => {
                self.event.faults.add(Fault::Depth);
                (Kind::Array, self.deep(text, start)?)
            }
            b'{' => (Kind::Object, self.members(text, Level::Nested, start + 1, depth + 1)?.end()),
            b'[' => (Kind::Array, self.array(text, start + 1, depth)?),
            _ => return self.not_json(start),
        };
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
            self.event.suspicion |= value.suspicion();
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
