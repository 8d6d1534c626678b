//! An event as it was read: spans of the text it was read from.

use super::faults::Faults;
use super::value::Value;
use crate::contract::vocabulary::{FIELD_COUNT, Field};

/// A member of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its key.
    pub key: Value,
    /// Its value.
    pub value: Value,
}

/// An event: spans of the text it was read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its first byte in the text.
    pub(crate) start: usize,
    /// One past its last byte.
    pub(crate) end: usize,
    pub(super) faults: Faults,
    /// The value of every [`Field`], in order.
    pub(super) values: [Value; FIELD_COUNT],
    /// A bit for every [`Field`] that is there and neither null nor blank text.
    pub(super) given: u64,
    pub(super) unknown_fields: Vec<Member>,
    pub(super) metadata_size: usize,
    /// The members of `metadata`; while objects within it are being read, theirs too.
    pub(super) members: Vec<Member>,
    pub(super) personal_key: bool,
    pub(super) names_state: bool,
    pub(super) suspicion: u8,
}

impl Event {
    /// Nothing read yet.
    pub(super) const fn new() -> Self {
        Event {
            start: 0,
            end: 0,
            faults: Faults::NONE,
            values: [Value::ABSENT; FIELD_COUNT],
            given: 0,
            unknown_fields: Vec::new(),
            metadata_size: 0,
            members: Vec::new(),
            personal_key: false,
            names_state: false,
            suspicion: 0,
        }
    }

    /// Empties the event, but keeps what it has allocated.
    pub(super) fn clear(&mut self) {
        self.faults = Faults::NONE;
        self.values = [Value::ABSENT; FIELD_COUNT];
        self.given = 0;
        self.unknown_fields.clear();
        self.metadata_size = 0;
        self.members.clear();
        self.personal_key = false;
        self.names_state = false;
        self.suspicion = 0;
    }

    /// Keeps the value of the field with that number unless it has one already, and returns whether it was kept.
    pub(super) fn fill(&mut self, field: usize, value: Value) -> bool {
        match self.values.get_mut(field) {
            Some(slot) if *slot == Value::ABSENT => {
                *slot = value;
                true
            }
            _ => false,
        }
    }

    /// Its bytes in the text it was read from.
    pub fn raw<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Why it cannot be judged, if it cannot.
    pub const fn faults(&self) -> Faults {
        self.faults
    }

    /// The value of a field.
    pub const fn value(&self, field: Field) -> Value {
        self.values[field as usize]
    }

    /// Whether the field is there and neither null nor blank text.
    pub const fn is_given(&self, field: Field) -> bool {
        self.given >> field as u8 & 1 != 0
    }

    /// The top-level fields outside the vocabulary.
    pub fn unknown_fields(&self) -> &[Member] {
        &self.unknown_fields
    }

    /// The members of `metadata` whose keys are not the name of a field.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The bytes of `metadata` as Postgres writes a `jsonb`: the one measure of its size that every engine shares.
    pub const fn metadata_size(&self) -> usize {
        self.metadata_size
    }

    /// Whether a key of `metadata`, at any depth, names personal data.
    pub const fn has_personal_key(&self) -> bool {
        self.personal_key
    }

    /// Whether a key, other than that of a field, names the state before a change or after it.
    pub const fn names_state(&self) -> bool {
        self.names_state
    }

    /// What is [suspicious](Value::suspicion) in the texts and keys within its values.
    pub const fn suspicion(&self) -> u8 {
        self.suspicion
    }
}
