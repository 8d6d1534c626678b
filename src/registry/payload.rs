//! What the registry says about the payload of an event type.

use super::{missing, unjudged};
use crate::contract::field_names::KEYS;
use crate::contract::limits::OWN_TEXT;
use crate::contract::vocabulary::{Category, Field, Kind, OWN_KEYS};
use crate::parse::json::Json;
use crate::parse::{Event, Value, number, string};

/// An active entry of the event registry.
#[derive(Debug)]
pub struct EventType {
    /// The category it is filed under.
    pub category: Option<Category>,
    schema: Vec<Property>,
    /// Whether metadata may hold nothing but what the schema names and [`OWN_KEYS`].
    is_closed: bool,
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
    pub(crate) fn read(entry: &Json, faults: &mut Vec<String>) -> Result<(Box<[u8]>, EventType), String> {
        let id = entry.get("id").text().ok_or_else(|| missing("event_types"))?;
        let category = entry.get("category").text().ok_or_else(|| missing("event_types"))?;
        let (mut schema, mut is_fit) = Property::all(entry.get("payload_schema"));
        let is_closed = match entry.get("payload_schema").get("additionalProperties") {
            Json::Boolean(is_open) => !is_open,
            says => {
                is_fit &= *says == Json::Null;
                false
            }
        };
        for key in OWN_KEYS.iter().filter(|_| is_closed) {
            if schema.iter().all(|property| *property.key != *key.as_bytes()) {
                schema.push(Property::own(key));
            }
        }
        if !is_fit {
            faults.push(unjudged(&[b"the payload schema of `", id, b"` cannot be judged by: mend its row"]));
        }
        Ok((id.into(), EventType { category: Category::named(category), schema, is_closed }))
    }

    /// Whether the payload schema says of any key that it is not personal.
    pub fn exempts_any(&self) -> bool {
        self.schema.iter().any(|property| property.is_exempt)
    }

    /// Whether the payload schema says that this key of metadata is not personal.
    #[cold]
    pub fn exempts(&self, key: &[u8]) -> bool {
        self.schema.iter().any(|property| property.is_exempt && *property.key == *key)
    }

    /// Whether the metadata of the event satisfies the payload schema.
    #[inline]
    pub fn admits(&self, text: &[u8], event: &Event) -> bool {
        self.schema.iter().all(|property| property.holds(text, event))
            && !(self.is_closed && self.has_other(text, event))
    }

    /// Whether metadata holds a key that the schema does not name.
    #[inline(never)]
    fn has_other(&self, text: &[u8], event: &Event) -> bool {
        let is_named = |field| self.schema.iter().any(|property| property.field == Some(field));
        KEYS.iter()
            .any(|&(field, _)| field.in_metadata() && event.value(field).kind() != Kind::Absent && !is_named(field))
            || event
                .members()
                .iter()
                .any(|member| !self.schema.iter().any(|property| string::equals(text, member.key, &property.key)))
    }

    /// The first key that does not satisfy the payload schema, in the order in which Postgres keeps keys, and `metadata`
    /// does.
    #[cold]
    pub fn refuses<'a>(&'a self, text: &[u8], event: &Event, metadata: &'a Json) -> Option<&'a [u8]> {
        let wrong = self.schema.iter().filter(|property| !property.holds(text, event)).map(|property| &*property.key);
        let mut other = metadata
            .members()
            .iter()
            .map(|(key, _)| &**key)
            .filter(|key| self.is_closed && self.schema.iter().all(|property| *property.key != **key));
        wrong.chain(other.next()).min_by_key(|key| (key.len(), *key))
    }
}

impl Property {
    /// What a payload schema says of each key, and whether it says nothing else of any.
    fn all(schema: &Json) -> (Vec<Property>, bool) {
        let mut is_fit = true;
        let mut properties = Vec::new();
        for (key, says) in schema.get("properties").members() {
            let mut property = Property::named(key);
            for (keyword, value) in says.members() {
                is_fit &= property.take(keyword, value).is_some();
            }
            properties.push(property);
        }
        let required = schema.get("required");
        let names = required.texts();
        is_fit &= names.is_some() || *required == Json::Null;
        for key in names.unwrap_or_default() {
            match properties.iter_mut().find(|property| property.key == key) {
                Some(property) => property.required = true,
                None => properties.push(Property { required: true, ..Property::named(&key) }),
            }
        }
        (properties, is_fit)
    }

    fn named(key: &[u8]) -> Property {
        Property { key: key.into(), field: Field::of_metadata(key), ..Property::default() }
    }

    /// A key that is no part of what happened, so that no schema needs to name it.
    fn own(key: &str) -> Property {
        Property { kind: Some(Type::String), longest: Some(OWN_TEXT), ..Property::named(key.as_bytes()) }
    }

    /// `None` if the keyword is unknown or its value has the wrong form.
    #[inline(never)]
    fn take(&mut self, keyword: &[u8], value: &Json) -> Option<()> {
        match keyword {
            b"type" => self.kind = Some(Type::named(value.text()?)?),
            b"enum" => self.choices = value.list()?.iter().map(Choice::read).collect::<Option<_>>()?,
            b"minimum" => self.minimum = Some(number_of(value)?.into()),
            b"maximum" => self.maximum = Some(number_of(value)?.into()),
            b"minLength" => self.shortest = Some(length_of(value)?),
            b"maxLength" => self.longest = Some(length_of(value)?),
            b"personal" => {
                let Json::Boolean(is_personal) = value else { return None };
                self.is_exempt = !is_personal;
            }
            // A note for people.
            b"description" => {}
            _ => return None,
        }
        Some(())
    }

    #[inline]
    fn holds(&self, text: &[u8], event: &Event) -> bool {
        let value = match self.field {
            Some(field) => event.value(field),
            None => event
                .members()
                .iter()
                .find(|member| string::equals(text, member.key, &self.key))
                .map_or_else(Value::default, |member| member.value),
        };
        self.admits(text, value)
    }

    #[inline]
    fn admits(&self, text: &[u8], value: Value) -> bool {
        match value.kind() {
            Kind::Absent | Kind::Null => return !self.required,
            Kind::Text if self.required && string::is_blank(text, value) => return false,
            _ => {}
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

fn number_of<'a>(value: &'a Json) -> Option<&'a [u8]> {
    value.number()
}

/// A bound on a length: a whole number of a few digits.
fn length_of(value: &Json) -> Option<usize> {
    number::small(number_of(value)?).map(|length| length as usize)
}

/// A value that a payload schema allows.
#[derive(Debug)]
enum Choice {
    Boolean(bool),
    Number(Box<[u8]>),
    Text(Box<[u8]>),
    /// Any other value, which is never compared.
    Other,
}

impl Choice {
    fn read(value: &Json) -> Option<Choice> {
        Some(match value {
            Json::Boolean(choice) => Choice::Boolean(*choice),
            Json::Number(choice) => Choice::Number((**choice).into()),
            Json::Text(choice) => Choice::Text(choice.as_ref().into()),
            Json::Null | Json::List(_) | Json::Object(_) | Json::Deep => Choice::Other,
        })
    }

    fn is(&self, text: &[u8], value: Value) -> bool {
        match self {
            Choice::Boolean(choice) => value.kind() == if *choice { Kind::True } else { Kind::False },
            Choice::Number(choice) => value.kind() == Kind::Number && number::compare(value.raw(text), choice).is_eq(),
            Choice::Text(choice) => value.kind() == Kind::Text && string::equals(text, value, choice),
            Choice::Other => false,
        }
    }
}
