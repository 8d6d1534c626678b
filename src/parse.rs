//! Rule zero: bytes to an [`Event`], in one pass that copies nothing.
//!
//! The reader accepts exactly RFC 8259 in UTF-8, notes what the rules will ask for while it passes over it, and keeps
//! spans of the input, so that an accepted event reaches the store as it was written. It is written by hand because the
//! measured alternatives pay for a tree or a second pass (`bench/RESULTS.md`); the property tests and the fuzz targets
//! hold it to `serde_json`.

use crate::event::{FIELD_COUNT, Fault, Field, Kind};
use crate::known_keys::{self, Found, Level, PLACES, Place};
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
    /// How many bytes more Postgres writes than were read.
    stored: isize,
}

// A small result travels in registers: with the position in `Broken`, and sizes beside values, reading took a quarter
// longer.
type Read<T> = Result<T, Broken>;

impl<'a> Reader<'a> {
    /// Starts at the beginning, behind a byte order mark if there is one.
    pub fn new(text: &'a [u8]) -> Self {
        Reader { text, at: if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }, stored: 0 }
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
        event.start = self.at;
        if first == b'{' {
            self.at += 1;
            self.members::<{ Level::Event as u8 }>(event, 1)?;
        } else {
            self.value(event, 0)?;
            event.faults.add(Fault::Shape);
        }
        event.end = self.at;
        Ok(())
    }

    /// Reads the members of an object whose brace has been read.
    #[inline]
    fn members<const LEVEL: u8>(&mut self, event: &mut Event, depth: usize) -> Read<()> {
        if self.take(b'}') {
            return Ok(());
        }
        let level = const { Level::of(LEVEL) };
        let first = if level == Level::Event { 0 } else { event.members.len() };
        let mut place = known_keys::START;
        // The places of the keys that were there, and whether one may have been there twice.
        let (mut seen, mut is_doubtful) = (0u64, false);
        loop {
            let (key, field);
            if let Some((next, known)) = event.known_keys.next(level, place, self.text, self.at) {
                key = Value::new(Kind::Text, 0, self.at + 1, self.at + known.size as usize - 2);
                self.at += known.size as usize;
                (field, place) = (known.field, next);
            } else {
                self.expect(b'"')?;
                key = self.text(event)?;
                self.expect(b':')?;
                event.flags |= if level == Level::Event { 0 } else { key.flags() };
                (field, place) = self.look_up(event, level, place, key);
                is_doubtful |= place == known_keys::STRANGE;
            }
            let value = match level {
                Level::Event | Level::Metadata if self.peek() == b'"' => {
                    self.at += 1;
                    self.text_in_place(event)?
                }
                Level::Event if field != Some(Field::Metadata) => self.outside_metadata(event)?,
                Level::Event if self.peek() == b'{' => self.metadata(event)?,
                _ => self.value(event, depth)?,
            };
            event.flags |= if level == Level::Event { 0 } else { value.flags() };
            match field {
                Some(field) => self.keep(event, field, value),
                None => {
                    let own = 1 << (place % PLACES as u8);
                    is_doubtful |= seen & own != 0;
                    seen |= own;
                    let members = if level == Level::Event { &mut event.unknown_fields } else { &mut event.members };
                    members.push(Member { key, value });
                }
            }
            // Postgres writes a space behind every colon and every comma.
            self.stored += 2;
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    self.stored -= 1;
                    if is_doubtful || event.has_moved_keys {
                        self.find_twins(event, level, first);
                    }
                    if level == Level::Nested {
                        event.members.truncate(first);
                    }
                    return Ok(());
                }
                _ => return Err(Broken),
            }
        }
    }

    /// What a key means that is not the one that was expected here, and its place.
    #[inline(never)]
    fn look_up(&self, event: &mut Event, level: Level, last: Place, key: Value) -> (Option<Field>, Place) {
        let content = text::content(self.text, key);
        let found = event.known_keys.find(level, last, &content);
        if key.flags() == 0
            && let Some((place, Found::Known(field))) = found
        {
            return (field, place);
        }
        let field = match level {
            Level::Event => Field::top_level(&content),
            Level::Metadata => Field::of_metadata(&content),
            Level::Nested => None,
        };
        let is_personal = field.is_none() && keys::names_personal_data(&content);
        event.personal_key |= is_personal && level != Level::Event;
        let is_harmless = key.flags() == 0 && !is_personal && (level != Level::Event || field.is_some());
        if is_harmless
            && let Some((place, found)) = found
            && event.known_keys.put(level, place, &content, field).is_some()
        {
            event.has_moved_keys |= matches!(found, Found::Other);
            return (field, place);
        }
        (field, known_keys::STRANGE)
    }

    /// Finds keys that were named twice in the object that ends here.
    #[cold]
    fn find_twins(&self, event: &mut Event, level: Level, first: usize) {
        let members = if level == Level::Event { &event.unknown_fields } else { &event.members };
        let members = members.get(first..).unwrap_or_default();
        // A heap, because sorting proper is five kilobytes of the module.
        let mut names: BinaryHeap<_> = members.iter().map(|member| text::content(self.text, member.key)).collect();
        let mut last = names.pop();
        while let Some(name) = names.pop() {
            if last.as_ref() == Some(&name) {
                event.faults.add(Fault::DuplicateKey);
            }
            last = Some(name);
        }
    }

    #[inline(always)]
    fn keep(&mut self, event: &mut Event, field: Field, value: Value) {
        if let Some(slot) = event.values.get_mut(field as usize % FIELD_COUNT) {
            if slot.kind() != Kind::Absent {
                event.faults.add(Fault::DuplicateKey);
            }
            *slot = value;
            let is_given = match value.kind() {
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

    #[inline(never)]
    fn metadata(&mut self, event: &mut Event) -> Read<Value> {
        let start = self.at;
        self.at += 1;
        let before = self.stored;
        self.members::<{ Level::Metadata as u8 }>(event, 2)?;
        event.metadata_size = (self.at - start).saturating_add_signed(self.stored - before);
        Ok(Value::new(Kind::Object, 0, start, self.at))
    }

    fn text(&mut self, event: &mut Event) -> Read<Value> {
        let value = text::read(self.text, self.at, &mut event.faults).ok_or(Broken)?;
        Ok(self.pass(value))
    }

    #[inline(always)]
    fn text_in_place(&mut self, event: &mut Event) -> Read<Value> {
        let value = text::read_in_place(self.text, self.at, &mut event.faults).ok_or(Broken)?;
        Ok(self.pass(value))
    }

    /// Goes on behind a text.
    #[inline(always)]
    fn pass(&mut self, value: Value) -> Value {
        self.at = value.end() + 1;
        if value.has(Value::ESCAPED) {
            self.stored += text::stored_more(self.text, value);
        }
        value
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
                self.stored += size as isize - (end - start) as isize;
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
        Ok(Value::new(kind, 0, start, self.at))
    }

    #[inline]
    fn literal(&mut self, word: &'static [u8], kind: Kind) -> Read<Kind> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Broken);
        }
        self.at += word.len();
        Ok(kind)
    }

    fn object(&mut self, event: &mut Event, depth: usize) -> Read<()> {
        self.members::<{ Level::Nested as u8 }>(event, depth + 1)
    }

    fn array(&mut self, event: &mut Event, depth: usize) -> Read<()> {
        if self.take(b']') {
            return Ok(());
        }
        loop {
            event.flags |= self.value(event, depth + 1)?.flags();
            match self.peek() {
                b',' => {
                    self.at += 1;
                    self.stored += 1;
                }
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
}
