//! Keys as they were read before: events repeat theirs, and the order of them.
//!
//! Where the text goes on with the key that followed last time, one comparison stands for finding its end, looking its
//! name up, asking whether it names personal data, and comparing it with its siblings.

use crate::block::{self, Block, Mask};
use crate::event::Field;

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

const LEVELS: usize = Level::Nested as usize + 1;

/// The place of a key; two places more stand for no key.
pub type Place = u8;

/// Before the first key of an object.
pub const START: Place = PLACES as Place;
/// A key that has no place: it holds an escape, is too long or names personal data.
pub const STRANGE: Place = START + 1;

/// How many keys of a level are known.
pub const PLACES: usize = 64;
const LONGEST: usize = 2 * block::SIZE;

/// A key that needs no second look: it is written without escapes and names nothing personal.
#[derive(Clone, Copy, Debug)]
pub struct KnownKey {
    /// `"key":`, and zeros behind it.
    written: [u8; LONGEST],
    /// A bit for each byte of that; none where the place is empty.
    covered: Mask,
    /// How many bytes that is.
    pub size: u8,
    /// The field it is the name of.
    pub field: Option<Field>,
    /// The place of the key that came after it last time.
    next: Place,
}

type Keys = [KnownKey; PLACES + 2];

/// The keys that were read.
#[derive(Debug)]
pub struct KnownKeys([Keys; LEVELS]);

impl KnownKeys {
    /// None yet.
    pub const NONE: KnownKeys = {
        // Nothing but zeros, so that the module need not carry them.
        let empty = KnownKey { written: [0; LONGEST], covered: 0, size: 0, field: Some(Field::Id), next: 0 };
        KnownKeys([[empty; PLACES + 2]; LEVELS])
    };

    /// The key that came after the last one before, if it stands here again.
    #[inline]
    pub fn next(&self, level: Level, last: Place, text: &[u8], at: usize) -> Option<(Place, &KnownKey)> {
        let keys = &self.0[level as usize];
        let place = keys.get(last as usize)?.next;
        let key = keys.get(place as usize)?;
        let here: &[u8; LONGEST] = text.get(at..)?.first_chunk()?;
        (Block::same(here, &key.written) & key.covered == key.covered && key.covered != 0).then_some((place, key))
    }

    /// The place where a key is, or could be put; and what was there.
    pub fn find(&mut self, level: Level, last: Place, key: &[u8]) -> Option<(Place, Found)> {
        let keys = &mut self.0[level as usize];
        let is =
            |known: &KnownKey| known.size as usize == key.len() + 3 && known.written.get(1..key.len() + 1) == Some(key);
        // One by one, because it is seldom asked: nearly every key is the expected one.
        let place = keys.iter().take(PLACES).position(|known| known.size == 0 || is(known));
        let place = place.unwrap_or(key.len() % PLACES);
        let known = keys.get(place)?;
        let found = match known {
            known if is(known) => Found::Known(known.field),
            known if known.size == 0 => Found::Free,
            _ => Found::Other,
        };
        keys.get_mut(last as usize)?.next = place as Place;
        Some((place as Place, found))
    }

    /// Puts a key into its place, if it is short enough.
    pub fn put(&mut self, level: Level, place: Place, key: &[u8], field: Option<Field>) -> Option<()> {
        let known = self.0[level as usize].get_mut(place as usize)?;
        let mut written = [0; LONGEST];
        let quoted = b"\"".iter().chain(key).chain(b"\":");
        written.get_mut(..key.len() + 3)?.iter_mut().zip(quoted).for_each(|(own, byte)| *own = *byte);
        let covered = Mask::MAX >> (LONGEST - key.len() - 3);
        *known = KnownKey { written, covered, size: key.len() as u8 + 3, field, next: known.next };
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
