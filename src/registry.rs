//! The registry: what an install has registered, as a snapshot that the rules look things up in.

use crate::event::{Category, Field, Kind};
use crate::reading::{Event, Value};
use crate::json::Json;
use crate::rules::{BLOCKED_JUMPS, STATES};
use crate::{number, text};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A snapshot of the registry.
#[derive(Debug, Default)]
pub struct Registry {
    /// Whether a snapshot was loaded; without one, only the store can judge the rules that need it.
    pub is_loaded: bool,
    /// Changes whenever an entry does.
    pub version: String,
    default_site: String,
    event_types: HashMap<Vec<u8>, EventType, BuildHasherDefault<ShortKeys>>,
    retention_rules: Vec<String>,
    states: Vec<String>,
    blocked_jumps: Vec<(String, String)>,
    /// `None` where the snapshot keeps them to itself, as the public one does: then only the store can judge.
    sites: Option<Vec<Site>>,
}

/// An active entry of the event registry.
#[derive(Debug)]
pub struct EventType {
    /// The category it is filed under.
    pub category: Option<Category>,
    schema: Vec<Property>,
}

/// What a payload schema says of one key.
#[derive(Debug, Default)]
struct Property {
    key: Vec<u8>,
    field: Option<Field>,
    required: bool,
    kind: Option<Type>,
    choices: Vec<Json>,
    minimum: Option<String>,
    maximum: Option<String>,
    shortest: Option<usize>,
    longest: Option<usize>,
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

#[derive(Debug)]
struct Site {
    id: String,
    origins: Option<Vec<String>>,
}

impl Registry {
    /// What holds before any snapshot is loaded: the states and blocked jumps of the contract.
    pub fn unloaded() -> Self {
        Registry {
            states: STATES.map(String::from).to_vec(),
            blocked_jumps: BLOCKED_JUMPS.map(|(from, to)| (from.into(), to.into())).to_vec(),
            ..Registry::default()
        }
    }

    /// Reads a snapshot.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let snapshot = Json::read(json).ok_or("the registry snapshot is not JSON")?;
        let part = |name: &'static str| (snapshot.get(name), missing(name));
        let ((version, no_version), (site, no_site)) = (part("version"), part("default_site"));
        let ((types, no_types), (rules, no_rules)) = (part("event_types"), part("rules"));
        let ((states, no_states), (jumps, no_jumps)) = (part("states"), part("blocked_jumps"));
        Ok(Registry {
            is_loaded: true,
            version: version.text().ok_or(no_version)?.into(),
            default_site: site.text().ok_or(no_site)?.into(),
            event_types: types.list().ok_or(no_types)?.iter().map(EventType::read).collect::<Result<_, _>>()?,
            retention_rules: rules.texts().ok_or(no_rules)?,
            states: states.texts().ok_or(no_states)?,
            blocked_jumps: jumps.list().and_then(|jumps| jumps.iter().map(jump).collect()).ok_or(no_jumps)?,
            sites: match snapshot.get("sites") {
                Json::Null => None,
                sites => Some(
                    sites.list().and_then(|sites| sites.iter().map(Site::read).collect()).ok_or(missing("sites"))?,
                ),
            },
        })
    }

    /// The site of an event that names none.
    pub fn default_site(&self) -> &str {
        &self.default_site
    }

    /// The active entry of that id.
    #[inline]
    pub fn event_type(&self, id: &[u8]) -> Option<&EventType> {
        self.event_types.get(id)
    }

    /// Whether it is an active retention rule.
    pub fn has_retention_rule(&self, id: &[u8]) -> bool {
        self.retention_rules.iter().any(|rule| rule.as_bytes() == id)
    }

    /// Whether it is a registered state.
    pub fn has_state(&self, id: &[u8]) -> bool {
        self.states.iter().any(|state| state.as_bytes() == id)
    }

    /// Whether the jump is blocked.
    pub fn blocks_jump(&self, from: &[u8], to: &[u8]) -> bool {
        self.blocked_jumps.iter().any(|jump| jump.0.as_bytes() == from && jump.1.as_bytes() == to)
    }

    /// Whether the site exists and takes events from the origin; `None` asks for the default site.
    #[inline]
    pub fn site_accepts(&self, site: Option<&[u8]>, origin: Option<&str>) -> bool {
        let site = site.unwrap_or(self.default_site.as_bytes());
        let Some(sites) = &self.sites else {
            return true;
        };
        let Some(site) = sites.iter().find(|known| known.id.as_bytes().eq_ignore_ascii_case(site)) else {
            return false;
        };
        match (origin, &site.origins) {
            (None, _) | (_, None) => true,
            (Some(origin), Some(origins)) => origins.iter().any(|listed| listed == origin),
        }
    }
}

fn missing(name: &str) -> String {
    format!("the registry snapshot has no `{name}` of the form it should have")
}

fn jump(pair: &Json) -> Option<(String, String)> {
    let [from, to] = pair.list()? else {
        return None;
    };
    Some((from.text()?.into(), to.text()?.into()))
}

impl Site {
    fn read(site: &Json) -> Option<Site> {
        let origins = match site.get("origins") {
            Json::Null => None,
            origins => Some(origins.texts()?),
        };
        Some(Site { id: site.get("id").text()?.into(), origins })
    }
}

