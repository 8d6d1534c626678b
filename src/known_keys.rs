//! Keys as they were read before: events repeat theirs, and the order of them.
//!
//! Where the text goes on with the key that followed last time, one comparison stands for finding its end, looking its
//! name up, asking whether it names personal data, and comparing it with its siblings.

use crate::block::{self, Block};
use crate::event::Field;
use crate::text;

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

impl Level {
    /// The level of that number.
    pub const fn of(number: u8) -> Level {
        match number {
            0 => Level::Event,
            1 => Level::Metadata,
            _ => Level::Nested,
        }
    }
}

/// The kinds of events whose metadata is told apart: the keys of one follow each other in their own way.
const KINDS: usize = 32;

/// One order of keys.
#[derive(Clone, Copy, Debug)]
pub struct Table(u8);

impl Table {
    /// The table of a level, and for metadata of an event type.
    #[inline]
    pub fn of(level: Level, event_type: &[u8]) -> Table {
        let letter = |byte: Option<&u8>| byte.copied().unwrap_or_default() as usize;
        // These factors tell most of the types apart that the project comes with.
        let kind = || (3 * event_type.len() + 9 * letter(event_type.first()) + 11 * letter(event_type.last())) % KINDS;
        Table(match level {
            Level::Event => 0,
            Level::Nested => 1,
            Level::Metadata => 2 + kind() as u8,
        })
    }
}

/// The place of a key; two places more stand for no key.
pub type Place = u8;

/// Before the first key of an object.
pub const START: Place = PLACES as Place;
/// A key that has no place: it holds an escape, is too long or names personal data.
pub const STRANGE: Place = START + 1;

/// How many keys of a table are known.
pub const PLACES: usize = SLOTS - 2;
const SLOTS: usize = 64;
const LONGEST: usize = 2 * block::SIZE;
/// A comma, two quotes and a colon.
const MARKS: usize = 4;

/// A key that needs no second look: it is written without escapes and names nothing personal.
#[derive(Clone, Copy, Debug)]
pub struct KnownKey {
    /// `,"key":`, and the quote of its value if that was text whenever it came; zeros behind.
    written: [u8; LONGEST],
    /// How many bytes that is; none where the place is empty.
    pub size: u8,
    /// Whether the value is text.
    pub is_text: bool,
    /// The field it is the name of.
    pub field: Option<Field>,
    /// The place of the key that came after it last time.
    next: Place,
}

impl KnownKey {
    /// Where its name ends if what is written ends there.
    #[inline]
    pub fn name_end(&self, end: usize) -> usize {
        end - 2 - usize::from(self.is_text)
    }

    fn name(&self) -> &[u8] {
        self.written.get(2..self.name_end(self.size as usize)).unwrap_or_default()
    }
}

type Keys = [KnownKey; SLOTS];

/// The keys that were read.
#[derive(Debug)]
pub struct KnownKeys([Keys; 2 + KINDS]);

impl KnownKeys {
    /// None yet.
    pub const NONE: KnownKeys = {
        // Nothing but zeros, so that the module need not carry them.
        let empty = KnownKey { written: [0; LONGEST], size: 0, is_text: false, field: Some(Field::Id), next: 0 };
        KnownKeys([[empty; SLOTS]; 2 + KINDS])
    };

    /// The key that came after the last one before, if it stands here again behind its comma, or for the first one
    /// behind the brace.
    #[inline]
    pub fn next(
        &self,
        table: Table,
        last: Place,
        text: &[u8],
        at: usize,
        is_first: bool,
    ) -> Option<(Place, &KnownKey)> {
        let keys = self.0.get(table.0 as usize)?;
        let place = keys[last as usize % SLOTS].next;
        let key = &keys[place as usize % SLOTS];
        let here: &[u8; LONGEST] = text.get(at..)?.first_chunk()?;
        let differ = !(Block::same(here, &key.written) | u32::from(is_first));
        (key.size != 0 && differ.trailing_zeros() >= u32::from(key.size)).then_some((place, key))
    }

    /// The place where a key is, or could be put; and what was there.
    pub fn find(&mut self, table: Table, last: Place, key: &[u8], is_text: bool) -> Option<(Place, Found)> {
        let keys = self.0.get_mut(table.0 as usize)?;
        let is = |known: &KnownKey| known.size != 0 && text::is_same(known.name(), key);
        // One by one, because it is seldom asked: nearly every key is the expected one.
        let place = keys.iter().take(PLACES).position(|known| known.size == 0 || is(known));
        let place = place.unwrap_or(key.len() % PLACES);
        let known = keys.get_mut(place)?;
        let found = match known {
            known if is(known) => {
                known.size -= u8::from(known.is_text && !is_text);
                known.is_text &= is_text;
                Found::Known(known.field)
            }
            known if known.size == 0 => Found::Free,
            _ => Found::Other,
        };
        keys.get_mut(last as usize)?.next = place as Place;
        Some((place as Place, found))
    }

    /// Puts a key into its place, if it is short enough.
    pub fn put(&mut self, table: Table, place: Place, key: &[u8], is_text: bool, field: Option<Field>) -> Option<()> {
        let known = self.0.get_mut(table.0 as usize)?.get_mut(place as usize)?;
        let mut written = [0; LONGEST];
        let size = key.len() + MARKS + usize::from(is_text);
        let quoted = b",\"".iter().chain(key).chain(b"\":\"");
        written.get_mut(..size)?.iter_mut().zip(quoted).for_each(|(own, byte)| *own = *byte);
        *known = KnownKey { written, size: size as u8, is_text, field, next: known.next };
        Some(())
    }
}

/// What is in the place of a key.
pub enum Found {
    /// The key.
    Known(Option<Field>),
    /// Nothing yet.
    Free,
    /// Another key, which would have to go.
    Other,
}
