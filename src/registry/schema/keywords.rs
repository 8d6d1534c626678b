//! The words of a schema: the one table of keywords, with the shape of what each says and what it means.

/// What the value of a keyword must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shape {
    Any,
    Text,
    Boolean,
    List,
    Choices,
    Number,
    Positive,
    Count,
    Types,
    Names,
    NamedNames,
    Pattern,
    Format,
    Reference,
    Dialect,
    Schema,
    Schemas,
    NamedSchemas,
    PatternedSchemas,
}

/// What a keyword asks of a value.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Meaning {
    Type,
    Choices,
    Constant,
    MultipleOf,
    /// This of the value is on this side of the number.
    Bound(Measure, Side),
    Pattern,
    Format,
    /// Each part satisfies the schema that is said for it.
    Parts,
    /// Each item after those for which another keyword says a schema satisfies this one.
    OtherItems,
    /// The same of members.
    OtherMembers,
    PatternProperties,
    Contains,
    Unique,
    Names,
    Required,
    /// With a member, there are other members too, or the whole satisfies a schema.
    Dependent,
    All,
    Any,
    One,
    Not,
    If,
    Reference,
    /// It is said to people, or with another keyword.
    Nothing,
}

/// What of a value has a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Measure {
    Number,
    Length,
    Items,
    Members,
}

/// Where from a bound a measure must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Side {
    Least,
    Most,
    Above,
    Below,
}

use crate::short;
use Meaning::Nothing;
use Measure::{Items, Length, Members};
use Shape::{
    Any, Boolean, Choices, Count, Dialect, Format, List, NamedNames, NamedSchemas, Names, Number, Pattern,
    PatternedSchemas, Positive, Reference, Schema, Schemas, Text, Types,
};
use Side::{Above, Below, Least, Most};

/// Every keyword that a schema may use.
pub const KEYWORDS: [(&str, Shape, Meaning); 48] = [
    ("type", Types, Meaning::Type),
    ("enum", Choices, Meaning::Choices),
    ("const", Any, Meaning::Constant),
    ("multipleOf", Positive, Meaning::MultipleOf),
    ("minimum", Number, Meaning::Bound(Measure::Number, Least)),
    ("maximum", Number, Meaning::Bound(Measure::Number, Most)),
    ("exclusiveMinimum", Number, Meaning::Bound(Measure::Number, Above)),
    ("exclusiveMaximum", Number, Meaning::Bound(Measure::Number, Below)),
    ("minLength", Count, Meaning::Bound(Length, Least)),
    ("maxLength", Count, Meaning::Bound(Length, Most)),
    ("pattern", Pattern, Meaning::Pattern),
    ("format", Format, Meaning::Format),
    ("items", Schema, Meaning::OtherItems),
    ("prefixItems", Schemas, Meaning::Parts),
    ("contains", Schema, Meaning::Contains),
    ("minContains", Count, Nothing),
    ("maxContains", Count, Nothing),
    ("minItems", Count, Meaning::Bound(Items, Least)),
    ("maxItems", Count, Meaning::Bound(Items, Most)),
    ("uniqueItems", Boolean, Meaning::Unique),
    ("properties", NamedSchemas, Meaning::Parts),
    ("patternProperties", PatternedSchemas, Meaning::PatternProperties),
    ("additionalProperties", Schema, Meaning::OtherMembers),
    ("propertyNames", Schema, Meaning::Names),
    ("required", Names, Meaning::Required),
    ("minProperties", Count, Meaning::Bound(Members, Least)),
    ("maxProperties", Count, Meaning::Bound(Members, Most)),
    ("dependentRequired", NamedNames, Meaning::Dependent),
    ("dependentSchemas", NamedSchemas, Meaning::Dependent),
    ("allOf", Schemas, Meaning::All),
    ("anyOf", Schemas, Meaning::Any),
    ("oneOf", Schemas, Meaning::One),
    ("not", Schema, Meaning::Not),
    ("if", Schema, Meaning::If),
    ("then", Schema, Nothing),
    ("else", Schema, Nothing),
    ("$defs", NamedSchemas, Nothing),
    ("$ref", Reference, Meaning::Reference),
    ("title", Text, Nothing),
    ("description", Text, Nothing),
    ("default", Any, Nothing),
    ("examples", List, Nothing),
    ("deprecated", Boolean, Nothing),
    ("readOnly", Boolean, Nothing),
    ("writeOnly", Boolean, Nothing),
    ("$comment", Text, Nothing),
    ("$schema", Dialect, Nothing),
    ("personal", Boolean, Nothing),
];

/// The types that a schema may name; an integer is a number without a fraction.
pub const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "integer", "string"];

/// The formats that a schema may ask for, each of which is judged.
pub const FORMATS: [&str; 8] = ["date", "date-time", "time", "uuid", "uri", "hostname", "ipv4", "ipv6"];

/// The place of a keyword in the table.
#[inline(never)]
pub fn keyword(name: &[u8]) -> Option<usize> {
    KEYWORDS.iter().position(|(known, ..)| short::is_same(known.as_bytes(), name))
}
