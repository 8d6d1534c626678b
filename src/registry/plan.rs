//! What the rules for one type of event look at, so that of an event of that type nothing else is read, and each part
//! once for all of them.

use super::own::{OwnRule, Room, is_seen, whole};
use super::schema::keywords::{Meaning, Measure, Shape};
use super::schema::{Judged, entry};
use super::{Name, Registry};
use crate::contract::limits::MOST_DEPTH;
use crate::contract::vocabulary::{Field, Kind};
use crate::parse::part::Part;
use crate::parse::tape::{Tape, key_of};
use crate::parse::{Event, Member, Value, string};

/// The rules for one type of event.
#[derive(Debug, Default)]
pub struct Plan {
    /// The fields and keys of metadata that the rules name.
    named: Vec<Named>,
    /// Whether a rule may look at something that it does not name.
    is_whole: bool,
    rules: Vec<Planned>,
    checks: Vec<Check>,
}

/// A field, or a key of metadata.
#[derive(Debug)]
struct Named {
    field: Option<Field>,
    key: Name,
    in_metadata: bool,
}

/// A rule.
#[derive(Debug)]
struct Planned {
    /// Its place among the rules.
    place: usize,
    is_narrow: bool,
    /// How many schemas are asked before its checks.
    asked: usize,
    /// One past its last check.
    end: usize,
}

/// What a rule says of one part of an event.
#[derive(Clone, Copy, Debug)]
struct Check {
    /// The part: the event, its metadata, or what is named in this place after these.
    part: usize,
    /// How deep in the schema.
    above: usize,
    /// The place of a schema in the rule's.
    schema: usize,
    asks: Asks,
}

/// What is asked of a part.
#[derive(Clone, Copy, Debug)]
enum Asks {
    /// That it is there.
    Presence,
    /// That it satisfies the schema, if it is there.
    Schema,
    /// That it satisfies the keyword of the schema in that place.
    Keyword(usize),
}

/// The places of the event and of its metadata before those of what is named.
const EVENT: usize = 0;
const METADATA: usize = 1;
const FIRST: usize = 2;

/// The place of what an event does not have.
const NOWHERE: usize = usize::MAX;

impl Plan {
    /// The plan for the rules that bind a type, or any type.
    #[cold]
    #[inline(never)]
    pub fn of(rules: &[OwnRule], kind: &Option<Name>) -> Plan {
        let mut plan = Plan::default();
        for (place, rule) in rules.iter().enumerate() {
            if rule.event_type.is_none() || rule.event_type == *kind {
                plan.look_within(rule.schema.root(), EVENT);
                let asked = plan.take(rule.schema.root(), EVENT, 0);
                let end = plan.checks.len();
                plan.rules.push(Planned { place, is_narrow: rule.is_narrow(), asked, end });
            }
        }
        plan
    }

    /// Takes what a schema says of the event or of its metadata. Returns how many schemas are asked before its checks.
    fn take(&mut self, schema: Part, part: usize, above: usize) -> usize {
        let mut check = Check { part, above, schema: schema.at(), asks: Asks::Schema };
        if schema.kind() != Kind::Object {
            self.checks.push(check);
            return 0;
        }
        let mut asked = 1;
        check.above += 1;
        for says in schema.parts() {
            let (shape, meaning) = entry(says);
            match meaning {
                Meaning::Nothing => {}
                Meaning::Parts if shape == Shape::NamedSchemas => {
                    for schema in says.parts() {
                        if is_metadata(schema.key(), part) {
                            asked += self.take(schema, METADATA, above + 1);
                        } else if let Some(part) = self.name(schema.key(), part) {
                            self.checks.push(Check { part, schema: schema.at(), ..check });
                        }
                    }
                }
                Meaning::Required => {
                    for name in says.parts().filter(|name| !is_metadata(name.content(), part)) {
                        let part = self.name(name.content(), part).unwrap_or(NOWHERE);
                        self.checks.push(Check { part, asks: Asks::Presence, ..check });
                    }
                }
                _ => self.checks.push(Check { asks: Asks::Keyword(says.at()), ..check }),
            }
        }
        asked
    }

    /// Names what a schema of the event or of its metadata looks at, and maybe more.
    fn look_within(&mut self, schema: Part, part: usize) {
        for says in schema.parts() {
            let (shape, meaning) = entry(says);
            self.is_whole |= matches!(
                meaning,
                Meaning::Choices
                    | Meaning::Constant
                    | Meaning::Bound(Measure::Members, _)
                    | Meaning::OtherMembers
                    | Meaning::PatternProperties
                    | Meaning::Names
                    | Meaning::Reference
            );
            match shape {
                Shape::Names => self.name_all(says, part),
                Shape::NamedNames | Shape::NamedSchemas => {
                    for says in says.parts() {
                        self.name(says.key(), part);
                        self.name_all(says, part);
                        if is_metadata(says.key(), part) {
                            self.look_within(says, METADATA);
                        } else if matches!(meaning, Meaning::Dependent) {
                            self.look_within(says, part);
                        }
                    }
                }
                Shape::Schema => self.look_within(says, part),
                Shape::Schemas => says.parts().for_each(|schema| self.look_within(schema, part)),
                _ => {}
            }
        }
    }

