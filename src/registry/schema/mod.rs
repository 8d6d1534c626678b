//! JSON Schema 2020-12, judged over the product's own values and exact numbers.

mod format;
mod judge;
pub mod keywords;
mod pattern;
mod read;
mod source;

use super::Name;
use crate::parse::json::Json;
pub use pattern::Pattern;
use read::target;

/// A schema that every engine can judge by.
#[derive(Debug)]
pub struct Schema {
    root: Json<'static>,
    /// Its patterns, each with its source.
    patterns: Vec<(Name, Pattern)>,
}

impl Schema {
    /// Whether a text holds what one of the schema's patterns describes.
    fn matches(&self, source: &[u8], text: &[u8]) -> bool {
        let known = self.patterns.iter().find(|(known, _)| **known == *source);
        known.is_some_and(|(_, pattern)| pattern.matches(text))
    }

    /// Whether a key is one of those for which a part of the schema has a pattern.
    fn is_patterned(&self, part: &Json, key: &[u8]) -> bool {
        part.get("patternProperties").members().iter().any(|(pattern, _)| self.matches(pattern, key))
    }
}
