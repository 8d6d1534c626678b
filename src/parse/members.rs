//! The members of an object: keys that were expected, keys that must be looked up, and keys that occur twice.

use super::event::Member;
use super::key_cache::{self, Level, Occupant, Slot, Table, Usual};
use super::parser::{Parser, Read};
use super::value::Value;
use super::walk::{Walk, see};
use super::{json, number, space, string};
use crate::contract::personal_words::LEAST_NUMBER;
use crate::contract::vocabulary::{Fault, Field, Kind};
use crate::contract::{personal_keys, words};

impl Parser {
    /// Reads an object whose brace has been read.
    pub(super) fn members(&mut self, text: &[u8], level: Level, start: usize, depth: usize) -> Read<Value> {
        let first_member = if level == Level::Event { 0 } else { self.event.members.len() };
        let table = Table::of(level, self.event.value(Field::EventType).raw(text));
        let mut walk = Walk { at: start - 1, slot: key_cache::BEFORE_FIRST, seen: 0, growth: -1, suspicion: 0 };
        // Whether a key may have occurred twice.
        let mut is_doubtful = false;
        loop {
            let is_expected = walk.read_fast(text, self, level, table, start);
            let is_first = walk.at < start;
            let (key, field, mut at);
            if is_expected {
                walk.slot = self.key_cache.at(table, walk.slot).next();
                let known = self.key_cache.at(table, walk.slot);
                at = walk.at + known.size() - usize::from(known.is_text());
                (key, field) = (known.name_at(walk.at), known.field());
            } else {
                let mut byte;
                (at, byte) = self.next(text, if is_first { start } else { walk.at });
                if byte == b'}' {
                    if is_first {
                        return Ok(Value::new(Kind::Object, 0, start - 1, at + 1));
                    }
                    walk.at = at;
                    break;
                }
                if !is_first {
                    if byte != b',' {
                        return self.not_json(at);
                    }
                    (at, byte) = self.next(text, at + 1);
                }
                if byte != b'"' {
                    return self.not_json(at);
                }
                key = self.string(text, at + 1)?;
                (at, byte) = self.next(text, key.after());
                if byte != b':' {
                    return self.not_json(at);
                }
                at += 1;
                (field, walk.slot) = self.look_up(text, level, table, walk.slot, key);
                is_doubtful |= walk.slot == key_cache::UNCACHED;
                walk.suspicion |= key.suspicion();
            }
            let byte;
            (at, byte) = self.next(text, at);
            let value = match level {
                Level::Event | Level::Metadata if byte == b'"' => self.string(text, at + 1)?,
                Level::Event if field != Some(Field::Metadata) => self.outside_metadata(text, at)?,
                Level::Event if byte == b'{' => self.metadata(text, at)?,
                _ => self.any(text, at, depth)?,
            };
            walk.at = value.after();
            walk.growth += 2;
            walk.suspicion |= value.suspicion();
            if walk.slot == key_cache::UNCACHED && level != Level::Event && field.is_none() {
                self.event.personal_key |= is_personal(text, key, value);
            }
            match field {
                Some(field) => {
                    let says_something = match value.kind() {
                        Kind::Null => false,
                        Kind::Text => !string::is_blank(text, value),
                        _ => true,
                    };
                    self.event.given |= u64::from(says_something) << field as u8;
                    if !self.event.fill(field as usize, value) {
                        self.event.faults.add(Fault::DuplicateKey);
                        self.event.values[field as usize] = value;
                    }
                }
                None => {
                    is_doubtful |= !see(&mut walk.seen, walk.slot);
                    let members =
                        if level == Level::Event { &mut self.event.unknown_fields } else { &mut self.event.members };
                    members.push(Member { key, value });
                }
            }
        }
        self.jsonb_growth += walk.growth;
        if level != Level::Event {
            self.event.suspicion |= walk.suspicion;
        }
        if is_doubtful || self.has_evicted_keys {
            self.find_duplicates(text, level, first_member);
        }
        if level == Level::Nested {
            self.event.members.truncate(first_member);
        }
        Ok(Value::new(Kind::Object, 0, start - 1, walk.at + 1))
    }

    /// The field and the place of a key other than the expected one.
    #[inline(never)]
    fn look_up(&mut self, text: &[u8], level: Level, table: Table, last: Slot, key: Value) -> (Option<Field>, Slot) {
        let content = string::content(text, key);
        // The value begins after the key's quote and colon.
        let usual = Usual::beginning(text.get(key.end() + 2));
        let found = self.key_cache.find(table, last, &content, usual);
        if key.flags() == 0
            && let Some((place, Occupant::Same(field))) = found
        {
            return (field, place);
        }
        let field = match level {
            Level::Event => Field::top_level(&content),
            Level::Metadata => Field::of_metadata(&content),
            Level::Nested => None,
        };
        let is_personal = field.is_none() && personal_keys::named(&content, &[]).is_some();
        let names_state = field.is_none() && words::state_named(&content).is_some();
        self.event.names_state |= names_state;
        // What replaces a key in a snapshot begins with a bracket.
        let is_harmless = key.flags() == 0
            && !is_personal
            && !names_state
            && content.first() != Some(&b'[')
            && (level != Level::Event || field.is_some());
        if is_harmless
            && let Some((place, found)) = found
            && self.key_cache.put(table, place, &content, usual, field).is_some()
        {
            self.has_evicted_keys |= matches!(found, Occupant::Another);
            return (field, place);
        }
        (field, key_cache::UNCACHED)
    }

    /// Finds keys that occur twice in the object that ends here.
    #[cold]
    fn find_duplicates(&mut self, text: &[u8], level: Level, first: usize) {
        let members = if level == Level::Event { &self.event.unknown_fields } else { &self.event.members };
        let members = members.get(first..).unwrap_or_default();
        let names: Vec<_> = members.iter().map(|member| string::content(text, member.key)).collect();
        let name = |place: usize| names.get(place).map(|name| &**name).unwrap_or_default();
        let order = json::order(names.len(), &name);
        if order.windows(2).any(|pair| matches!(*pair, [one, next] if name(one) == name(next))) {
            self.event.faults.add(Fault::DuplicateKey);
        }
    }
}

/// Whether a member is personal: its key names personal data, and its value can be some.
#[cold]
#[inline(never)]
fn is_personal(text: &[u8], key: Value, value: Value) -> bool {
    personal_keys::named(&string::content(text, key), &[]).is_some_and(|measures| can_be(measures, text, value))
}

/// Whether a value can be personal data: flags, what is empty and, under most keys, counts cannot.
fn can_be(measures: bool, text: &[u8], value: Value) -> bool {
    match value.kind() {
        Kind::Absent | Kind::Null | Kind::False | Kind::True => false,
        Kind::Number => measures || number::within(value.raw(text), LEAST_NUMBER, None),
        Kind::Text => !string::is_blank(text, value),
        Kind::Array | Kind::Object => space::skip(text, value.start() + 1) + 1 < value.end(),
    }
}
