//! Fields by their names.

use super::vocabulary::{FIELD_COUNT, FIELDS, Field};
use crate::short;

impl Field {
    /// The top-level field with that name.
    pub fn top_level(key: &[u8]) -> Option<Field> {
        named(key, &TOP_LEVEL)
    }

    /// The well-known metadata key with that name.
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

/// Where a name is in [`KEYS`].
type Slots = [u16; 64];

static TOP_LEVEL: Slots = slots(false);
static OF_METADATA: Slots = slots(true);

const fn slots(in_metadata: bool) -> Slots {
    let mut slots = [0; 64];
    let mut index = 0;
    while index < FIELD_COUNT {
        let (field, key, _) = FIELDS[index];
        if field.in_metadata() == in_metadata {
            short::insert(&mut slots, key.as_bytes(), index);
        }
        index += 1;
    }
    slots
}

fn named(key: &[u8], slots: &Slots) -> Option<Field> {
    let is_key = |place: usize| KEYS.get(place).is_some_and(|(_, name)| short::is_same(key, name.as_bytes()));
    KEYS.get(short::find(slots, key, is_key)?).map(|&(field, _)| field)
}
