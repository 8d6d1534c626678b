//! Rule zero: bytes to an [`Event`], in one pass that copies nothing.
//!
//! The reader accepts exactly RFC 8259 in UTF-8, notes what the rules will ask for while it passes over it, and keeps
//! spans of the input, so that an accepted event reaches the store as it was written. It is written by hand because the
//! measured alternatives pay for a tree or a second pass (`bench/RESULTS.md`); the property tests and the fuzz targets
//! hold it to `serde_json`.

use crate::event::{Event, FIELD_COUNT, Fault, Faults, Field, Kind, Member, Value};
use crate::{number, text};

/// The deepest nesting of an event.
pub const MOST_DEPTH: usize = 32;

/// The text is not JSON from this byte on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The first byte that does not fit.
    pub at: usize,
}

/// A reader over one text.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    keys: Vec<Key>,
}

/// A key of an object that is being read.
#[derive(Clone, Copy, Debug)]
struct Key {
    hash: u32,
    value: Value,
}

/// How many keys of an object are compared one by one before they are sorted instead.
const FEW_KEYS: usize = 48;

type Read<T> = Result<T, Broken>;

impl<'a> Reader<'a> {
    /// Starts at the beginning, behind a byte order mark if there is one.
    pub fn new(text: &'a [u8]) -> Self {
        Reader { text, at: if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }, keys: Vec::new() }
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

    #[cold]
    fn broken<T>(&self) -> Read<T> {
        Err(Broken { at: self.at })
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.take(byte) { Ok(()) } else { self.broken() }
    }

