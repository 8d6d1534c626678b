//! The members of an object: keys that were expected, keys that must be looked up, and keys that were named twice.

use super::walk::{Walk, place_bit};
use super::{Read, Reader};
use crate::event::{Fault, Field, Kind};
use crate::known_keys::{self, Found, Level, Place, Table, Usual};
use crate::reading::{Event, Member, Value};
use crate::{keys, text};
use std::borrow::Cow;

impl Reader<'_> {
    /// Reads the members of an object from behind its brace; the place behind it.
    pub(super) fn members(&mut self, event: &mut Event, level: Level, start: usize, depth: usize) -> Read<usize> {
        let text = self.text;
        let first_member = if level == Level::Event { 0 } else { event.members.len() };
        let table = Table::of(level, event.value(Field::EventType).raw(text));
        let mut walk = Walk { at: start - 1, place: known_keys::START, seen: 0, stored: -1 };
        // Whether a key may have been there twice.
        let mut is_doubtful = false;
        let mut suspicion = 0;
        loop {
            let is_expected = walk.plain(text, event, level, table, start);
            let is_first = walk.at < start;
            let (key, field, mut at);
            if is_expected {
                walk.place = event.known_keys.at(table, walk.place).next();
                let known = event.known_keys.at(table, walk.place);
                at = walk.at + known.size() - usize::from(known.is_text());
                (key, field) = (known.name_at(walk.at), known.field());
            } else {
                let mut byte;
                (at, byte) = self.next(if is_first { start } else { walk.at });
                if byte == b'}' {
                    if is_first {
                        return Ok(at + 1);
                    }
                    walk.at = at;
                    break;
                }
                if !is_first {
                    if byte != b',' {
                        return self.broken(at);
                    }
                    (at, byte) = self.next(at + 1);
                }
                if byte != b'"' {
                    return self.broken(at);
                }
                key = self.text(event, at + 1)?;
                (at, byte) = self.next(key.after());
                if byte != b':' {
                    return self.broken(at);
                }
                at += 1;
                (field, walk.place) = self.look_up(event, level, table, walk.place, key);
                is_doubtful |= walk.place == known_keys::STRANGE;
                self.is_shown &= walk.place != known_keys::STRANGE;
                suspicion |= key.suspicion();
            }
            let byte;
            (at, byte) = self.next(at);
            let value = match level {
                Level::Event | Level::Metadata if byte == b'"' => self.text(event, at + 1)?,
                Level::Event if field != Some(Field::Metadata) => self.outside_metadata(event, at)?,
                Level::Event if byte == b'{' => self.metadata(event, at)?,
                _ => self.value(event, at, depth)?,
            };
            walk.at = value.after();
            walk.stored += 2;
            suspicion |= value.suspicion();
            match field {
                Some(field) => {
                    let says_something = match value.kind() {
                        Kind::Null => false,
                        Kind::Text => !text::is_blank(text, value),
                        _ => true,
                    };
                    event.given |= u64::from(says_something) << field as u8;
                    if event.value(field) != Value::ABSENT {
                        event.faults.add(Fault::DuplicateKey);
                    }
                    event.values[field as usize] = value;
                }
                None => {
                    is_doubtful |= walk.seen & place_bit(walk.place) != 0;
                    walk.seen |= place_bit(walk.place);
                    let members = if level == Level::Event { &mut event.unknown_fields } else { &mut event.members };
                    members.push(Member { key, value });
                }
            }
        }
        self.stored += walk.stored;
        if level != Level::Event {
            event.suspicion |= suspicion;
        }
        if is_doubtful || event.has_moved_keys {
            self.find_twins(event, level, first_member);
        }
        if level == Level::Nested {
            event.members.truncate(first_member);
        }
        Ok(walk.at + 1)
    }

    /// What a key means that is not the one that was expected here, and its place.
    #[inline(never)]
    fn look_up(
        &self,
        event: &mut Event,
        level: Level,
        table: Table,
        last: Place,
        key: Value,
    ) -> (Option<Field>, Place) {
        let content = text::content(self.text, key);
        // Behind its quote and its colon.
        let usual = Usual::beginning(self.text.get(key.end() + 2));
        let found = event.known_keys.find(table, last, &content, usual);
        if key.flags() == 0
            && let Some((place, Found::Known(field))) = found
        {
            return (field, place);
        }
        let field = match level {
            Level::Event => Field::top_level(&content),
            Level::Metadata => Field::of_metadata(&content),
            Level::Nested => None,
        };
        let is_personal = field.is_none() && keys::names_personal_data(&content);
        event.personal_key |= is_personal && level != Level::Event;
        // What replaces a key in a snapshot begins with a bracket.
        let is_harmless = key.flags() == 0
            && !is_personal
            && content.first() != Some(&b'[')
            && (level != Level::Event || field.is_some());
        if is_harmless
            && let Some((place, found)) = found
            && event.known_keys.put(table, place, &content, usual, field).is_some()
        {
            event.has_moved_keys |= matches!(found, Found::Other);
            return (field, place);
        }
        (field, known_keys::STRANGE)
    }

    /// Finds keys that were named twice in the object that ends here.
    #[cold]
    fn find_twins(&self, event: &mut Event, level: Level, first: usize) {
        let members = if level == Level::Event { &event.unknown_fields } else { &event.members };
        let members = members.get(first..).unwrap_or_default();
        let mut names: Vec<_> = members.iter().map(|member| text::content(self.text, member.key)).collect();
        // A heap by hand: the library's is a kilobyte more of the module, and sorting proper five.
        for root in (0..names.len() / 2).rev() {
            sift_down(&mut names, root);
        }
        let mut last = None;
        while !names.is_empty() {
            let name = names.swap_remove(0);
            sift_down(&mut names, 0);
            if last.as_ref() == Some(&name) {
                event.faults.add(Fault::DuplicateKey);
            }
            last = Some(name);
        }
    }
}

/// Moves the name at a place of a heap down until none below it is greater.
#[inline(never)]
fn sift_down(heap: &mut [Cow<[u8]>], mut root: usize) {
    loop {
        let child = 2 * root + 1;
        let child = if heap.get(child) < heap.get(child + 1) { child + 1 } else { child };
        if child >= heap.len() || heap.get(root) >= heap.get(child) {
            return;
        }
        heap.swap(root, child);
        root = child;
    }
}
