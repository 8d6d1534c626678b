//! Keys as they were read before: events repeat theirs, and the order of them.
//!
//! Where the text goes on with the key that followed last time, one comparison stands for finding its end, looking its
//! name up, asking whether it names personal data, and comparing it with its siblings.

use super::value::Value;
use crate::block::{self, Block};
use crate::contract::vocabulary::{FIELDS, Field, Kind};
use crate::short;

/// Whose keys they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Those of an event.
    Event,
    /// Those of its metadata.
    Metadata,
    /// Those of an object within.
    Nested,
}

/// The kinds of events whose metadata is told apart: the keys of one follow each other in their own way.
const KINDS: usize = 30;
const TABLES: usize = KINDS + 2;

/// One order of keys.
#[derive(Clone, Copy, Debug)]
pub struct Table(u8);

impl Table {
    /// The table of a level, and for metadata of an event type.
    pub fn of(level: Level, event_type: &[u8]) -> Table {
        Table(match level {
            Level::Event => 0,
            Level::Nested => 1,
            Level::Metadata => 2 + (short::hash(event_type) % KINDS as u32) as u8,
        })
    }
}

/// The place of a key; two places more stand for no key.
pub type Slot = u8;

/// Before the first key of an object.
pub const BEFORE_FIRST: Slot = CAPACITY as Slot;
/// A key that has no place: it holds an escape, is too long or names personal data.
pub const UNCACHED: Slot = BEFORE_FIRST + 1;

/// How many keys of a table are known.
pub const CAPACITY: usize = SLOTS - 2;
const SLOTS: usize = 64;
/// More than the bytes of any key that is known.
pub const LONGEST: usize = 2 * block::SIZE;
/// A comma, two quotes and a colon.
const MARKS: usize = 4;

/// A key that needs no second look: it is written without escapes and names nothing personal.
#[derive(Clone, Copy, Debug)]
pub struct CachedKey {
    /// `,"key":`, and the quote of its value if that was text whenever it came; then zeros.
    written: [u8; LONGEST],
    /// What else is known, in one word that is read at once. From the lowest bit: in eight each how many bytes were
    /// written, none where the place is empty; the number of the field, or [`NO_FIELD`]; the place of the key that came
    /// after it last time; and in the highest bits whether the value is a number or text.
    facts: u32,
}

/// What a value was whenever it came.
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
    /// What begins with this byte.
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

    /// The number of the field that it is the name of, or a number past the last.
    pub const fn field_number(&self) -> usize {
        (self.facts >> 8 & 0xff) as usize
    }

    /// The field that it is the name of.
    pub fn field(&self) -> Option<Field> {
        FIELDS.get(self.field_number()).map(|&(field, ..)| field)
    }

    /// The place of the key that came after it last time.
    pub const fn next(&self) -> Slot {
        (self.facts >> 16 & 0x7f) as Slot
    }

    /// Whether the value was text whenever it came.
    pub const fn is_text(&self) -> bool {
        self.facts & IS_TEXT != 0
    }

    /// Whether the value was a number whenever it came.
    pub const fn is_number(&self) -> bool {
        self.facts & IS_NUMBER != 0
    }

    /// Whether it stands here after its comma, or, if it is the first, after the brace.
    pub fn stands_in(&self, here: &[u8; LONGEST], is_first: bool) -> bool {
        let differ = !(Block::same(here, &self.written) | u32::from(is_first));
        self.size() != 0 && differ.trailing_zeros() as usize >= self.size()
    }

    /// The name, where it was read after the comma at that place.
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
    /// None yet: nothing but zeros, so that the module need not carry them.
    pub const NONE: KeyCache = KeyCache([[CachedKey::EMPTY; SLOTS]; TABLES]);

    /// The key of that place.
    pub fn at(&self, table: Table, place: Slot) -> &CachedKey {
        &self.0[table.0 as usize % TABLES][place as usize % SLOTS]
    }

    /// The place where a key is, or could be put; and what was there.
    pub fn find(&mut self, table: Table, last: Slot, key: &[u8], usual: Usual) -> Option<(Slot, Occupant)> {
        let keys = self.0.get_mut(table.0 as usize)?;
        let is = |known: &CachedKey| known.size() != 0 && short::is_same(known.name(), key);
        // One by one, because it is seldom asked: nearly every key is the expected one.
        let place = keys.iter().take(CAPACITY).position(|known| known.size() == 0 || is(known));
        let place = place.unwrap_or(key.len() % CAPACITY);
        let known = keys.get_mut(place)?;
        let found = match known {
            known if is(known) => {
                if known.facts & (IS_TEXT | IS_NUMBER) != usual.facts() {
                    // Without the quote that may not be there again.
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

/// What is in the place of a key.
pub enum Occupant {
    /// The key.
    Same(Option<Field>),
    /// Nothing yet.
    Nobody,
    /// Another key, which would have to go.
    Another,
}