impl EventType {
    /// An entry of a snapshot with its id.
    fn read(entry: &Json) -> Result<(Vec<u8>, EventType), String> {
        let id = entry.get("id").text().ok_or_else(|| missing("event_types"))?;
        let category = entry.get("category").text().ok_or_else(|| missing("event_types"))?;
        let refused = || format!("the payload schema of `{id}` says something that no engine knows");
        let schema = entry.get("payload_schema");
        let required = match schema.get("required") {
            Json::Null => Vec::new(),
            required => required.texts().ok_or_else(refused)?,
        };
        let mut properties: Vec<Property> = schema
            .get("properties")
            .members()
            .iter()
            .map(|(key, says)| Property::read(key, says))
            .collect::<Option<_>>()
            .ok_or_else(refused)?;
        for key in required {
            match properties.iter_mut().find(|property| property.key == key.as_bytes()) {
                Some(property) => property.required = true,
                None => properties.push(Property { required: true, ..Property::named(&key) }),
            }
        }
        Ok((id.as_bytes().to_vec(), EventType { category: Category::named(category.as_bytes()), schema: properties }))
    }

    /// Whether the metadata of the event satisfies the payload schema.
    #[inline]
    pub fn admits(&self, text: &[u8], event: &Event) -> bool {
        self.schema.iter().all(|property| {
            let value = match property.field {
                Some(field) => event.value(field),
                None => event
                    .members
                    .iter()
                    .find(|member| text::equals(text, member.key, &property.key))
                    .map_or_else(Value::default, |member| member.value),
            };
            property.admits(text, value)
        })
    }
}

impl Property {
    fn named(key: &str) -> Property {
        Property { key: key.as_bytes().to_vec(), field: Field::of_metadata(key.as_bytes()), ..Property::default() }
    }

    /// `None` where a keyword is unknown or its value is not of the form it should have.
    fn read(key: &str, says: &Json) -> Option<Property> {
        let mut property = Property::named(key);
        for (keyword, value) in says.members() {
            match keyword.as_str() {
                "type" => property.kind = Some(Type::named(value.text()?)?),
                "enum" => property.choices = value.list()?.to_vec(),
                "minimum" => property.minimum = Some(number_of(value)?.to_owned()),
                "maximum" => property.maximum = Some(number_of(value)?.to_owned()),
                "minLength" => property.shortest = Some(number_of(value)?.parse().ok()?),
                "maxLength" => property.longest = Some(number_of(value)?.parse().ok()?),
                // A note for people.
                "description" => {}
                _ => return None,
            }
        }
        Some(property)
    }

    #[inline]
    fn admits(&self, text: &[u8], value: Value) -> bool {
        match value.kind {
            Kind::Absent | Kind::Null => return !self.required,
            Kind::Text if self.required && text::is_blank(text, value) => return false,
            _ => {}
        }
        self.kind.is_none_or(|kind| kind.admits(text, value))
            && (self.choices.is_empty() || self.choices.iter().any(|choice| is_choice(choice, text, value)))
            && match value.kind {
                Kind::Number => {
                    let raw = value.raw(text);
                    self.minimum.as_ref().is_none_or(|bound| number::compare(raw, bound.as_bytes()).is_ge())
                        && self.maximum.as_ref().is_none_or(|bound| number::compare(raw, bound.as_bytes()).is_le())
                }
                Kind::Text if self.shortest.is_some() || self.longest.is_some() => {
                    let length = text::length(text, value);
                    self.shortest.is_none_or(|bound| length >= bound)
                        && self.longest.is_none_or(|bound| length <= bound)
                }
                _ => true,
            }
    }
}

impl Type {
    fn named(name: &str) -> Option<Type> {
        Some(match name {
            "string" => Type::String,
            "number" => Type::Number,
            "integer" => Type::Integer,
            "boolean" => Type::Boolean,
            "object" => Type::Object,
            "array" => Type::Array,
            _ => return None,
        })
    }

    fn admits(self, text: &[u8], value: Value) -> bool {
        match self {
            Type::String => value.kind == Kind::Text,
            Type::Number => value.kind == Kind::Number,
            Type::Integer => value.kind == Kind::Number && number::is_integer(value.raw(text)),
            Type::Boolean => matches!(value.kind, Kind::False | Kind::True),
            Type::Object => value.kind == Kind::Object,
            Type::Array => value.kind == Kind::Array,
        }
    }
}

fn number_of(value: &Json) -> Option<&str> {
    if let Json::Number(raw) = value { Some(raw) } else { None }
}

fn is_choice(choice: &Json, text: &[u8], value: Value) -> bool {
    match choice {
        Json::Boolean(choice) => value.kind == if *choice { Kind::True } else { Kind::False },
        Json::Number(choice) => {
            value.kind == Kind::Number && number::compare(value.raw(text), choice.as_bytes()).is_eq()
        }
        Json::Text(choice) => value.kind == Kind::Text && text::equals(text, value, choice.as_bytes()),
        Json::Null | Json::List(_) | Json::Object(_) => false,
    }
}

/// A hash for short keys that the install itself has chosen, so nobody can make them collide.
#[derive(Default)]
struct ShortKeys(u64);

impl Hasher for ShortKeys {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0 ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}
