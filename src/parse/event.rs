//! An event as it was read: spans of the text it was read from.

use super::faults::Faults;
use super::key_cache::KeyCache;
use super::value::Value;
use crate::contract::vocabulary::{FIELD_COUNT, Field};
use crate::digest::Hash;

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
    pub has_evicted_keys: bool,
    /// Whether a key of `metadata`, at any depth, names personal data.
    pub personal_key: bool,
    /// What is [suspicious](Value::suspicion) of the texts and keys within its values.
    pub suspicion: u8,
    /// Whether a [snapshot](crate::privacy::redact::snapshot) of it would be the very bytes that were read.
    pub is_shown_whole: bool,
    /// The hash of its e-mail address, where it was judged and sent a valid one.
    pub email_hash: Option<Hash>,
    /// How many bytes more Postgres writes than were read.
    pub jsonb_growth: isize,
    /// The first byte that is not JSON, where that was found.
    pub fault_at: usize,
    /// The keys of the events before.
    pub key_cache: KeyCache,
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
            has_evicted_keys: false,
            personal_key: false,
            suspicion: 0,
            is_shown_whole: false,
            email_hash: None,
            jsonb_growth: 0,
            fault_at: 0,
            key_cache: KeyCache::NONE,
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
        self.has_evicted_keys = false;
        self.personal_key = false;
        self.suspicion = 0;
        self.is_shown_whole = true;
        self.jsonb_growth = 0;
    }
}
