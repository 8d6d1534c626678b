//! JSON Schema 2020-12, judged over the product's own values and exact numbers.

mod format;
mod judge;
pub mod keywords;
mod pattern;
mod read;
mod source;

use crate::parse::part::Part;
use crate::parse::tape::Tape;
pub(super) use judge::Judged;
use keywords::{KEYWORDS, Meaning, Shape};
pub use pattern::Pattern;

/// A schema that every engine can judge by.
#[derive(Debug)]
pub struct Schema {
    /// The schema itself; what is noted of a part is made by [`link`].
    tape: Tape,
    patterns: Vec<Pattern>,
}

impl Schema {
    /// The schema itself.
    pub(super) fn root(&self) -> Part<'_> {
        self.tape.root()
    }

    /// Whether a part of the schema has a schema of its own for a key, or a pattern for it.
    #[inline(never)]
    fn names(&self, part: Part, key: &[u8]) -> bool {
        let is_patterned = |schema: Part| self.matches(linked(schema).1, key);
        part.get("properties").member(key).is_some() || part.get("patternProperties").members().any(is_patterned)
    }

    /// Whether a text holds what the pattern in that place describes.
    #[inline(never)]
    fn matches(&self, place: usize, text: &[u8]) -> bool {
        self.patterns.get(place).is_some_and(|pattern| pattern.matches(text))
    }
}

/// What is noted of a keyword: its place in the table of keywords, and what else can be said of it at once. That is the
/// set of types for `type`, the place of a pattern, the part that a reference leads to, and one more than a count if that
/// has few digits. Of a member of `patternProperties` it is the place of its pattern.
const fn link(keyword: usize, more: usize) -> u32 {
    (more << KEYWORD_BITS | keyword) as u32
}

const KEYWORD_BITS: usize = 6;

/// Both, from what was noted.
fn linked(part: Part) -> (usize, usize) {
    let link = part.link() as usize;
    (link & ((1 << KEYWORD_BITS) - 1), link >> KEYWORD_BITS)
}

/// What the table has of a keyword.
pub(super) fn entry(says: Part) -> (Shape, Meaning) {
    KEYWORDS.get(linked(says).0).map_or((Shape::Any, Meaning::Nothing), |&(_, shape, meaning)| (shape, meaning))
}
