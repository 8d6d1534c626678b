//! JSON Schema 2020-12, compiled when a schema is read, and judged over the product's own values and exact numbers.

mod format;
mod judge;
pub mod keywords;
mod pattern;
mod read;

use crate::registry::Name;
use format::Format;
pub use pattern::Pattern;

/// A schema that every engine can judge by, with all schemas within it; the first is the whole.
#[derive(Debug)]
pub struct Schema {
    parts: Vec<Part>,
    /// Whether it speaks of the payload of an event: then a null is as good as no value to the properties of the whole,
    /// and neither a null nor a blank text is what it requires.
    is_payload: bool,
}

/// The place of a schema among the parts of the whole.
type Place = usize;

/// What a schema says: false, true, or what its keywords do, in the order in which Postgres keeps them.
#[derive(Debug)]
enum Part {
    Boolean(bool),
    Says(Vec<Says>),
}

/// What one keyword says.
#[derive(Debug)]
enum Says {
    /// A bit for each of the types in the table.
    Types(u8),
    /// Values, each in its canonical form.
    Choices(Vec<Name>),
    MultipleOf(Name),
    Minimum(Name),
    Maximum(Name),
    Above(Name),
    Below(Name),
    Shortest(usize),
    Longest(usize),
    Pattern(Pattern),
    Format(Format),
    PrefixItems(Vec<Place>),
    /// Of the items from this one on.
    Items(usize, Place),
    Contains {
        schema: Place,
        least: usize,
        most: Option<usize>,
    },
    FewestItems(usize),
    MostItems(usize),
    Unique,
    Properties(Vec<(Name, Place)>),
    PatternProperties(Vec<(Pattern, Place)>),
    Additional {
        schema: Place,
        named: Vec<Name>,
        patterns: Vec<Pattern>,
    },
    Names(Place),
    Required(Vec<Name>),
    FewestMembers(usize),
    MostMembers(usize),
    DependentRequired(Vec<(Name, Vec<Name>)>),
    DependentSchemas(Vec<(Name, Place)>),
    All(Vec<Place>),
    Any(Vec<Place>),
    One(Vec<Place>),
    Not(Place),
    If {
        test: Place,
        then: Option<Place>,
        otherwise: Option<Place>,
    },
    Reference(Place),
}
