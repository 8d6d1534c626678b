//! What the registry says about the payload of an event type.

use super::schema::Schema;
use super::schema::keywords::{KEYWORDS, Meaning, keyword};
use super::{missing, unjudged};
use crate::contract::field_names::KEYS;
use crate::contract::limits::{MOST_DEPTH, OWN_TEXT};
use crate::contract::vocabulary::{Category, Field, Kind, OWN_KEYS};
use crate::parse::json::Step;
use crate::parse::part::Part;
use crate::parse::tape::{Tape, bare};
use crate::parse::{Event, Value, number, string};

/// An active entry of the event registry.
#[derive(Debug)]
pub struct EventType {
    /// The category it is filed under.
    pub category: Option<Category>,
    properties: Vec<Property>,
    /// Whether metadata may hold nothing but the properties and [`OWN_KEYS`].
    is_closed: bool,
    /// Whether the properties say all that the schema does, as they do of nearly every event type: they are judged
    /// without a tree.
    is_plain: bool,
    /// The whole schema, if there is one that can be judged by.
    schema: Option<Schema>,
}

/// What a payload schema says about one key.
#[derive(Debug, Default)]
struct Property {
    key: Box<[u8]>,
    field: Option<Field>,
    required: bool,
    kind: Option<Type>,
    choices: Vec<Choice>,
    minimum: Option<Box<[u8]>>,
    maximum: Option<Box<[u8]>>,
    shortest: Option<usize>,
    longest: Option<usize>,
    /// Whether it is one of [`OWN_KEYS`], and the schema does not describe it.
    is_own: bool,
    /// Whether the install says that the key is not personal, whatever its words are.
    is_exempt: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    String,
    Number,
    Integer,
    Boolean,
    Object,
    Array,
}

const TYPES: [(&str, Type); 6] = [
    ("string", Type::String),
    ("number", Type::Number),
    ("integer", Type::Integer),
    ("boolean", Type::Boolean),
    ("object", Type::Object),
    ("array", Type::Array),
];

impl EventType {
    /// An entry of a snapshot with its id. Of what its payload schema should not say, nothing is asked, and a fault is
    /// noted.
    pub(crate) fn read(entry: Part, faults: &mut Vec<String>) -> Result<(Box<[u8]>, EventType), String> {
        let id = entry.get("id").text().ok_or_else(|| missing("event_types"))?;
        let category = entry.get("category").text().ok_or_else(|| missing("event_types"))?;
        let says = entry.get("payload_schema");
        let is_closed = says.get("additionalProperties").kind() == Kind::False;
        let (mut properties, is_plain) = Property::all(says, is_closed);
        let schema = if says.is_nothing() { Err(Vec::new()) } else { Schema::read(says) };
        if !is_plain {
            for property in &mut properties {
                property.forget();
            }
            if let Err(place) = &schema {
                let parts: [&[u8]; 4] = [b"the payload schema of `", id, b"` cannot be judged by: mend ", place];
                faults.push(unjudged(&parts));
            }
        }
        let category = Category::named(category);
        let is_closed = is_closed && says.get("patternProperties").is_nothing();
        Ok((id.into(), EventType { category, properties, is_closed, is_plain, schema: schema.ok() }))
    }

    /// Whether the payload schema says of any key that it is not personal.
    pub fn exempts_any(&self) -> bool {
        self.properties.iter().any(|property| property.is_exempt)
    }

    /// Whether the payload schema says that this key of metadata is not personal.
    #[cold]
    pub fn exempts(&self, key: &[u8]) -> bool {
        self.properties.iter().any(|property| property.is_exempt && *property.key == *key)
    }

    /// Whether the metadata of the event satisfies the payload schema.
    #[inline]
    pub fn admits(&self, text: &[u8], event: &Event) -> bool {
        self.properties.iter().all(|property| property.holds(text, event))
            && match self.is_plain {
                true => !(self.is_closed && self.has_other(text, event)),
                false => {
                    self.schema.as_ref().is_none_or(|schema| schema.fault(self.seen(text, event).root()).is_none())
                }
            }
    }

    /// Whether metadata holds a key that the schema does not name.
    #[inline(never)]
    fn has_other(&self, text: &[u8], event: &Event) -> bool {
        let is_named = |field| self.properties.iter().any(|property| property.field == Some(field));
        KEYS.iter()
            .any(|&(field, _)| field.in_metadata() && event.value(field).kind() != Kind::Absent && !is_named(field))
            || event
                .members()
                .iter()
                .any(|member| !self.properties.iter().any(|property| string::equals(text, member.key, &property.key)))
    }

