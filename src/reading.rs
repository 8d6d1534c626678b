//! What the reader knows of an event: spans of the text it was read from.

use crate::event::{FIELD_COUNT, Fault, Field, Kind};
use crate::keys::HarmlessKeys;

/// A value as a span of the input. For text the quotes are outside the span.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// What was seen in a text: see [`Value::ESCAPED`] and [`Value::NON_ASCII`].
    pub flags: u8,
    /// Its first byte.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

impl Value {
    /// Not there.
    pub const ABSENT: Value = Value { kind: Kind::Absent, flags: 0, start: 0, end: 0 };
    /// The text holds a backslash escape.
    pub const ESCAPED: u8 = 1;
    /// The text holds a byte outside ASCII.
    pub const NON_ASCII: u8 = 2;

    /// The bytes of the value in the text it was read from.
    #[inline]
    pub fn raw(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Whether a text has any of these flags.
    #[inline]
    pub const fn has(self, flags: u8) -> bool {
        self.flags & flags != 0
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

/// One member of `metadata`, kept for the payload schemas.
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
    /// Whether a top-level field outside the vocabulary was there.
    pub unknown_field: bool,
    /// The bytes of `metadata` as Postgres writes a `jsonb`: the one measure of its size that every engine shares.
    pub metadata_size: usize,
    /// The members of `metadata`.
    pub members: Vec<Member>,
    /// The keys of the objects that are being read, with a hash of each.
    pub open_keys: Vec<(u32, Value)>,
    /// Whether a key of `metadata`, at any depth, names personal data.
    pub personal_key: bool,
    /// Keys that were found harmless before: events repeat theirs.
    pub names: HarmlessKeys,
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
            unknown_field: false,
            metadata_size: 0,
            members: Vec::new(),
            open_keys: Vec::new(),
            personal_key: false,
            names: HarmlessKeys::NONE,
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
        self.unknown_field = false;
        self.metadata_size = 0;
        self.members.clear();
        self.open_keys.clear();
        self.personal_key = false;
    }
}
