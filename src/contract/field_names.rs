//! Fields by their names.

use super::vocabulary::{FIELD_COUNT, FIELDS, Field};
use crate::short;

impl Field {
    /// The top-level field of that name.
    #[inline]
    pub fn top_level(key: &[u8]) -> Option<Field> {
        named(key, &TOP_LEVEL)
    }

    /// The well-known metadata key of that name.
    #[inline]
    pub fn of_metadata(key: &[u8]) -> Option<Field> {
        named(key, &OF_METADATA)
    }
}

/// The key of every field, in the order of [`Field`].
pub static KEYS: [(Field, &str); FIELD_COUNT] = {
    let mut keys = [(Field::Id, ""); FIELD_COUNT];
    let mut index = 0;
    while index < FIELD_COUNT {
        keys[index] = (FIELDS[index].0, FIELDS[index].1);
        index += 1;
    }
    keys
};

/// A table of names without collisions: one look and one comparison find a field.
type Names = [Option<Field>; 64];

static TOP_LEVEL: Names = names(false);
static OF_METADATA: Names = names(true);

const fn names(in_metadata: bool) -> Names {
    let mut names: Names = [None; 64];
    let mut index = 0;
    while index < FIELD_COUNT {
        let (field, key, _) = FIELDS[index];
        if field.in_metadata() == in_metadata {
            let bytes = key.as_bytes();
            let slot = slot(bytes[0], bytes[bytes.len() - 1], bytes.len());
            assert!(names[slot].is_none(), "two fields share a slot: choose other factors");
            names[slot] = Some(field);
        }
        index += 1;
    }
    names
}

const fn slot(first: u8, last: u8, length: usize) -> usize {
    (first as usize + last as usize + length * 18) & 63
}

#[inline]
fn named(key: &[u8], names: &Names) -> Option<Field> {
    let slot = slot(*key.first()?, *key.last()?, key.len());
    let field = names.get(slot).copied().flatten()?;
    let (_, name) = KEYS.get(field as usize)?;
    short::is_same(key, name.as_bytes()).then_some(field)
}