    /// Metadata as the schema sees it: without what is null, unless that is a key which a closed schema does not know, and
    /// without those of [`OWN_KEYS`] that it does not describe.
    #[cold]
    #[inline(never)]
    pub fn seen(&self, text: &[u8], event: &Event) -> Tape {
        let mut tape = Tape::EMPTY;
        let metadata = event.value(Field::Metadata);
        tape.begin(text, metadata.start(), metadata.end());
        let is_object = metadata.kind() == Kind::Object;
        let metadata = if is_object { tape.here(metadata) } else { bare(Kind::Object) };
        tape.members(metadata);
        let describes = |key: &[u8]| self.properties.iter().any(|property| *property.key == *key && !property.is_own);
        tape.forget(&|key, kind| {
            !describes(key) && OWN_KEYS.iter().any(|own| own.as_bytes() == key)
                || kind == Kind::Null && (describes(key) || !self.is_closed)
        });
        tape.object(Value::ABSENT, metadata, 0, MOST_DEPTH);
        tape
    }

    /// The way within metadata, which is `seen`, to the first part that the payload schema refuses: a required key that is
    /// missing comes first, in the order in which Postgres keeps keys.
    #[cold]
    #[inline(never)]
    pub fn fault<'a>(&'a self, text: &[u8], event: &Event, seen: Part<'a>) -> Option<Vec<Step<'a>>> {
        let is_wrong = |property: &&Property| {
            let value = property.value(text, event);
            property.is_missing(text, value) || property.is_own && !property.admits(text, value)
        };
        let wrong = self.properties.iter().filter(is_wrong).map(|property| &*property.key);
        match wrong.min_by_key(|key| (key.len(), *key)) {
            Some(key) => Some(vec![Step::Key(key)]),
            None => self.schema.as_ref()?.fault(seen),
        }
    }
}

impl Property {
    /// What a payload schema says of each key, and whether it says nothing else of any.
    fn all(schema: Part, is_closed: bool) -> (Vec<Property>, bool) {
        let mut is_plain = schema.members().all(|says| match says.key() {
            b"properties" | b"required" => true,
            b"additionalProperties" => is_boolean(says),
            b"type" => says.text() == Some(b"object"),
            name => is_silent(name),
        });
        let mut properties = Vec::new();
        for says in schema.get("properties").members() {
            let mut property = Property::named(says.key());
            is_plain &= says.kind() == Kind::Object;
            for value in says.members() {
                is_plain &= property.take(value.key(), value).is_some();
            }
            properties.push(property);
        }
        for key in OWN_KEYS.iter().filter(|_| is_closed) {
            if properties.iter().all(|property| *property.key != *key.as_bytes()) {
                properties.push(Property::own(key));
            }
        }
        let required = schema.get("required");
        let names = required.texts();
        is_plain &= names.is_some() || required.is_nothing();
        for key in names.unwrap_or_default() {
            match properties.iter_mut().find(|property| property.key == key) {
                Some(property) => property.required = true,
                None => properties.push(Property { required: true, ..Property::named(&key) }),
            }
        }
        (properties, is_plain)
    }

    fn named(key: &[u8]) -> Property {
        Property { key: key.into(), field: Field::of_metadata(key), ..Property::default() }
    }

    /// A key that is no part of what happened, so that no schema needs to name it.
    fn own(key: &str) -> Property {
        Property { kind: Some(Type::String), longest: Some(OWN_TEXT), is_own: true, ..Property::named(key.as_bytes()) }
    }

    /// Leaves to the whole schema what it says of the value; only the schema's own keys are no part of what that sees.
    fn forget(&mut self) {
        if !self.is_own {
            let Property { required, is_exempt, .. } = *self;
            *self = Property { required, is_exempt, ..Property::named(&self.key) };
        }
    }

    /// `None` if only the whole schema can be judged by what is said here.
    #[inline(never)]
    fn take(&mut self, keyword: &[u8], value: Part) -> Option<()> {
        match keyword {
            b"type" => self.kind = Some(Type::named(value.text()?)?),
            b"enum" => {
                self.choices = value.list()?.map(Choice::read).collect::<Option<_>>()?;
                // Only the whole schema can say that nothing is allowed.
                self.choices.first()?;
            }
            b"minimum" => self.minimum = Some(value.number()?.into()),
            b"maximum" => self.maximum = Some(value.number()?.into()),
            b"minLength" => self.shortest = Some(length_of(value)?),
            b"maxLength" => self.longest = Some(length_of(value)?),
            b"personal" => {
                is_boolean(value).then_some(())?;
                self.is_exempt = value.kind() == Kind::False;
            }
            keyword if is_silent(keyword) => {}
            _ => return None,
        }
        Some(())
    }