    fn name_all(&mut self, names: Part, part: usize) {
        if names.kind() == Kind::Array {
            names.parts().for_each(|name| _ = self.name(name.content(), part));
        }
    }

    /// The place of what has that name; `None` if no event has it.
    fn name(&mut self, key: &[u8], part: usize) -> Option<usize> {
        let in_metadata = part == METADATA;
        let field = if in_metadata { Field::of_metadata(key) } else { Field::top_level(key) };
        if !in_metadata && field.is_none_or(|field| field == Field::Metadata || !is_seen(field)) {
            return None;
        }
        let known = self.named.iter().position(|named| named.in_metadata == in_metadata && *named.key == *key);
        let place = known.unwrap_or_else(|| {
            self.named.push(Named { field, key: key.into(), in_metadata });
            self.named.len() - 1
        });
        Some(FIRST + place)
    }

    /// The rules that an event violates: a bit for each.
    pub fn violated(&self, registry: &Registry, text: &[u8], event: &Event, room: &mut Room) -> u128 {
        room.tape.begin(text, event.start, event.end);
        room.places.clear();
        room.places.resize(FIRST + self.named.len(), NOWHERE);
        if self.is_whole {
            self.take_all(event, room)
        } else {
            self.take_named(text, event, room)
        }
        let (mut violated, mut first) = (0, 0);
        for planned in &self.rules {
            let checks = self.checks.get(first..planned.end).unwrap_or_default();
            first = planned.end;
            let Some(rule) = registry.own_rules.get(planned.place) else { continue };
            if planned.is_narrow && !rule.binds(text, event, registry.default_site()) {
                continue;
            }
            let mut judged = Judged::of(&rule.schema, planned.asked);
            let holds = |check: &Check| {
                let place = room.places.get(check.part).copied().unwrap_or(NOWHERE);
                let keyword = match check.asks {
                    Asks::Presence => return place != NOWHERE,
                    Asks::Schema => None,
                    Asks::Keyword(keyword) => Some(keyword),
                };
                place == NOWHERE || judged.says(check.schema, keyword, room.tape.part(place), check.above)
            };
            if !checks.iter().all(holds) || judged.is_tired() {
                violated |= 1 << planned.place;
            }
        }
        violated
    }

    /// Puts what the rules name of an event onto the tape.
    fn take_named(&self, text: &[u8], event: &Event, Room { tape, places }: &mut Room) {
        tape.open(Value::ABSENT);
        let (key, metadata) = (key_of(Field::Metadata), event.value(Field::Metadata));
        if let [first, second, ..] = places.as_mut_slice() {
            (*first, *second) = (0, 1);
        }
        if matches!(metadata.kind(), Kind::Object | Kind::Null | Kind::Absent) {
            tape.open(key);
            self.put(true, text, event, tape, places);
            tape.close(1);
        } else {
            tape.put(key, tape.here(metadata), MOST_DEPTH);
        }
        self.put(false, text, event, tape, places);
        tape.close(0);
    }

    /// The same of its metadata, or of its fields.
    #[inline(never)]
    fn put(&self, in_metadata: bool, text: &[u8], event: &Event, tape: &mut Tape, places: &mut [usize]) {
        for (named, place) in self.named.iter().zip(places.iter_mut().skip(FIRST)) {
            if named.in_metadata != in_metadata {
                continue;
            }
            let (key, value) = match named.field {
                Some(field) => (key_of(field), event.value(field)),
                None => {
                    let is_named = |member: &&Member| string::equals(text, member.key, &named.key);
                    let Some(member) = event.members().iter().find(is_named) else { continue };
                    (tape.decoded(tape.here(member.key)), member.value)
                }
            };
            if !(value.kind() == Kind::Absent || value.kind() == Kind::Null && !in_metadata) {
                *place = tape.count();
                tape.put(key, tape.here(value), MOST_DEPTH);
            }
        }
    }

    /// Puts a whole event onto the tape.
    #[cold]
    #[inline(never)]
    fn take_all(&self, event: &Event, Room { tape, places }: &mut Room) {
        whole(tape, event);
        let root = tape.root();
        let metadata = root.get(Field::Metadata.key());
        let named = self.named.iter().map(|named| {
            let within = if named.in_metadata { metadata } else { root };
            within.member(&named.key)
        });
        let parts = [Some(root), Some(metadata)].into_iter().chain(named);
        for (place, part) in places.iter_mut().zip(parts) {
            *place = part.map_or(NOWHERE, Part::at);
        }
    }
}

/// Whether a key is that of metadata, in the event.
fn is_metadata(key: &[u8], part: usize) -> bool {
    part == EVENT && *key == *Field::Metadata.key().as_bytes()
}
