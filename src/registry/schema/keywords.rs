//! The words of a schema: the one table of keywords, of the shapes of what they say, of types and of formats.

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

use Shape::{
    Any, Boolean, Choices, Count, Dialect, Format, List, NamedNames, NamedSchemas, Names, Number, Pattern,
    PatternedSchemas, Positive, Reference, Schema, Schemas, Text, Types,
};

/// Every keyword that a schema may use, with the shape of what it says.
pub const KEYWORDS: [(&str, Shape); 48] = [
    ("type", Types),
    ("enum", Choices),
    ("const", Any),
    ("multipleOf", Positive),
    ("minimum", Number),
    ("maximum", Number),
    ("exclusiveMinimum", Number),
    ("exclusiveMaximum", Number),
    ("minLength", Count),
    ("maxLength", Count),
    ("pattern", Pattern),
    ("format", Format),
    ("items", Schema),
    ("prefixItems", Schemas),
    ("contains", Schema),
    ("minContains", Count),
    ("maxContains", Count),
    ("minItems", Count),
    ("maxItems", Count),
    ("uniqueItems", Boolean),
    ("properties", NamedSchemas),
    ("patternProperties", PatternedSchemas),
    ("additionalProperties", Schema),
    ("propertyNames", Schema),
    ("required", Names),
    ("minProperties", Count),
    ("maxProperties", Count),
    ("dependentRequired", NamedNames),
    ("dependentSchemas", NamedSchemas),
    ("allOf", Schemas),
    ("anyOf", Schemas),
    ("oneOf", Schemas),
    ("not", Schema),
    ("if", Schema),
    ("then", Schema),
    ("else", Schema),
    ("$defs", NamedSchemas),
    ("$ref", Reference),
    ("title", Text),
    ("description", Text),
    ("default", Any),
    ("examples", List),
    ("deprecated", Boolean),
    ("readOnly", Boolean),
    ("writeOnly", Boolean),
    ("$comment", Text),
    ("$schema", Dialect),
    ("personal", Boolean),
];

/// The keywords whose schemas look at the very value that the schema around them looks at.
pub const IN_PLACE: [&str; 8] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"];

/// The types that a schema may name; an integer is a number without a fraction.
pub const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "integer", "string"];

/// The formats that a schema may ask for, each of which is judged.
pub const FORMATS: [&str; 8] = ["date", "date-time", "time", "uuid", "uri", "hostname", "ipv4", "ipv6"];

/// The shape of what a keyword says.
pub fn shape(keyword: &[u8]) -> Option<Shape> {
    KEYWORDS.iter().find(|(known, _)| known.as_bytes() == keyword).map(|&(_, shape)| shape)
}