    #[inline]
    fn holds(&self, text: &[u8], event: &Event) -> bool {
        self.admits(text, self.value(text, event))
    }

    #[inline]
    fn value(&self, text: &[u8], event: &Event) -> Value {
        match self.field {
            Some(field) => event.value(field),
            None => event
                .members()
                .iter()
                .find(|member| string::equals(text, member.key, &self.key))
                .map_or_else(Value::default, |member| member.value),
        }
    }

    /// Whether it is required and says nothing.
    #[inline]
    fn is_missing(&self, text: &[u8], value: Value) -> bool {
        self.required
            && match value.kind() {
                Kind::Absent | Kind::Null => true,
                Kind::Text => string::is_blank(text, value),
                _ => false,
            }
    }

    #[inline]
    fn admits(&self, text: &[u8], value: Value) -> bool {
        if matches!(value.kind(), Kind::Absent | Kind::Null) || self.is_missing(text, value) {
            return !self.required;
        }
        self.kind.is_none_or(|kind| kind.admits(text, value))
            && (self.choices.is_empty() || self.choices.iter().any(|choice| choice.is(text, value)))
            && match value.kind() {
                Kind::Number => {
                    let raw = value.raw(text);
                    self.minimum.as_ref().is_none_or(|bound| number::compare(raw, bound).is_ge())
                        && self.maximum.as_ref().is_none_or(|bound| number::compare(raw, bound).is_le())
                }
                Kind::Text if self.shortest.is_some() || self.longest.is_some() => {
                    let length = string::length(text, value);
                    self.shortest.is_none_or(|bound| length >= bound)
                        && self.longest.is_none_or(|bound| length <= bound)
                }
                _ => true,
            }
    }
}

impl Type {
    fn named(name: &[u8]) -> Option<Type> {
        TYPES.iter().find(|(known, _)| known.as_bytes() == name).map(|&(_, kind)| kind)
    }

    fn admits(self, text: &[u8], value: Value) -> bool {
        match self {
            Type::String => value.kind() == Kind::Text,
            Type::Number => value.kind() == Kind::Number,
            Type::Integer => value.kind() == Kind::Number && number::is_integer(value.raw(text)),
            Type::Boolean => matches!(value.kind(), Kind::False | Kind::True),
            Type::Object => value.kind() == Kind::Object,
            Type::Array => value.kind() == Kind::Array,
        }
    }
}

/// Whether a keyword is said to people, or means nothing without another that is not plain.
#[cold]
fn is_silent(name: &[u8]) -> bool {
    keyword(name).is_some_and(|place| matches!(KEYWORDS.get(place), Some((.., Meaning::Nothing))))
}

fn is_boolean(value: Part) -> bool {
    matches!(value.kind(), Kind::False | Kind::True)
}

/// A bound on a length: a whole number of a few digits.
fn length_of(value: Part) -> Option<usize> {
    number::small(value.number()?).map(|length| length as usize)
}

/// A value that a payload schema allows.
#[derive(Debug)]
enum Choice {
    Boolean(bool),
    Number(Box<[u8]>),
    Text(Box<[u8]>),
    /// Null, which is never compared: a key that is null counts as absent.
    Null,
}

impl Choice {
    fn read(value: Part) -> Option<Choice> {
        Some(match value.kind() {
            Kind::False | Kind::True => Choice::Boolean(value.kind() == Kind::True),
            Kind::Number => Choice::Number(value.content().into()),
            Kind::Text => Choice::Text(value.content().into()),
            Kind::Null => Choice::Null,
            Kind::Array | Kind::Object | Kind::Absent => return None,
        })
    }

    fn is(&self, text: &[u8], value: Value) -> bool {
        match self {
            Choice::Boolean(choice) => value.kind() == if *choice { Kind::True } else { Kind::False },
            Choice::Number(choice) => value.kind() == Kind::Number && number::compare(value.raw(text), choice).is_eq(),
            Choice::Text(choice) => value.kind() == Kind::Text && string::equals(text, value, choice),
            Choice::Null => false,
        }
    }
}
