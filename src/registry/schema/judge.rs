//! What a schema says of a value. A value of a type that a keyword does not speak of satisfies the keyword.

use super::keywords::{Meaning, Measure, Side, TYPES, keyword};
use super::{Schema, format, target};
use crate::contract::limits::{SCHEMA_NESTED, SCHEMA_WORK};
use crate::parse::json::{Json, Step};
use crate::parse::{multiple, number};
use crate::write::{MOST_DIGITS, decimal};
use std::cmp::Ordering;
use std::slice;

/// A value that is being judged.
struct Judged<'a> {
    schema: &'a Schema,
    /// The way to the part at hand, and at the end to what was refused.
    way: Vec<Step<'a>>,
    /// How many schemas may still be asked.
    left: usize,
}

impl Schema {
    /// The way to the first part of a value that the schema refuses; `None` if it refuses none. The members of the
    /// value's objects are in the order in which Postgres keeps them.
    #[cold]
    #[inline(never)]
    pub fn fault<'a>(&'a self, value: &'a Json<'a>) -> Option<Vec<Step<'a>>> {
        let mut judged = Judged { schema: self, way: Vec::new(), left: SCHEMA_WORK };
        let holds = judged.holds(&self.root, value, 0);
        (!holds || judged.left == 0).then_some(judged.way)
    }
}

/// What says which schema a part of a value must satisfy, if it must any.
type Pick<'a, 'b> = &'b dyn Fn(Step<'a>) -> Option<&'a Json<'a>>;

impl<'a> Judged<'a> {
    /// Whether a value satisfies a schema, which lies under `above` others. If it does not, `way` leads to the part at
    /// fault.
    #[inline(never)]
    fn holds(&mut self, schema: &'a Json<'a>, value: &'a Json<'a>, above: usize) -> bool {
        if let Json::Boolean(answer) = schema {
            return *answer;
        }
        self.left = self.left.saturating_sub(1);
        above <= SCHEMA_NESTED
            && self.left > 0
            && schema.members().iter().all(|(name, says)| {
                keyword(name).is_none_or(|(_, meaning)| self.agrees(meaning, schema, says, value, above + 1))
            })
    }

    /// How many of these schemas a value satisfies; or how many of these values a schema does, where it is the other way
    /// around.
    #[inline(never)]
    fn matched(&mut self, schemas: &'a [Json<'a>], value: &'a Json<'a>, is_around: bool, above: usize) -> usize {
        let length = self.way.len();
        let holds = |one: &&'a Json<'a>| {
            let holds = if is_around { self.holds(value, one, above) } else { self.holds(one, value, above) };
            self.way.truncate(length);
            holds
        };
        schemas.iter().filter(holds).count()
    }

    /// Whether the parts of a value satisfy what is picked for each.
    #[inline(never)]
    fn parts_hold(&mut self, value: &'a Json<'a>, above: usize, pick: Pick<'a, '_>) -> bool {
        let mut holds = |step, part| {
            let Some(schema) = pick(step) else { return true };
            self.way.push(step);
            let holds = self.holds(schema, part, above);
            if holds {
                self.way.pop();
            }
            holds
        };
        match value {
            Json::List(items) => items.iter().enumerate().all(|(index, item)| holds(Step::Item(index), item)),
            value => value.members().iter().all(|(key, part)| holds(Step::Key(key), part)),
        }
    }

    /// Whether an object has all of these names; the way leads to the first that it lacks.
    #[inline(never)]
    fn has_all(&mut self, value: &Json, names: &'a Json<'a>) -> bool {
        let missing = items(names).iter().find(|name| value.member(name.text().unwrap_or_default()).is_none());
        missing.and_then(Json::text).is_none_or(|name| self.refuses(name))
    }

    #[inline(never)]
    fn refuses(&mut self, key: &'a [u8]) -> bool {
        self.way.push(Step::Key(key));
        false
    }

    #[inline(never)]
    fn name_holds(&mut self, schema: &'a Json<'a>, key: &[u8], above: usize) -> bool {
        let name = Json::Text(key.into());
        let mut judged = Judged { schema: self.schema, way: Vec::new(), left: self.left };
        let holds = judged.holds(schema, &name, above);
        self.left = judged.left;
        holds
    }

    #[inline(never)]
    fn agrees(
        &mut self,
        meaning: Meaning,
        schema: &'a Json<'a>,
        says: &'a Json<'a>,
        value: &'a Json<'a>,
        above: usize,
    ) -> bool {
        let root = self.schema;
        match meaning {
            Meaning::Nothing => true,
            Meaning::Type => is_of(value, says) || items(says).iter().any(|says| is_of(value, says)),
            Meaning::Choices => items(says).iter().any(|choice| order(choice, value).is_eq()),
            Meaning::Constant => order(says, value).is_eq(),
            Meaning::MultipleOf => {
                value.number().is_none_or(|raw| multiple::is_multiple(raw, says.number().unwrap_or_default()))
            }
            Meaning::Bound(measure, side) => is_within(measure, side, value, says),
            Meaning::Pattern => value.text().is_none_or(|text| root.matches(says.text().unwrap_or_default(), text)),
            Meaning::Format => value.text().is_none_or(|text| format::has(text, says.text().unwrap_or_default())),
            Meaning::Parts => self.parts_hold(value, above, &|step| match step {
                Step::Item(index) => items(says).get(index),
                Step::Key(key) => says.member(key),
            }),
            Meaning::OtherItems if !matches!(value, Json::List(_)) => true,
            Meaning::OtherMembers if !matches!(value, Json::Object(_)) => true,
            Meaning::OtherItems | Meaning::OtherMembers => self.parts_hold(value, above, &|step| {
                let is_other = match step {
                    Step::Item(index) => index >= items(schema.get("prefixItems")).len(),
                    Step::Key(key) => schema.get("properties").member(key).is_none() && !root.is_patterned(schema, key),
                };
                is_other.then_some(says)
            }),
            Meaning::PatternProperties => says.members().iter().all(|(pattern, schema)| {
                self.parts_hold(value, above, &|step| match step {
                    Step::Key(key) if root.matches(pattern, key) => Some(schema),
                    _ => None,
                })
            }),
            Meaning::Contains => {
                let Json::List(items) = value else { return true };
                let (least, most) = (schema.get("minContains"), schema.get("maxContains"));
                let matched = self.matched(items, says, true, above);
                is_on(Side::Most, count(matched, &mut [0; MOST_DIGITS]), most)
                    && if *least == Json::Null {
                        matched > 0
                    } else {
                        is_on(Side::Least, count(matched, &mut [0; MOST_DIGITS]), least)
                    }
            }
            Meaning::Unique => *says == Json::Boolean(false) || are_unique(items(value)),
            Meaning::Names => {
                let wrong = value.members().iter().find(|(key, _)| !self.name_holds(says, key, above));
                wrong.is_none_or(|(key, _)| self.refuses(key))
            }
            Meaning::Required => !matches!(value, Json::Object(_)) || self.has_all(value, says),
            Meaning::Dependent => {
                says.members().iter().filter(|(key, _)| value.member(key).is_some()).all(|(_, says)| match says {
                    Json::List(_) => self.has_all(value, says),
                    schema => self.holds(schema, value, above),
                })
            }
            Meaning::All => items(says).iter().all(|schema| self.holds(schema, value, above)),
            Meaning::Any => self.matched(items(says), value, false, above) > 0,
            Meaning::One => self.matched(items(says), value, false, above) == 1,
            Meaning::Not => self.matched(slice::from_ref(says), value, false, above) == 0,
            Meaning::If => {
                let is_so = self.matched(slice::from_ref(says), value, false, above) > 0;
                let next = schema.get(if is_so { "then" } else { "else" });
                *next == Json::Null || self.holds(next, value, above)
            }
            Meaning::Reference => target(&root.root, says).is_some_and(|schema| self.holds(schema, value, above)),
        }
    }
}

