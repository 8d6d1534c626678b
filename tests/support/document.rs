//! A document as serde_json sees it, for what the contract asks of one apart from being JSON.
#![allow(clippy::unwrap_used, reason = "a broken promise has to be loud")]

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// Whether every run of characters that can make a number is short and has a small exponent.
pub fn has_only_plain_numbers(json: &[u8]) -> bool {
    let in_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    json.split(|byte| !in_number(byte)).all(|run| {
        let power = run.split(|byte| matches!(byte, b'e' | b'E')).nth(1);
        let is_small = |power: &[u8]| {
            str::from_utf8(power).is_ok_and(|power| power.parse::<i16>().is_ok_and(|power| power.abs() <= 400))
        };
        run.len() <= 64 && power.is_none_or(is_small)
    })
}

/// What a document that serde_json reads holds.
pub fn seen(json: &[u8]) -> Seen {
    let mut seen = Seen::default();
    let mut decoder = serde_json::Deserializer::from_slice(json);
    Look { seen: &mut seen, depth: 1 }.deserialize(&mut decoder).unwrap();
    seen
}

/// What the contract asks of a document apart from being JSON.
#[derive(Default)]
pub struct Seen {
    /// How deep objects and arrays are nested.
    pub depth: usize,
    /// Whether a text holds U+0000.
    pub nul: bool,
    /// Whether an object has a key twice.
    pub twice: bool,
}

/// Looks at a value, at this depth.
struct Look<'a> {
    seen: &'a mut Seen,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, decoder: D) -> Result<(), D::Error> {
        decoder.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("any JSON")
    }

    fn visit_str<E>(self, content: &str) -> Result<(), E> {
        self.seen.nul |= content.contains('\0');
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.seen.depth = self.seen.depth.max(self.depth);
        while items.next_element_seed(Look { seen: self.seen, depth: self.depth + 1 })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.seen.depth = self.seen.depth.max(self.depth);
        let mut keys = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            self.seen.nul |= key.contains('\0');
            self.seen.twice |= !keys.insert(key);
            members.next_value_seed(Look { seen: self.seen, depth: self.depth + 1 })?;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
