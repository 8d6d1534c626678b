//! What the reader knows of an event: spans of the text it was read from.

use crate::email::Hash;
use crate::event::{FIELD_COUNT, Fault, Field, Kind};
use crate::known_keys::KnownKeys;
use std::num::NonZeroU64;

/// A value as a span of the input. For text the quotes are outside the span.
///
/// One word, so that it travels in a register: as a structure it was put together in memory and read back from there
/// at every value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value(
    /// From the lowest bit: one; three bits of kind, five of flags, 27 of the first byte, 28 of the end.
    NonZeroU64,
);

impl Value {
    /// Not there.
    pub const ABSENT: Value = Value::new(Kind::Absent, 0, 0, 0);
    /// The text holds a backslash escape.
    pub const ESCAPED: u8 = 1;
    /// The text holds a byte outside ASCII.
    pub const NON_ASCII: u8 = 2;
    /// The text may hold an e-mail address or a phone number: it has one of the characters that they need.
    pub const SIGNS: u8 = 4;
    /// The text may hold a card or social security number: it has a run of digits that is long enough.
    pub const DIGITS: u8 = 8;
    /// The text is a UUID in the 8-4-4-4-12 form.
    pub const UUID: u8 = 16;
    /// No place in a text may lie beyond this.
    pub const MOST: usize = (1 << 27) - 1;

    /// A value of this kind, between two places of a text.
    #[inline]
    pub const fn new(kind: Kind, flags: u8, start: usize, end: usize) -> Value {
        let tag = 1 | (kind as u64) << 1 | (flags as u64) << 4;
        match NonZeroU64::new(tag | (start as u64) << 9 | (end as u64) << 36) {
            Some(word) => Value(word),
            None => Value(NonZeroU64::MIN),
        }
    }

    /// What it is.
    #[inline]
    pub const fn kind(self) -> Kind {
        match self.0.get() >> 1 & 7 {
            0 => Kind::Absent,
            1 => Kind::Null,
            2 => Kind::False,
            3 => Kind::True,
            4 => Kind::Number,
            5 => Kind::Text,
            6 => Kind::Array,
            _ => Kind::Object,
        }
    }

    /// What was seen in a text: [`Value::ESCAPED`], [`Value::NON_ASCII`], [`Value::SIGNS`], [`Value::DIGITS`] and
    /// [`Value::UUID`].
    #[inline]
    pub const fn flags(self) -> u8 {
        (self.0.get() >> 4 & 31) as u8
    }

    /// What a closer look at a text could find: [`Value::SIGNS`] and [`Value::DIGITS`].
    #[inline]
    pub const fn suspicion(self) -> u8 {
        self.flags() & (Value::SIGNS | Value::DIGITS)
    }

    /// Its first byte.
    #[inline]
    pub const fn start(self) -> usize {
        (self.0.get() >> 9) as usize & Value::MOST
    }

    /// One past its last byte.
    #[inline]
    pub const fn end(self) -> usize {
        (self.0.get() >> 36) as usize
    }

    /// The byte behind it, and behind the quote that ends a text.
    #[inline]
    pub const fn after(self) -> usize {
        self.end() + matches!(self.kind(), Kind::Text) as usize
    }

    /// The bytes of the value in the text it was read from.
    #[inline]
    pub fn raw(self, text: &[u8]) -> &[u8] {
        text.get(self.start()..self.end()).unwrap_or_default()
    }

    /// Whether a text has any of these flags.
    #[inline]
    pub const fn has(self, flags: u8) -> bool {
        self.flags() & flags != 0
    }
}

impl Default for Value {
    fn default() -> Self {
        Value::ABSENT
    }
}

/// A set of [`Fault`]s.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults(u8);

impl Faults {
    /// None at all.
    pub const NONE: Faults = Faults(0);

    /// Adds one.
    #[inline]
    pub fn add(&mut self, fault: Fault) {
        self.0 |= 1 << fault as u8;
    }

    /// Whether it is among them.
    #[inline]
    pub const fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u8) != 0
    }

    /// Whether it holds none but these.
    pub const fn is_within(self, others: Faults) -> bool {
        self.0 & !others.0 == 0
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its key.
    pub key: Value,
    /// Its value.
    pub value: Value,
}

/// An event, read: spans into the text it was read from.
#[derive(Debug)]
pub struct Event {
    /// Its first byte in the text.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Why it cannot be judged, if it cannot.
    pub faults: Faults,
    /// The value of every [`Field`], in their order.
    pub values: [Value; FIELD_COUNT],
    /// A bit for every [`Field`] that is there and neither null nor blank text.
    pub given: u64,
    /// The top-level fields outside the vocabulary.
    pub unknown_fields: Vec<Member>,
    /// The bytes of `metadata` as Postgres writes a `jsonb`: the one measure of its size that every engine shares.
    pub metadata_size: usize,
    /// The members of `metadata`; while objects within it are being read, theirs too.
    pub members: Vec<Member>,
    /// Whether a known key had to make room, so that places no longer tell keys apart.
    pub has_moved_keys: bool,
    /// Whether a key of `metadata`, at any depth, names personal data.
    pub personal_key: bool,
    /// What is [suspicious](Value::suspicion) of the texts and keys within its values.
    pub suspicion: u8,
    /// Whether a [snapshot](crate::redact::snapshot) of it would be the very bytes that were read.
    pub is_shown_whole: bool,
    /// The hash of its e-mail address, where it was judged and sent a valid one.
    pub email_hash: Option<Hash>,
    /// How many bytes more Postgres writes than were read.
    pub stored: isize,
    /// The first byte that is not JSON, where that was found.
    pub broken_at: usize,
    /// The keys of the events before.
    pub known_keys: KnownKeys,
}

impl Default for Event {
    #[inline(never)]
    fn default() -> Self {
        Event::new()
    }
}

impl Event {
    /// Nothing read yet.
    pub const fn new() -> Self {
        Event {
            start: 0,
            end: 0,
            faults: Faults::NONE,
            values: [Value::ABSENT; FIELD_COUNT],
            given: 0,
            unknown_fields: Vec::new(),
            metadata_size: 0,
            members: Vec::new(),
            has_moved_keys: false,
            personal_key: false,
            suspicion: 0,
            is_shown_whole: false,
            email_hash: None,
            stored: 0,
            broken_at: 0,
            known_keys: KnownKeys::NONE,
        }
    }

    /// The value at a place.
    #[inline]
    pub fn value(&self, field: Field) -> Value {
        self.values[field as usize]
    }

    /// Whether the field is there and neither null nor blank text.
    #[inline]
    pub const fn is_given(&self, field: Field) -> bool {
        self.given >> field as u8 & 1 != 0
    }

    /// Makes the event empty again, keeping what it has allocated.
    pub fn clear(&mut self) {
        self.faults = Faults::NONE;
        self.values = [Value::ABSENT; FIELD_COUNT];
        self.given = 0;
        self.unknown_fields.clear();
        self.metadata_size = 0;
        self.members.clear();
        self.has_moved_keys = false;
        self.personal_key = false;
        self.suspicion = 0;
        self.is_shown_whole = true;
        self.stored = 0;
    }
}
