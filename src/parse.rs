//! Rule zero: bytes to an [`Event`], in one pass that copies nothing.
//!
//! The reader accepts exactly RFC 8259 in UTF-8, notes what the rules will ask for while it passes over it, and keeps
//! spans of the input, so that an accepted event reaches the store as it was written. It is written by hand because the
//! measured alternatives pay for a tree or a second pass (`bench/RESULTS.md`); the property tests and the fuzz targets
//! hold it to `serde_json`.

mod deep;
mod walk;

use crate::event::{Fault, Field, Kind};
use crate::known_keys::{self, Found, Level, Place, Table, Usual};
use crate::reading::{Event, Faults, Member, Value};
use crate::{keys, number, redact, text};
use walk::{Walk, place_bit};

use std::borrow::Cow;
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

    /// Reads the members of an object from behind its brace; the place behind it.
    fn members(&mut self, event: &mut Event, level: Level, start: usize, depth: usize) -> Read<usize> {
        let text = self.text;
        let first_member = if level == Level::Event { 0 } else { event.members.len() };
        let table = Table::of(level, event.value(Field::EventType).raw(text));
        let mut walk = Walk { at: start - 1, place: known_keys::START, seen: 0, stored: -1 };
        // Whether a key may have been there twice.
        let mut is_doubtful = false;
        let mut suspicion = 0;
        loop {
            let is_expected = walk.plain(text, event, level, table, start);
            let is_first = walk.at < start;
            let (key, field, mut at);
            if is_expected {
                walk.place = event.known_keys.at(table, walk.place).next();
                let known = event.known_keys.at(table, walk.place);
                at = walk.at + known.size() - usize::from(known.is_text());
                (key, field) = (known.name_at(walk.at), known.field());
            } else {
                let mut byte;
                (at, byte) = self.next(if is_first { start } else { walk.at });
                if byte == b'}' {
                    if is_first {
                        return Ok(at + 1);
                    }
                    walk.at = at;
                    break;
                }
                if !is_first {
                    if byte != b',' {
                        return self.broken(at);
                    }
                    (at, byte) = self.next(at + 1);
                }
                if byte != b'"' {
                    return self.broken(at);
                }
                key = self.text(event, at + 1)?;
                (at, byte) = self.next(key.after());
                if byte != b':' {
                    return self.broken(at);
                }
                at += 1;
                (field, walk.place) = self.look_up(event, level, table, walk.place, key);
                is_doubtful |= walk.place == known_keys::STRANGE;
                self.is_shown &= walk.place != known_keys::STRANGE;
                suspicion |= key.suspicion();
            }
            let byte;
            (at, byte) = self.next(at);
            let value = match level {
                Level::Event | Level::Metadata if byte == b'"' => self.text(event, at + 1)?,
                Level::Event if field != Some(Field::Metadata) => self.outside_metadata(event, at)?,
                Level::Event if byte == b'{' => self.metadata(event, at)?,
                _ => self.value(event, at, depth)?,
            };
            walk.at = value.after();
            walk.stored += 2;
            suspicion |= value.suspicion();
            match field {
                Some(field) => {
                    let says_something = match value.kind() {
                        Kind::Null => false,
                        Kind::Text => !text::is_blank(text, value),
                        _ => true,
                    };
                    event.given |= u64::from(says_something) << field as u8;
                    if event.value(field) != Value::ABSENT {
                        event.faults.add(Fault::DuplicateKey);
                    }
                    event.values[field as usize] = value;
                }
                None => {
                    is_doubtful |= walk.seen & place_bit(walk.place) != 0;
                    walk.seen |= place_bit(walk.place);
                    let members = if level == Level::Event { &mut event.unknown_fields } else { &mut event.members };
                    members.push(Member { key, value });
                }
            }
        }
        self.stored += walk.stored;
        if level != Level::Event {
            event.suspicion |= suspicion;
        }
        if is_doubtful || event.has_moved_keys {
            self.find_twins(event, level, first_member);
        }
        if level == Level::Nested {
            event.members.truncate(first_member);
        }
        Ok(walk.at + 1)
    }

    /// What a key means that is not the one that was expected here, and its place.
    #[inline(never)]
    fn look_up(
        &self,
        event: &mut Event,
        level: Level,
        table: Table,
        last: Place,
        key: Value,
    ) -> (Option<Field>, Place) {
        let content = text::content(self.text, key);
        // Behind its quote and its colon.
        let usual = Usual::beginning(self.text.get(key.end() + 2));
        let found = event.known_keys.find(table, last, &content, usual);
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
        // What replaces a key in a snapshot begins with a bracket.
        let is_harmless = key.flags() == 0
            && !is_personal
            && content.first() != Some(&b'[')
            && (level != Level::Event || field.is_some());
        if is_harmless
            && let Some((place, found)) = found
            && event.known_keys.put(table, place, &content, usual, field).is_some()
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
        let mut names: Vec<_> = members.iter().map(|member| text::content(self.text, member.key)).collect();
        // A heap by hand: the library's is a kilobyte more of the module, and sorting proper five.
        for root in (0..names.len() / 2).rev() {
            sift_down(&mut names, root);
        }
        let mut last = None;
        while !names.is_empty() {
            let name = names.swap_remove(0);
            sift_down(&mut names, 0);
            if last.as_ref() == Some(&name) {
                event.faults.add(Fault::DuplicateKey);
            }
            last = Some(name);
        }
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

/// Moves the name at a place of a heap down until none below it is greater.
#[inline(never)]
fn sift_down(heap: &mut [Cow<[u8]>], mut root: usize) {
    loop {
        let child = 2 * root + 1;
        let child = if heap.get(child) < heap.get(child + 1) { child + 1 } else { child };
        if child >= heap.len() || heap.get(root) >= heap.get(child) {
            return;
        }
        heap.swap(root, child);
        root = child;
    }
}
