//! What a schema says of a value. A value of a type that a keyword does not speak of satisfies the keyword.

use super::keywords::{Meaning, Measure, Side};
use super::{Schema, entry, format, linked};
use crate::contract::limits::{SCHEMA_NESTED, SCHEMA_WORK};
use crate::contract::vocabulary::Kind;
use crate::parse::json::Step;
use crate::parse::part::Part;
use crate::parse::tape::Tape;
use crate::parse::{multiple, number};
use crate::short;
use crate::write::{MOST_DIGITS, decimal};
use std::cmp::Ordering;

/// A value that is being judged.
pub struct Judged<'a> {
    schema: &'a Schema,
    /// The way to what was refused, from there on up.
    way: Vec<Step<'a>>,
    /// How many schemas may still be asked.
    left: usize,
}

impl Schema {
    /// The way to the first part of a value that the schema refuses; `None` if it refuses none.
    #[cold]
    #[inline(never)]
    pub fn fault<'a>(&'a self, value: Part<'a>) -> Option<Vec<Step<'a>>> {
        let mut judged = Judged::of(self, 0);
        let holds = judged.holds(self.tape.root(), value, 0);
        judged.way.reverse();
        (!holds || judged.is_tired()).then_some(judged.way)
    }
}

/// What says which schema a part of a value must satisfy, if it must any.
type Pick<'a, 'b> = &'b dyn Fn(Step<'a>) -> Option<Part<'a>>;

