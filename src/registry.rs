//! The registry: what an install has registered, as a snapshot that the rules look things up in.

use crate::event::{Category, Field, Kind};
use crate::json::Json;
use crate::reading::{Event, Value};
use crate::rules::{BLOCKED_JUMPS, STATES};
use crate::{number, text};

/// A snapshot of the registry.
#[derive(Debug)]
pub struct Registry {
    /// Whether a snapshot was loaded; without one, only the store can judge the rules that need it.
    pub is_loaded: bool,
    /// Changes whenever an entry does.
    pub version: String,
    default_site: String,
    event_types: EventTypes,
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

const TYPES: [(&str, Type); 6] = [
    ("string", Type::String),
    ("number", Type::Number),
    ("integer", Type::Integer),
    ("boolean", Type::Boolean),
    ("object", Type::Object),
    ("array", Type::Array),
];

#[derive(Debug)]
struct Site {
    id: String,
    origins: Option<Vec<String>>,
}

impl Registry {
    /// What holds before any snapshot is loaded: the states and blocked jumps of the contract.
    pub const fn unloaded() -> Self {
        Registry {
            is_loaded: false,
            version: String::new(),
            default_site: String::new(),
            event_types: EventTypes { entries: Vec::new(), slots: Vec::new() },
            retention_rules: Vec::new(),
            states: Vec::new(),
            blocked_jumps: Vec::new(),
            sites: None,
        }
    }

    /// Reads a snapshot.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let snapshot = Json::read(json).ok_or("the registry snapshot is not JSON")?;
        let mut registry = Registry {
            is_loaded: true,
            version: text_in(&snapshot, "version")?,
            default_site: text_in(&snapshot, "default_site")?,
            retention_rules: texts_in(&snapshot, "rules")?,
            states: texts_in(&snapshot, "states")?,
            ..Registry::unloaded()
        };
        for entry in list_in(&snapshot, "event_types")? {
            registry.event_types.entries.push(EventType::read(entry)?);
        }
        registry.event_types.index();
        for jump in list_in(&snapshot, "blocked_jumps")? {
            registry.blocked_jumps.push(pair(jump).ok_or_else(|| missing("blocked_jumps"))?);
        }
        if *snapshot.get("sites") != Json::Null {
            let mut sites = Vec::new();
            for site in list_in(&snapshot, "sites")? {
                sites.push(Site::read(site).ok_or_else(|| missing("sites"))?);
            }
            registry.sites = Some(sites);
        }
        Ok(registry)
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
            || (!self.is_loaded && STATES.iter().any(|state| state.as_bytes() == id))
    }

    /// Whether the jump is blocked.
    pub fn blocks_jump(&self, from: &[u8], to: &[u8]) -> bool {
        self.blocked_jumps.iter().any(|jump| jump.0.as_bytes() == from && jump.1.as_bytes() == to)
            || (!self.is_loaded
                && BLOCKED_JUMPS.iter().any(|jump| jump.0.as_bytes() == from && jump.1.as_bytes() == to))
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

#[cold]
fn missing(name: &str) -> String {
    ["the registry snapshot has no `", name, "` of the form it should have"].concat()
}

#[inline(never)]
fn text_in(snapshot: &Json, name: &str) -> Result<String, String> {
    snapshot.get(name).text().map(String::from).ok_or_else(|| missing(name))
}

#[inline(never)]
fn list_in<'a>(snapshot: &'a Json, name: &str) -> Result<&'a [Json], String> {
    snapshot.get(name).list().ok_or_else(|| missing(name))
}

#[inline(never)]
fn texts_in(snapshot: &Json, name: &str) -> Result<Vec<String>, String> {
    snapshot.get(name).texts().ok_or_else(|| missing(name))
}

fn pair(jump: &Json) -> Option<(String, String)> {
    let [from, to] = jump.list()? else {
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
        let refused = || ["the payload schema of `", id, "` says something that no engine knows"].concat();
        let schema = entry.get("payload_schema");
        let required = match schema.get("required") {
            Json::Null => Vec::new(),
            required => required.texts().ok_or_else(refused)?,
        };
        let mut properties = Vec::new();
        for (key, says) in schema.get("properties").members() {
            properties.push(Property::read(key, says).ok_or_else(refused)?);
        }
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
            property.take(keyword, value)?;
        }
        Some(property)
    }

    #[inline(never)]
    fn take(&mut self, keyword: &str, value: &Json) -> Option<()> {
        match keyword {
            "type" => self.kind = Some(Type::named(value.text()?)?),
            "enum" => self.choices = value.list()?.to_vec(),
            "minimum" => self.minimum = Some(number_of(value)?.to_owned()),
            "maximum" => self.maximum = Some(number_of(value)?.to_owned()),
            "minLength" => self.shortest = Some(number_of(value)?.parse().ok()?),
            "maxLength" => self.longest = Some(number_of(value)?.parse().ok()?),
            // A note for people.
            "description" => {}
            _ => return None,
        }
        Some(())
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
        TYPES.iter().find(|(known, _)| *known == name).map(|&(_, kind)| kind)
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

/// The event types, found by id with one look; a general hash table would be twice as much of the module.
#[derive(Debug)]
struct EventTypes {
    entries: Vec<(Vec<u8>, EventType)>,
    /// At the place that an id hashes to or behind it, one more than the place of its entry.
    slots: Vec<u16>,
}

impl EventTypes {
    /// Finds a slot for every entry. At least half of the slots stay empty, which ends every search.
    fn index(&mut self) {
        self.slots = vec![0; (2 * self.entries.len() + 1).next_power_of_two()];
        for (place, (id, _)) in self.entries.iter().enumerate() {
            let mut at = self.first_slot(id);
            while self.slots.get(at).is_some_and(|&slot| slot != 0) {
                at = (at + 1) % self.slots.len();
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = place as u16 + 1;
            }
        }
    }

    #[inline]
    fn get(&self, id: &[u8]) -> Option<&EventType> {
        let mut at = self.first_slot(id);
        loop {
            let place = self.slots.get(at)?.checked_sub(1)?;
            let (known, entry) = self.entries.get(place as usize)?;
            if text::is_same(known, id) {
                return Some(entry);
            }
            at = (at + 1) % self.slots.len();
        }
    }

    /// The install itself has chosen the ids, so nobody can make them collide.
    #[inline]
    fn first_slot(&self, id: &[u8]) -> usize {
        let ends = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let hash = ends(id.first_chunk()).wrapping_mul(0x9e37_79b1) ^ ends(id.last_chunk()).wrapping_mul(0x85eb_ca6b);
        let middle = id.get(id.len() / 2).copied().unwrap_or_default();
        let hash = hash ^ u32::from(middle).wrapping_mul(0x27d4_eb2f) ^ (id.len() as u32) << 24;
        (hash ^ hash >> 15) as usize & self.slots.len().wrapping_sub(1)
    }
}