fn items<'a, 'b>(value: &'b Json<'a>) -> &'b [Json<'a>] {
    value.list().unwrap_or_default()
}

/// The type of a value, as its place in the table.
fn type_of(value: &Json) -> usize {
    match value {
        Json::Null => 0,
        Json::Boolean(_) => 1,
        Json::Object(_) => 2,
        Json::List(_) => 3,
        Json::Number(_) => 4,
        Json::Text(_) => 6,
        // Only a schema can be nested so deep, so nothing is equal to it.
        Json::Deep => 7,
    }
}

fn is_of(value: &Json, name: &Json) -> bool {
    let kind = TYPES.get(type_of(value)).copied().unwrap_or_default();
    let name = name.text().unwrap_or_default();
    name == kind.as_bytes() || name == b"integer" && value.number().is_some_and(number::is_integer)
}

#[inline(never)]
fn count(number: usize, room: &mut [u8; MOST_DIGITS]) -> &[u8] {
    decimal(number, room)
}

fn is_within(measure: Measure, side: Side, value: &Json, bound: &Json) -> bool {
    let mut room = [0; MOST_DIGITS];
    let measured = match (measure, value) {
        (Measure::Number, Json::Number(raw)) => raw,
        (Measure::Length, Json::Text(text)) => count(characters(text), &mut room),
        (Measure::Items, Json::List(items)) => count(items.len(), &mut room),
        (Measure::Members, Json::Object(members)) => count(members.len(), &mut room),
        _ => return true,
    };
    is_on(side, measured, bound)
}

#[inline(never)]
fn is_on(side: Side, measured: &[u8], bound: &Json) -> bool {
    let Some(bound) = bound.number() else { return true };
    let order = number::compare(measured, bound);
    match side {
        Side::Least => order.is_ge(),
        Side::Most => order.is_le(),
        Side::Above => order.is_gt(),
        Side::Below => order.is_lt(),
    }
}

fn characters(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// How two values compare: only equal ones are equal, numbers by value.
fn order(left: &Json, right: &Json) -> Ordering {
    match (left, right) {
        (Json::Boolean(left), Json::Boolean(right)) => left.cmp(right),
        (Json::Number(left), Json::Number(right)) => number::compare(left, right),
        (Json::Text(left), Json::Text(right)) => left.cmp(right),
        (Json::List(left), Json::List(right)) => {
            let orders = left.iter().zip(right).map(|(left, right)| order(left, right));
            left.len().cmp(&right.len()).then_with(|| first(orders))
        }
        (Json::Object(left), Json::Object(right)) => {
            let pairs = left.iter().zip(right);
            let orders = pairs.map(|((key, left), (other, right))| key.cmp(other).then_with(|| order(left, right)));
            left.len().cmp(&right.len()).then_with(|| first(orders))
        }
        (left, right) => type_of(left).cmp(&type_of(right)),
    }
}

fn first(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn are_unique(items: &[Json]) -> bool {
    let mut seen: Vec<&Json> = Vec::new();
    items.iter().all(|item| match seen.binary_search_by(|known| order(known, item)) {
        Ok(_) => false,
        Err(place) => {
            seen.insert(place, item);
            true
        }
    })
}
