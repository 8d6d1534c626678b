//! Rule zero: bytes to an [`Event`], in one pass that copies nothing.
//!
//! The reader accepts exactly RFC 8259 in UTF-8, notes what the rules will ask for while it passes over it, and keeps
//! spans of the input, so that an accepted event reaches the store as it was written. It is written by hand because the
//! measured alternatives pay for a tree or a second pass (`bench/RESULTS.md`); the property tests and the fuzz targets
//! hold it to `serde_json`.

use crate::event::{FIELD_COUNT, Fault, Field, Kind};
use crate::reading::{Event, Faults, Member, Value};
use crate::{keys, number, text};
use std::collections::BinaryHeap;

/// The deepest nesting of an event.
pub const MOST_DEPTH: usize = 32;

/// The text is not JSON; [`Reader::position`] is the first byte that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken;

/// A reader over one text.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// The bytes that Postgres writes for what was read.
    size: usize,
}

/// How many keys of an object are compared one by one before they are sorted instead.
const FEW_KEYS: usize = 48;

// A small result travels in registers: with the position in `Broken`, and sizes beside values, reading took a quarter
// longer.
type Read<T> = Result<T, Broken>;

impl<'a> Reader<'a> {
    /// Starts at the beginning, behind a byte order mark if there is one.
    pub fn new(text: &'a [u8]) -> Self {
        Reader { text, at: if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }, size: 0 }
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
        let found = self.peek() == byte && self.at < self.text.len();
        self.at += found as usize;
        found
    }

    /// Whether nothing but white space is left.
    pub fn is_done(&mut self) -> bool {
        self.peek();
        self.at >= self.text.len()
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
            && let Some(key) = text::read(self.text, self.at, &mut Faults::default())
            && text::equals(self.text, key, b"events")
        {
            self.at = key.end as usize + 1;
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
        event.start = self.at;
        if first == b'{' {
            self.at += 1;
            self.members(event, Self::event_member)?;
        } else {
            self.value(event, 0)?;
            event.faults.add(Fault::Shape);
        }
        event.end = self.at;
        Ok(())
    }

    /// Reads the members of an object whose brace has been read.
    #[inline]
    fn members(
        &mut self,
        event: &mut Event,
        mut member: impl FnMut(&mut Self, &mut Event, usize) -> Read<()>,
    ) -> Read<()> {
        if self.take(b'}') {
            self.size += 2;
            return Ok(());
        }
        let first_key = event.open_keys.len();
        loop {
            self.expect(b'"')?;
            member(self, event, first_key)?;
            self.size += 4;
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    self.close_keys(event, first_key);
                    return Ok(());
                }
                _ => return Err(Broken),
            }
        }
    }

    #[inline]
    fn event_member(&mut self, event: &mut Event, first_key: usize) -> Read<()> {
        let key = self.text(event)?;
        self.expect(b':')?;
        let field = match key.has(Value::ESCAPED) {
            false => Field::top_level(key.raw(self.text)),
            true => Field::top_level(&text::content(self.text, key)),
        };
        let value = if field != Some(Field::Metadata) {
            self.outside_metadata(event)?
        } else if self.peek() == b'{' {
            self.metadata(event)?
        } else {
            self.value(event, 1)?
        };
        match field {
            Some(field) => self.keep(event, field, value),
            None => {
                event.unknown_field = true;
                self.note_key(event, key, first_key);
            }
        }
        Ok(())
    }

    #[inline]
    fn keep(&mut self, event: &mut Event, field: Field, value: Value) {
        if let Some(slot) = event.values.get_mut(field as usize % FIELD_COUNT) {
            if slot.kind != Kind::Absent {
                event.faults.add(Fault::DuplicateKey);
            }
            *slot = value;
            let is_given = match value.kind {
                Kind::Absent | Kind::Null => false,
                Kind::Text => !text::is_blank(self.text, value),
                Kind::False | Kind::True | Kind::Number | Kind::Array | Kind::Object => true,
            };
            event.given |= u64::from(is_given) << field as u8;
        }
    }

    /// Reads a value whose content no privacy rule speaks of.
    #[inline]
    fn outside_metadata(&mut self, event: &mut Event) -> Read<Value> {
        let personal_key = event.personal_key;
        let value = self.value(event, 1)?;
        event.personal_key = personal_key;
        Ok(value)
    }

    fn metadata(&mut self, event: &mut Event) -> Read<Value> {
        let start = self.at;
        self.at += 1;
        self.size = 0;
        self.members(event, Self::metadata_member)?;
        event.metadata_size = self.size;
        Ok(Value { kind: Kind::Object, flags: 0, start: start as u32, end: self.at as u32 })
    }

    #[inline]
    fn metadata_member(&mut self, event: &mut Event, first_key: usize) -> Read<()> {
        let key = self.text(event)?;
        self.expect(b':')?;
        let value = self.value(event, 2)?;
        let field = match key.has(Value::ESCAPED) {
            false => Field::of_metadata(key.raw(self.text)),
            true => Field::of_metadata(&text::content(self.text, key)),
        };
        match field {
            Some(field) => self.keep(event, field, value),
            None => {
                self.note_metadata_key(event, key, first_key);
                event.members.push(Member { key, value });
            }
        }
        Ok(())
    }

    #[inline]
    fn text(&mut self, event: &mut Event) -> Read<Value> {
        let value = text::read(self.text, self.at, &mut event.faults).ok_or(Broken)?;
        self.at = value.end as usize + 1;
        self.size += match value.has(Value::ESCAPED) {
            false => (value.end - value.start) as usize + 2,
            true => text::stored_size(&text::content(self.text, value)),
        };
        Ok(value)
    }

    #[inline]
    fn value(&mut self, event: &mut Event, depth: usize) -> Read<Value> {
        let first = self.peek();
        let start = self.at;
        let kind = match first {
            b'"' => {
                self.at += 1;
                return self.text(event);
            }
            b'-' | b'0'..=b'9' => {
                let (end, storable, size) = number::read(self.text, start).ok_or(Broken)?;
                if !storable {
                    event.faults.add(Fault::Number);
                }
                self.at = end;
                self.size += size;
                Kind::Number
            }
            b't' => self.literal(b"true", Kind::True)?,
            b'f' => self.literal(b"false", Kind::False)?,
            b'n' => self.literal(b"null", Kind::Null)?,
            b'{' | b'[' if depth >= MOST_DEPTH => {
                event.faults.add(Fault::Depth);
                self.deep(event)?
            }
            b'{' => {
                self.at += 1;
                self.object(event, depth)?;
                Kind::Object
            }
            b'[' => {
                self.at += 1;
                self.array(event, depth)?;
                Kind::Array
            }
            _ => return Err(Broken),
        };
        Ok(Value { kind, flags: 0, start: start as u32, end: self.at as u32 })
    }

    #[inline]
    fn literal(&mut self, word: &'static [u8], kind: Kind) -> Read<Kind> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Broken);
        }
        self.at += word.len();
        self.size += word.len();
        Ok(kind)
    }

    fn object(&mut self, event: &mut Event, depth: usize) -> Read<()> {
        self.members(event, |reader, event, first_key| {
            let key = reader.text(event)?;
            reader.expect(b':')?;
            reader.note_metadata_key(event, key, first_key);
            reader.value(event, depth + 1)?;
            Ok(())
        })
    }

    fn array(&mut self, event: &mut Event, depth: usize) -> Read<()> {
        if self.take(b']') {
            self.size += 2;
            return Ok(());
        }
        loop {
            self.value(event, depth + 1)?;
            self.size += 2;
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(Broken),
            }
        }
    }

    /// Reads over what is nested too deep, without recursion, so that its neighbours can still be judged.
    #[cold]
    fn deep(&mut self, event: &mut Event) -> Read<Kind> {
        let mut open: Vec<bool> = Vec::new();
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
                    self.value(event, MOST_DEPTH)?;
                    if !self.close_deep(&mut open)? {
                        break;
                    }
                }
            }
            if open.last() == Some(&true) {
                self.expect(b'"')?;
                self.text(event)?;
                self.expect(b':')?;
            }
        }
        Ok(Kind::Array)
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

    /// Notes the key of an object, and a key that was there before.
    #[inline]
    fn note_key(&mut self, event: &mut Event, key: Value, first_key: usize) -> u32 {
        let hash = match key.has(Value::ESCAPED) {
            false => hash(key.raw(self.text)),
            true => hash(&text::content(self.text, key)),
        };
        let siblings = event.open_keys.get(first_key..).unwrap_or_default();
        if siblings.len() <= FEW_KEYS
            && siblings.iter().any(|&(other_hash, other)| other_hash == hash && self.same_key(other, key))
        {
            event.faults.add(Fault::DuplicateKey);
        }
        event.open_keys.push((hash, key));
        hash
    }

    #[inline]
    fn note_metadata_key(&mut self, event: &mut Event, key: Value, first_key: usize) {
        let hash = self.note_key(event, key, first_key);
        event.personal_key |= match key.has(Value::ESCAPED) {
            false => event.names.is_personal(key.raw(self.text), hash),
            true => keys::names_personal_data(&text::content(self.text, key)),
        };
    }

    fn same_key(&self, left: Value, right: Value) -> bool {
        text::content(self.text, left) == text::content(self.text, right)
    }

    /// Forgets the keys of an object that has ended; where they were many, finds a key named twice among them.
    #[inline]
    fn close_keys(&mut self, event: &mut Event, first_key: usize) {
        if event.open_keys.len() - first_key > FEW_KEYS {
            // A heap, because sorting proper is five kilobytes of the module.
            let mut names: BinaryHeap<_> =
                event.open_keys.drain(first_key..).map(|(_, key)| text::content(self.text, key)).collect();
            let mut last = names.pop();
            while let Some(name) = names.pop() {
                if last.as_ref() == Some(&name) {
                    event.faults.add(Fault::DuplicateKey);
                }
                last = Some(name);
            }
        }
        event.open_keys.truncate(first_key);
    }
}

#[inline]
fn hash(key: &[u8]) -> u32 {
    let ends = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let short = key.iter().take(4).fold(0u32, |sum, &byte| sum << 8 | u32::from(byte));
    short.wrapping_mul(31) ^ ends(key.last_chunk()).wrapping_mul(0x9e37_79b1) ^ (key.len() as u32) << 20
}
