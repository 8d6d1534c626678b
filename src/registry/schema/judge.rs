//! What a schema says of a value. A value of a type that a keyword does not speak of satisfies the keyword.

use super::keywords::TYPES;
use super::{Part, Place, Says, Schema};
use crate::contract::limits::{OWN_TEXT, SCHEMA_NESTED};
use crate::contract::vocabulary::OWN_KEYS;
use crate::parse::json::{Json, Step};
use crate::parse::{number, space};
use crate::registry::Name;
use crate::write::{self, put};

/// A value that is being judged, with the way to it.
struct Judged<'a> {
    schema: &'a Schema,
    way: Vec<Step<'a>>,
}

impl Schema {
    /// The way to the first part of a value that the schema refuses; `None` if it refuses none.
    pub fn fault<'a>(&'a self, value: &'a Json<'a>) -> Option<Vec<Step<'a>>> {
        let mut judged = Judged { schema: self, way: Vec::new() };
        (!judged.holds(0, value, 0)).then_some(judged.way)
    }
}

impl<'a> Judged<'a> {
    /// Whether a value satisfies a schema that so many others led to; if not, the way leads to what does not.
    fn holds(&mut self, place: Place, value: &'a Json<'a>, above: usize) -> bool {
        match self.schema.parts.get(place) {
            Some(Part::Boolean(answer)) => *answer,
            Some(Part::Says(says)) if above <= SCHEMA_NESTED => {
                let is_payload = self.schema.is_payload && above == 0;
                says.iter().all(|says| self.agrees(says, value, above + 1, is_payload))
            }
            _ => false,
        }
    }

    /// The same, with the way as it was.
    fn would_hold(&mut self, place: Place, value: &'a Json<'a>, above: usize) -> bool {
        let length = self.way.len();
        let holds = self.holds(place, value, above);
        self.way.truncate(length);
        holds
    }

    /// The same of a part of the value.
    fn part_holds(&mut self, step: Step<'a>, place: Place, part: &'a Json<'a>, above: usize) -> bool {
        self.way.push(step);
        let holds = self.holds(place, part, above);
        if holds {
            self.way.pop();
        }
        holds
    }

    fn lacks(&mut self, name: &'a [u8]) -> bool {
        self.way.push(Step::Key(name));
        false
    }

    fn agrees(&mut self, says: &'a Says, value: &'a Json<'a>, above: usize, is_payload: bool) -> bool {
        match (says, value) {
            (Says::Types(types), _) => types & types_of(value) != 0,
            (Says::Choices(choices), _) => {
                let value = canonical(value);
                choices.contains(&value)
            }
            (Says::MultipleOf(of), Json::Number(raw)) => number::is_multiple(raw, of),
            (Says::Minimum(least), Json::Number(raw)) => number::compare(raw, least).is_ge(),
            (Says::Maximum(most), Json::Number(raw)) => number::compare(raw, most).is_le(),
            (Says::Above(bound), Json::Number(raw)) => number::compare(raw, bound).is_gt(),
            (Says::Below(bound), Json::Number(raw)) => number::compare(raw, bound).is_lt(),
            (Says::Shortest(least), Json::Text(text)) => length(text) >= *least,
            (Says::Longest(most), Json::Text(text)) => length(text) <= *most,
            (Says::Pattern(pattern), Json::Text(text)) => pattern.matches(text),
            (Says::Format(format), Json::Text(text)) => format.has(text),
            (Says::PrefixItems(places), Json::List(items)) => items
                .iter()
                .zip(places)
                .enumerate()
                .all(|(index, (item, place))| self.part_holds(Step::Item(index), *place, item, above)),
            (Says::Items(first, place), Json::List(items)) => items
                .iter()
                .enumerate()
                .skip(*first)
                .all(|(index, item)| self.part_holds(Step::Item(index), *place, item, above)),
            (Says::Contains { schema, least, most }, Json::List(items)) => {
                let matched = items.iter().filter(|item| self.would_hold(*schema, item, above)).count();
                matched >= *least && most.is_none_or(|most| matched <= most)
            }
            (Says::FewestItems(least), Json::List(items)) => items.len() >= *least,
            (Says::MostItems(most), Json::List(items)) => items.len() <= *most,
            (Says::Unique, Json::List(items)) => are_unique(items),
            (Says::FewestMembers(least), Json::Object(members)) => members.len() >= *least,
            (Says::MostMembers(most), Json::Object(members)) => members.len() <= *most,
            (Says::Required(names), Json::Object(_)) => {
                let missing = names.iter().find(|name| match member(value, name) {
                    None => true,
                    Some(value) => is_payload && is_empty(value),
                });
                missing.is_none_or(|name| self.lacks(name))
            }
            (Says::DependentRequired(dependents), Json::Object(_)) => dependents
                .iter()
                .filter(|(key, _)| member(value, key).is_some())
                .flat_map(|(_, names)| names)
                .find(|name| member(value, name).is_none())
                .is_none_or(|name| self.lacks(name)),
            (Says::Names(place), Json::Object(members)) => {
                for (key, _) in members {
                    if !self.name_holds(*place, key, above) {
                        return self.lacks(key);
                    }
                }
                true
            }
            (Says::Properties(properties), Json::Object(members)) => members.iter().all(|(key, value)| {
                let Ok(index) = properties.binary_search_by_key(&(key.len(), &**key), |(name, _)| (name.len(), name))
                else {
                    return true;
                };
                let place = properties.get(index).map_or(Place::MAX, |(_, place)| *place);
                is_payload && *value == Json::Null || self.part_holds(Step::Key(key), place, value, above)
            }),
            (Says::PatternProperties(bound), Json::Object(members)) => members.iter().all(|(key, value)| {
                bound
                    .iter()
                    .filter(|(pattern, _)| pattern.matches(key))
                    .all(|(_, place)| self.part_holds(Step::Key(key), *place, value, above))
            }),
            (Says::Additional { schema, named, patterns }, Json::Object(members)) => members
                .iter()
                .filter(|(key, _)| {
                    named.iter().all(|name| **name != **key) && !patterns.iter().any(|pattern| pattern.matches(key))
                })
                .all(|(key, value)| {
                    is_payload && is_own(key, value) || self.part_holds(Step::Key(key), *schema, value, above)
                }),
            (Says::DependentSchemas(bound), Json::Object(_)) => bound
                .iter()
                .filter(|(key, _)| member(value, key).is_some())
                .all(|(_, place)| self.holds(*place, value, above)),
            (Says::All(places), _) => places.iter().all(|place| self.holds(*place, value, above)),
            (Says::Any(places), _) => places.iter().any(|place| self.would_hold(*place, value, above)),
            (Says::One(places), _) => places.iter().filter(|place| self.would_hold(**place, value, above)).count() == 1,
            (Says::Not(place), _) => !self.would_hold(*place, value, above),
            (Says::If { test, then, otherwise }, _) => {
                let next = if self.would_hold(*test, value, above) { then } else { otherwise };
                next.is_none_or(|place| self.holds(place, value, above))
            }
            (Says::Reference(place), _) => self.holds(*place, value, above),
            _ => true,
        }
    }

