//! A value of the event as one word.

use crate::contract::vocabulary::Kind;
use std::num::NonZeroU64;

/// A value as a span of the input. The quotes of a text are outside the span.
///
/// It is one word, so that it travels in a register: as a structure, it was put together in memory and read back from
/// there for every value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value(
    /// The word is drawn at the head of `parse`.
    NonZeroU64,
);

impl Value {
    /// No value.
    pub const ABSENT: Value = Value::new(Kind::Absent, 0, 0, 0);
    /// The text holds a backslash escape.
    pub const ESCAPED: u8 = 1;
    /// The text holds a byte outside ASCII.
    pub const NON_ASCII: u8 = 2;
    /// The text may hold something personal: it has one of the [signs](crate::privacy::find::is_sign).
    pub const SIGNS: u8 = 4;
    /// The text or number may hold something personal: it has enough [marks](crate::privacy::find::is_mark).
    pub const DIGITS: u8 = 8;
    /// The text is a UUID in the 8-4-4-4-12 form.
    pub const UUID: u8 = 16;
    /// The last place in a text that a value can reach.
    pub const MOST: usize = (1 << 27) - 1;

    /// A value of this kind, between two places of a text.
    pub const fn new(kind: Kind, flags: u8, start: usize, end: usize) -> Value {
        let tag = 1 | (kind as u64) << 1 | (flags as u64) << 4;
        match NonZeroU64::new(tag | (start as u64) << 9 | (end as u64) << 36) {
            Some(word) => Value(word),
            None => Value(NonZeroU64::MIN),
        }
    }

    /// Its kind.
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

    /// What was found in a text: [`Value::ESCAPED`], [`Value::NON_ASCII`], [`Value::SIGNS`], [`Value::DIGITS`] and
    /// [`Value::UUID`].
    pub const fn flags(self) -> u8 {
        (self.0.get() >> 4 & 31) as u8
    }

    /// What a closer look at a text could find: [`Value::SIGNS`] and [`Value::DIGITS`].
    pub const fn suspicion(self) -> u8 {
        self.flags() & (Value::SIGNS | Value::DIGITS)
    }

    /// Its first byte.
    pub const fn start(self) -> usize {
        (self.0.get() >> 9) as usize & Value::MOST
    }

    /// One past its last byte.
    pub const fn end(self) -> usize {
        (self.0.get() >> 36) as usize
    }

    /// The same value, counted from a place this many bytes further on in the text.
    pub const fn back(self, by: usize) -> Value {
        Value::new(self.kind(), self.flags(), self.start() - by, self.end() - by)
    }

    /// The place after it, and after the quote that ends a text.
    pub const fn after(self) -> usize {
        self.end() + matches!(self.kind(), Kind::Text) as usize
    }

    /// The bytes of the value in the text it was read from.
    pub fn raw(self, text: &[u8]) -> &[u8] {
        text.get(self.start()..self.end()).unwrap_or_default()
    }

    /// Whether a text has any of these flags.
    pub const fn has(self, flags: u8) -> bool {
        self.flags() & flags != 0
    }
}

impl Default for Value {
    fn default() -> Self {
        Value::ABSENT
    }
}
