//! A cache of keys that were read before, because events repeat their keys in the same order.
//!
//! If the text goes on with the key that followed last time, a single comparison replaces finding the key's end,
//! looking its name up, asking whether it names personal data, and comparing it with its siblings.

use super::value::Value;
use crate::block::{self, Block};
use crate::contract::field_names::KEYS;
use crate::contract::vocabulary::{Field, Kind};
use crate::short;

/// What the keys belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// An event.
    Event,
    /// Its metadata.
    Metadata,
    /// An object within its metadata.
    Nested,
}

/// How many kinds of event have a table of their own for their metadata, because each kind has its own order of keys.
const KINDS: usize = 30;
const TABLES: usize = KINDS + 2;

/// One order of keys.
#[derive(Clone, Copy, Debug)]
pub struct Table(u8);

impl Table {
    /// The table for a level and, if that is metadata, for the event type.
    pub fn of(level: Level, event_type: &[u8]) -> Table {
        Table(match level {
            Level::Event => 0,
            Level::Nested => 1,
            Level::Metadata => 2 + (short::hash(event_type) % KINDS as u32) as u8,
        })
    }
}

/// The place of a key. Two further places stand for no key.
pub type Slot = u8;

/// Before the first key of an object.
pub const BEFORE_FIRST: Slot = CAPACITY as Slot;
/// A key without a place: it holds an escape, is too long, or names personal data or a state.
pub const UNCACHED: Slot = BEFORE_FIRST + 1;

/// How many keys a table has room for.
pub const CAPACITY: usize = SLOTS - 2;
const SLOTS: usize = 64;
/// More bytes than any key in a table has.
pub const LONGEST: usize = 2 * block::SIZE;
/// A comma, two quotes and a colon.
const MARKS: usize = 4;

/// A key that needs no second look: it is written without escapes and names nothing personal.
#[derive(Clone, Copy, Debug)]
pub struct CachedKey {
    /// `,"key":`, then the quote of its value if that was always text, then zeros.
    written: [u8; LONGEST],
    /// What else is known, in one word that is read at once. From the lowest bit, eight bits each hold how many bytes
    /// were written (0 if the place is empty), the number of the field or [`NO_FIELD`], and the place of the key that
    /// came next last time; the highest bits hold whether the value is a number or text.
    facts: u32,
}

/// What the value of a key has always been.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usual {
    /// Text.
    Text,
    /// A number without a sign.
    Number,
    /// Something else, or not always the same.
    Other,
}

impl Usual {
    /// The kind of value that begins with this byte.
    pub fn beginning(byte: Option<&u8>) -> Usual {
        match byte {
            Some(b'"') => Usual::Text,
            Some(b'0'..=b'9') => Usual::Number,
            _ => Usual::Other,
        }
    }

    const fn facts(self) -> u32 {
        match self {
            Usual::Text => IS_TEXT,
            Usual::Number => IS_NUMBER,
            Usual::Other => 0,
        }
    }
}

const IS_TEXT: u32 = 1 << 31;
const IS_NUMBER: u32 = 1 << 30;

/// Stands for no field.
const NO_FIELD: u8 = u8::MAX;

impl CachedKey {
    const EMPTY: CachedKey = CachedKey { written: [0; LONGEST], facts: 0 };

    /// How many bytes were written, from the comma on.
    pub const fn size(&self) -> usize {
        self.facts as usize % LONGEST
    }

    /// The number of the field with this name, or a number past the last.
    pub const fn field_number(&self) -> usize {
        (self.facts >> 8 & 0xff) as usize
    }

    /// The field with this name.
    pub fn field(&self) -> Option<Field> {
        KEYS.get(self.field_number()).map(|&(field, _)| field)
    }

    /// The place of the key that came after it last time.
    pub const fn next(&self) -> Slot {
        (self.facts >> 16 & 0x7f) as Slot
    }

    /// Whether the value has always been text.
    pub const fn is_text(&self) -> bool {
        self.facts & IS_TEXT != 0
    }

    /// Whether the value has always been a number.
    pub const fn is_number(&self) -> bool {
        self.facts & IS_NUMBER != 0
    }

    /// Whether the key is here after a comma or, if it is the first, after the brace.
    pub fn stands_in(&self, here: &[u8; LONGEST], is_first: bool) -> bool {
        let differ = !(Block::same(here, &self.written) | u32::from(is_first));
        self.size() != 0 && differ.trailing_zeros() as usize >= self.size()
    }

    /// The name, as it was read after the comma at that place.
    pub fn name_at(&self, comma: usize) -> Value {
        Value::new(Kind::Text, 0, comma + 2, comma + self.size() - 2 - usize::from(self.is_text()))
    }

    fn name(&self) -> &[u8] {
        self.name_at(0).raw(&self.written)
    }
}

type Keys = [CachedKey; SLOTS];

/// The keys that were read.
#[derive(Debug)]
pub struct KeyCache([Keys; TABLES]);

impl KeyCache {
    /// No keys yet. These are all zeros, so that the module need not carry them.
    pub const NONE: KeyCache = KeyCache([[CachedKey::EMPTY; SLOTS]; TABLES]);

    /// The key in that place.
    pub fn at(&self, table: Table, place: Slot) -> &CachedKey {
        &self.0[table.0 as usize % TABLES][place as usize % SLOTS]
    }

    /// The place where a key is or could be put, and what is there now.
    pub fn find(&mut self, table: Table, last: Slot, key: &[u8], usual: Usual) -> Option<(Slot, Occupant)> {
        let keys = self.0.get_mut(table.0 as usize)?;
        let is = |known: &CachedKey| known.size() != 0 && short::is_same(known.name(), key);
        // A linear search is enough, because nearly every key is the expected one and not searched for.
        let place = keys.iter().take(CAPACITY).position(|known| known.size() == 0 || is(known));
        let place = place.unwrap_or(key.len() % CAPACITY);
        let known = keys.get_mut(place)?;
        let found = match known {
            known if is(known) => {
                if known.facts & (IS_TEXT | IS_NUMBER) != usual.facts() {
                    // The next value may be of another kind, so its quote no longer belongs to the key.
                    known.facts = (known.facts - u32::from(known.is_text())) & !(IS_TEXT | IS_NUMBER);
                }
                Occupant::Same(known.field())
            }
            known if known.size() == 0 => Occupant::Nobody,
            _ => Occupant::Another,
        };
        let last = keys.get_mut(last as usize)?;
        last.facts = last.facts & !(0xff << 16) | (place as u32) << 16;
        Some((place as Slot, found))
    }

    /// Puts a key into its place, if it is short enough.
    pub fn put(&mut self, table: Table, place: Slot, key: &[u8], usual: Usual, field: Option<Field>) -> Option<()> {
        let known = self.0.get_mut(table.0 as usize)?.get_mut(place as usize)?;
        let mut written = [0; LONGEST];
        let size = key.len() + MARKS + usize::from(usual == Usual::Text);
        let quoted = b",\"".iter().chain(key).chain(b"\":\"");
        written.get_mut(..size).filter(|_| size < LONGEST)?.iter_mut().zip(quoted).for_each(|(own, byte)| *own = *byte);
        let field = field.map_or(NO_FIELD, |field| field as u8);
        let facts = size as u32 | u32::from(field) << 8 | u32::from(known.next()) << 16 | usual.facts();
        *known = CachedKey { written, facts };
        Some(())
    }
}

/// What is in a place.
pub enum Occupant {
    /// The key.
    Same(Option<Field>),
    /// Nothing yet.
    Nobody,
    /// Another key, which would have to give way.
    Another,
}