    /// Whether a key satisfies a schema, as a text.
    fn name_holds(&self, place: Place, key: &[u8], above: usize) -> bool {
        let name = Json::Text(key.into());
        Judged { schema: self.schema, way: Vec::new() }.holds(place, &name, above)
    }
}

fn member<'a>(value: &'a Json<'a>, name: &[u8]) -> Option<&'a Json<'a>> {
    value.members().iter().find(|(key, _)| **key == *name).map(|(_, value)| value)
}

/// Whether a value is none: null, or blank text.
fn is_empty(value: &Json) -> bool {
    *value == Json::Null || value.text().is_some_and(space::is_blank)
}

/// Whether a key is no part of what happened, so that no schema needs to name it, and what it holds is what it may hold.
fn is_own(key: &[u8], value: &Json) -> bool {
    OWN_KEYS.iter().any(|own| own.as_bytes() == key)
        && (*value == Json::Null || value.text().is_some_and(|text| length(text) <= OWN_TEXT))
}

fn length(text: &[u8]) -> usize {
    std::str::from_utf8(text).unwrap_or_default().chars().count()
}

/// A bit for each type in the table that a value is of.
fn types_of(value: &Json) -> u8 {
    let bit = |name| TYPES.iter().position(|known| *known == name).map_or(0, |index| 1u8 << index);
    match value {
        Json::Null => bit("null"),
        Json::Boolean(_) => bit("boolean"),
        Json::Number(raw) if number::is_integer(raw) => bit("number") | bit("integer"),
        Json::Number(_) => bit("number"),
        Json::Text(_) => bit("string"),
        Json::List(_) => bit("array"),
        Json::Object(_) => bit("object"),
        Json::Deep => 0,
    }
}

fn are_unique(items: &[Json]) -> bool {
    let mut items: Vec<_> = items.iter().map(canonical).collect();
    items.sort_unstable();
    items.windows(2).all(|pair| pair.first() != pair.last())
}

/// A value as bytes that only an equal one has: numbers by value, and the members of objects in order.
pub(super) fn canonical(value: &Json) -> Name {
    let mut out = Vec::new();
    write_canonical(value, &mut out);
    out.into()
}

fn write_canonical(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Null => put(out, b"null"),
        Json::Deep => put(out, b"deep"),
        Json::Boolean(value) => put(out, if *value { b"true" } else { b"false" }),
        Json::Number(raw) => number::write_value(out, raw),
        Json::Text(text) => write::text(out, text),
        Json::List(items) => {
            out.push(b'[');
            for item in items {
                write_canonical(item, out);
                out.push(b',');
            }
            out.push(b']');
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| (key.len(), key));
            out.push(b'{');
            for (key, value) in members {
                write::text(out, key);
                write_canonical(value, out);
                out.push(b',');
            }
            out.push(b'}');
        }
    }
}