    /// Reads up to the array of `{"events": […]}`; back to where it was if the text is something else.
    pub fn enter_wrapper(&mut self) -> bool {
        let start = self.at;
        if self.take(b'{')
            && self.take(b'"')
            && let Some((key, _)) = text::read(self.text, self.at, &mut Faults::default())
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
        self.keys.clear();
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

    /// Reads the members of an object whose brace has been read; the number of bytes Postgres writes around them.
    #[inline]
    fn members(
        &mut self,
        event: &mut Event,
        mut member: impl FnMut(&mut Self, &mut Event, usize) -> Read<usize>,
    ) -> Read<usize> {
        if self.take(b'}') {
            return Ok(2);
        }
        let first_key = self.keys.len();
        let mut size = 0;
        loop {
            if !self.take(b'"') {
                return self.broken();
            }
            size += 4 + member(self, event, first_key)?;
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    self.close_keys(event, first_key);
                    return Ok(size);
                }
                _ => return self.broken(),
            }
        }
    }

    #[inline]
    fn event_member(&mut self, event: &mut Event, first_key: usize) -> Read<usize> {
        let (key, _) = self.text(event)?;
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
            let (value, _) = self.value(event, 1)?;
            note_suspect(event, value);
            value
        };
        match field {
            Some(field) => self.keep(event, field, value),
            None => {
                event.unknown_field = true;
                self.note_key(event, key, first_key);
            }
        }
        Ok(0)
    }

    #[inline]
    fn keep(&mut self, event: &mut Event, field: Field, value: Value) {
        if let Some(slot) = event.values.get_mut(field as usize % FIELD_COUNT) {
            if slot.kind != Kind::Absent {
                event.faults.add(Fault::DuplicateKey);
            }
            *slot = value;
        }
    }

    /// Reads a value whose content no privacy rule speaks of.
    #[inline]
    fn outside_metadata(&mut self, event: &mut Event) -> Read<Value> {
        let (suspects, keys) = (event.suspects.len(), event.keys.len());
        let (value, _) = self.value(event, 1)?;
        event.suspects.truncate(suspects);
        event.keys.truncate(keys);
        Ok(value)
    }

    fn metadata(&mut self, event: &mut Event) -> Read<Value> {
        let start = self.at;
        self.at += 1;
        event.metadata_size = self.members(event, Self::metadata_member)?;
        Ok(Value { kind: Kind::Object, flags: 0, start: start as u32, end: self.at as u32 })
    }

    #[inline]
    fn metadata_member(&mut self, event: &mut Event, first_key: usize) -> Read<usize> {
        let (key, key_size) = self.text(event)?;
        self.expect(b':')?;
        let (value, size) = self.value(event, 2)?;
        let field = match key.has(Value::ESCAPED) {
            false => Field::of_metadata(key.raw(self.text)),
            true => Field::of_metadata(&text::content(self.text, key)),
        };
        match field {
            Some(field) => self.keep(event, field, value),
            None => {
                self.note_key(event, key, first_key);
                note_suspect(event, key);
                event.keys.push(key);
                event.members.push(Member { key, value });
            }
        }
        note_suspect(event, value);
        Ok(key_size + size)
    }

    #[inline]
    fn text(&mut self, event: &mut Event) -> Read<(Value, usize)> {
        match text::read(self.text, self.at, &mut event.faults) {
            Some((value, size)) => {
                self.at = value.end as usize + 1;
                Ok((value, size))
            }
            None => self.broken(),
        }
    }

    /// Reads one value; the second result is the number of bytes that Postgres writes for it.
    #[inline]
    fn value(&mut self, event: &mut Event, depth: usize) -> Read<(Value, usize)> {
        match self.peek() {
            b'"' => {
                self.at += 1;
                self.text(event)
            }
            b'-' | b'0'..=b'9' => {
                let start = self.at;
                let Some((end, storable, size)) = number::read(self.text, start) else {
                    return self.broken();
                };
                if !storable {
                    event.faults.add(Fault::Number);
                }
                self.at = end;
                Ok((Value { kind: Kind::Number, flags: 0, start: start as u32, end: end as u32 }, size))
            }
            b't' => self.literal(b"true", Kind::True),
            b'f' => self.literal(b"false", Kind::False),
            b'n' => self.literal(b"null", Kind::Null),
            b'{' | b'[' if depth >= MOST_DEPTH => {
                event.faults.add(Fault::Depth);
                self.deep(event)
            }
            b'{' => {
                let start = self.at;
                self.at += 1;
                let size = self.object(event, depth)?;
                Ok((Value { kind: Kind::Object, flags: 0, start: start as u32, end: self.at as u32 }, size))
            }
            b'[' => {
                let start = self.at;
                self.at += 1;
                let size = self.array(event, depth)?;
                Ok((Value { kind: Kind::Array, flags: 0, start: start as u32, end: self.at as u32 }, size))
            }
            _ => self.broken(),
        }
    }

    #[inline]
    fn literal(&mut self, word: &'static [u8], kind: Kind) -> Read<(Value, usize)> {
        let start = self.at;
        if !self.text.get(start..).is_some_and(|rest| rest.starts_with(word)) {
            return self.broken();
        }
        self.at += word.len();
        Ok((Value { kind, flags: 0, start: start as u32, end: self.at as u32 }, word.len()))
    }

    fn object(&mut self, event: &mut Event, depth: usize) -> Read<usize> {
        self.members(event, |reader, event, first_key| {
            let (key, key_size) = reader.text(event)?;
            reader.expect(b':')?;
            reader.note_key(event, key, first_key);
            note_suspect(event, key);
            event.keys.push(key);
            let (value, size) = reader.value(event, depth + 1)?;
            note_suspect(event, value);
            Ok(key_size + size)
        })
    }

    fn array(&mut self, event: &mut Event, depth: usize) -> Read<usize> {
        if self.take(b']') {
            return Ok(2);
        }
        let mut size = 0;
        loop {
            let (value, value_size) = self.value(event, depth + 1)?;
            note_suspect(event, value);
            size += 2 + value_size;
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(size);
                }
                _ => return self.broken(),
            }
        }
    }

    /// Reads over what is nested too deep, without recursion, so that its neighbours can still be judged.
    #[cold]
    fn deep(&mut self, event: &mut Event) -> Read<(Value, usize)> {
        let start = self.at;
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
        Ok((Value { kind: Kind::Array, flags: 0, start: start as u32, end: self.at as u32 }, self.at - start))
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

    #[inline]
    fn note_key(&mut self, event: &mut Event, key: Value, first_key: usize) {
        let hash = match key.has(Value::ESCAPED) {
            false => hash(key.raw(self.text)),
            true => hash(&text::content(self.text, key)),
        };
        let siblings = self.keys.get(first_key..).unwrap_or_default();
        if siblings.len() <= FEW_KEYS
            && siblings.iter().any(|other| other.hash == hash && self.same_key(other.value, key))
        {
            event.faults.add(Fault::DuplicateKey);
        }
        self.keys.push(Key { hash, value: key });
    }

    fn same_key(&self, left: Value, right: Value) -> bool {
        text::content(self.text, left) == text::content(self.text, right)
    }

    /// Forgets the keys of an object that has ended; where they were many, finds a key named twice among them.
    #[inline]
    fn close_keys(&mut self, event: &mut Event, first_key: usize) {
        if self.keys.len() - first_key > FEW_KEYS {
            let mut names: Vec<_> =
                self.keys.drain(first_key..).map(|key| text::content(self.text, key.value)).collect();
            names.sort_unstable();
            if names.windows(2).any(|pair| pair.first() == pair.last()) {
                event.faults.add(Fault::DuplicateKey);
            }
        }
        self.keys.truncate(first_key);
    }
}

#[inline]
fn note_suspect(event: &mut Event, value: Value) {
    if value.kind == Kind::Text && value.flags & (Value::AT | Value::DIGITS) != 0 {
        event.suspects.push(value);
    }
}

#[inline]
fn hash(key: &[u8]) -> u32 {
    let ends = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let short = key.iter().take(4).fold(0u32, |sum, &byte| sum << 8 | u32::from(byte));
    short.wrapping_mul(31) ^ ends(key.last_chunk()).wrapping_mul(0x9e37_79b1) ^ (key.len() as u32) << 20
}