impl<'a> Judged<'a> {
    /// Begins to judge by a schema; `asked` of the schemas within it have been asked already.
    pub fn of(schema: &'a Schema, asked: usize) -> Judged<'a> {
        Judged { schema, way: Vec::new(), left: SCHEMA_WORK.saturating_sub(asked) }
    }

    /// Whether the value is refused because it took too many schemas to judge.
    pub fn is_tired(&self) -> bool {
        self.left == 0
    }

    /// Whether a value satisfies a schema in that place, which lies under `above` others; or if a place is given for one
    /// of its keywords, that.
    #[inline]
    pub fn says(&mut self, schema: usize, keyword: Option<usize>, value: Part<'a>, above: usize) -> bool {
        let part = |place| self.schema.tape.part(place);
        match keyword {
            Some(keyword) => self.agrees(part(schema), part(keyword), value, above),
            None => self.holds(part(schema), value, above),
        }
    }

    /// Whether a value satisfies a schema, which lies under `above` others. If it does not, `way` leads to the part at
    /// fault.
    #[inline(never)]
    fn holds(&mut self, schema: Part<'a>, value: Part<'a>, above: usize) -> bool {
        let kind = schema.kind();
        if kind != Kind::Object {
            return kind == Kind::True;
        }
        self.left = self.left.saturating_sub(1);
        above <= SCHEMA_NESTED
            && self.left > 0
            && schema.parts().all(|says| self.agrees(schema, says, value, above + 1))
    }

    /// The same, and nothing is kept of where it does not.
    #[inline(never)]
    fn fits(&mut self, schema: Part<'a>, value: Part<'a>, above: usize) -> bool {
        let length = self.way.len();
        let holds = self.holds(schema, value, above);
        self.way.truncate(length);
        holds
    }

    /// How many of these schemas a value satisfies.
    fn matched(&mut self, schemas: Part<'a>, value: Part<'a>, above: usize) -> usize {
        schemas.parts().filter(|schema| self.fits(*schema, value, above)).count()
    }

    /// The same as `holds` of a part that is a step on.
    #[inline(never)]
    fn part_holds(&mut self, step: Step<'a>, schema: Part<'a>, part: Part<'a>, above: usize) -> bool {
        let holds = self.holds(schema, part, above);
        if !holds {
            self.way.push(step);
        }
        holds
    }

    /// Whether the parts of a value satisfy what is picked for each.
    #[inline(never)]
    fn parts_hold(&mut self, value: Part<'a>, above: usize, pick: Pick<'a, '_>) -> bool {
        let is_list = value.kind() == Kind::Array;
        value.parts().enumerate().all(|(index, part)| {
            let step = if is_list { Step::Item(index) } else { Step::Key(part.key()) };
            pick(step).is_none_or(|schema| self.part_holds(step, schema, part, above))
        })
    }

    /// Whether an object has all of these names; the way leads to the first that it lacks.
    #[inline(never)]
    fn has_all(&mut self, value: Part<'a>, names: Part<'a>) -> bool {
        let missing = names.parts().find(|name| value.member(name.content()).is_none());
        missing.is_none_or(|name| self.refuses(name.content()))
    }

    fn refuses(&mut self, key: &'a [u8]) -> bool {
        self.way.push(Step::Key(key));
        false
    }

    #[inline(never)]
    fn name_holds(&mut self, schema: Part<'a>, key: &[u8], above: usize) -> bool {
        let mut name = Tape::EMPTY;
        name.text(key);
        let mut judged = Judged { way: Vec::new(), ..*self };
        let holds = judged.holds(schema, name.root(), above);
        self.left = judged.left;
        holds
    }

    #[inline(never)]
    fn agrees(&mut self, schema: Part<'a>, says: Part<'a>, value: Part<'a>, above: usize) -> bool {
        let (_, more) = linked(says);
        let (kind, root) = (value.kind(), self.schema);
        match entry(says).1 {
            Meaning::Nothing => true,
            Meaning::Type => more >> type_of(value) & 1 != 0 || more & INTEGER != 0 && is_integer(value),
            Meaning::Choices => says.parts().any(|choice| is_same(choice, value)),
            Meaning::Constant => is_same(says, value),
            Meaning::MultipleOf => value.number().is_none_or(|raw| multiple::is_multiple(raw, says.content())),
            Meaning::Bound(measure, side) => is_within(measure, side, value, says),
            Meaning::Pattern => value.text().is_none_or(|text| root.matches(more, text)),
            Meaning::Format => value.text().is_none_or(|text| format::has(text, says.content())),
            Meaning::Parts if says.kind() == Kind::Array => {
                kind != Kind::Array
                    || value
                        .parts()
                        .zip(says.parts())
                        .enumerate()
                        .all(|(index, (part, schema))| self.part_holds(Step::Item(index), schema, part, above))
            }
            Meaning::Parts => says.parts().all(|schema| {
                value
                    .member(schema.key())
                    .is_none_or(|part| self.part_holds(Step::Key(schema.key()), schema, part, above))
            }),
            Meaning::OtherItems if kind != Kind::Array => true,
            Meaning::OtherMembers if kind != Kind::Object => true,
            Meaning::OtherItems | Meaning::OtherMembers => {
                let before = schema.member(b"prefixItems").map_or(0, |schemas| schemas.parts().count());
                self.parts_hold(value, above, &|step| match step {
                    Step::Item(index) => (index >= before).then_some(says),
                    Step::Key(key) => (!root.names(schema, key)).then_some(says),
                })
            }
            Meaning::PatternProperties => says.parts().all(|schema| {
                self.parts_hold(value, above, &|step| match step {
                    Step::Key(key) if root.matches(linked(schema).1, key) => Some(schema),
                    _ => None,
                })
            }),
            Meaning::Contains if kind != Kind::Array => true,
            Meaning::Contains => {
                let matched = value.parts().filter(|item| self.fits(says, *item, above)).count();
                let is_on = |side, bound: Part| is_on(side, compare(matched, bound));
                schema.member(b"maxContains").is_none_or(|most| is_on(Side::Most, most))
                    && schema.member(b"minContains").map_or(matched > 0, |least| is_on(Side::Least, least))
            }
            Meaning::Unique => says.kind() == Kind::False || kind != Kind::Array || are_unique(value),
            Meaning::Names if kind != Kind::Object => true,
            Meaning::Names => {
                let wrong = value.parts().find(|part| !self.name_holds(says, part.key(), above));
                wrong.is_none_or(|part| self.refuses(part.key()))
            }
            Meaning::Required => kind != Kind::Object || self.has_all(value, says),
            Meaning::Dependent => {
                says.parts().filter(|says| value.member(says.key()).is_some()).all(|says| match says.kind() {
                    Kind::Array => self.has_all(value, says),
                    _ => self.holds(says, value, above),
                })
            }
            Meaning::All => says.parts().all(|schema| self.holds(schema, value, above)),
            Meaning::Any => self.matched(says, value, above) > 0,
            Meaning::One => self.matched(says, value, above) == 1,
            Meaning::Not => !self.fits(says, value, above),
            Meaning::If => {
                let next: &[u8] = if self.fits(says, value, above) { b"then" } else { b"else" };
                schema.member(next).is_none_or(|next| self.holds(next, value, above))
            }
            Meaning::Reference => self.holds(root.tape.part(more), value, above),
        }
    }
}

/// The type of a value, as its place in the table; an integer is a number.
fn type_of(value: Part) -> usize {
    match value.kind() {
        Kind::Null => 0,
        Kind::False | Kind::True => 1,
        Kind::Object => 2,
        Kind::Array => 3,
        Kind::Number => 4,
        Kind::Text => 6,
        // Only a schema can be nested so deep, so nothing is equal to it.
        Kind::Absent => 7,
    }
}

/// The bit of integers in a set of types.
const INTEGER: usize = 1 << 5;

#[inline(never)]
fn is_integer(value: Part) -> bool {
    value.number().is_some_and(number::is_integer)
}

fn is_within(measure: Measure, side: Side, value: Part, bound: Part) -> bool {
    let order = match (measure, value.kind()) {
        (Measure::Number, Kind::Number) => number::compare(value.content(), bound.content()),
        (Measure::Length, Kind::Text) => compare(value.characters(), bound),
        (Measure::Items, Kind::Array) | (Measure::Members, Kind::Object) => compare(value.parts().count(), bound),
        _ => return true,
    };
    is_on(side, order)
}

/// How a count compares with a bound.
#[inline(never)]
fn compare(count: usize, bound: Part) -> Ordering {
    match linked(bound).1.checked_sub(1) {
        Some(bound) => count.cmp(&bound),
        None => number::compare(decimal(count, &mut [0; MOST_DIGITS]), bound.content()),
    }
}

fn is_on(side: Side, order: Ordering) -> bool {
    match side {
        Side::Least => order.is_ge(),
        Side::Most => order.is_le(),
        Side::Above => order.is_gt(),
        Side::Below => order.is_lt(),
    }
}

/// Whether two values are equal, numbers by value.
fn is_same(left: Part, right: Part) -> bool {
    match (left.text(), right.text()) {
        (Some(left), Some(right)) => short::is_same(left, right),
        (None, None) => order(left, right).is_eq(),
        _ => false,
    }
}

/// How two values compare: only equal ones are equal, numbers by value.
#[inline(never)]
fn order(left: Part, right: Part) -> Ordering {
    let types = type_of(left).cmp(&type_of(right));
    if types.is_ne() {
        return types;
    }
    match left.kind() {
        Kind::Number => number::compare(left.content(), right.content()),
        Kind::Text => left.content().cmp(right.content()),
        Kind::Array | Kind::Object => left.parts().count().cmp(&right.parts().count()).then_with(|| {
            let mut orders = left
                .parts()
                .zip(right.parts())
                .map(|(left, right)| left.key().cmp(right.key()).then_with(|| order(left, right)));
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        }),
        kind => (kind == Kind::True).cmp(&(right.kind() == Kind::True)),
    }
}

fn are_unique(list: Part) -> bool {
    let mut seen: Vec<Part> = Vec::new();
    list.parts().all(|item| match seen.binary_search_by(|known| order(*known, item)) {
        Ok(_) => false,
        Err(place) => {
            seen.insert(place, item);
            true
        }
    })
}
