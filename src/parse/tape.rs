//! JSON as a tape: the parts of a value one after the other, each with the place where it ends. It is what schemas look
//! at, and what a schema is read into.
//!
//! A tree has a list for each of its objects; a tape has one for all of them, which is used again for the next event.

use super::event::Member;
use super::json;
use super::part::Part;
use super::value::Value;
use super::{Faults, WINDOW, number, space, string};
use crate::contract::field_names::KEYS;
use crate::contract::vocabulary::{Field, Kind};

/// The parts of one value.
#[derive(Debug, Default)]
pub struct Tape {
    /// The text of the value, and after it the content of texts that it has with escapes.
    pub(super) room: Vec<u8>,
    pub(super) nodes: Vec<Node>,
    /// The members of the objects that are being read.
    members: Vec<Member>,
    /// Where the text begins in the text that it is a part of.
    start: usize,
}

/// A part of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Its key, if it is a member.
    pub(super) key: Value,
    pub(super) value: Value,
    /// One past the last part within it.
    pub(super) end: u32,
    /// What a schema's reader found out about it.
    pub(super) link: u32,
}

/// A value of this kind that says nothing else.
pub const fn bare(kind: Kind) -> Value {
    Value::new(kind, 0, 0, 0)
}

/// The key of a field, which need not be in the text: as long as that, from the field's number on.
pub const fn key_of(field: Field) -> Value {
    Value::new(Kind::Absent, 0, field as usize, field as usize + field.key().len())
}

impl Tape {
    /// Nothing.
    pub const EMPTY: Tape = Tape { room: Vec::new(), nodes: Vec::new(), members: Vec::new(), start: 0 };

    /// Forgets everything, for values between these places of a text.
    pub fn begin(&mut self, text: &[u8], start: usize, end: usize) {
        self.nodes.clear();
        self.room.clear();
        // With a little more, it can be read in whole blocks.
        self.room.extend_from_slice(text.get(start..end + WINDOW).or(text.get(start..end)).unwrap_or_default());
        self.start = start;
    }

    /// A text that is known to be JSON, without what is nested deeper than this. The members of objects are in
    /// [order](json::order).
    #[cold]
    #[inline(never)]
    pub fn read(text: &[u8], most_depth: usize) -> Tape {
        let mut tape = Tape { nodes: Vec::with_capacity(64), members: Vec::with_capacity(64), ..Tape::EMPTY };
        tape.begin(text, 0, text.len());
        let value = value_at(&tape.room, space::skip(text, 0));
        tape.put(Value::ABSENT, value, most_depth);
        tape
    }

    /// Adds a text with this content.
    #[cold]
    #[inline(never)]
    pub fn text(&mut self, content: &[u8]) {
        let text = self.keep(content);
        self.leaf(Value::ABSENT, text);
    }

    fn keep(&mut self, content: &[u8]) -> Value {
        let start = self.room.len();
        self.room.extend_from_slice(content);
        Value::new(Kind::Text, Value::ESCAPED, start, self.room.len())
    }

    /// The whole value.
    pub fn root(&self) -> Part<'_> {
        self.part(0)
    }

    /// The part at a place.
    pub fn part(&self, at: usize) -> Part<'_> {
        Part::of(self, at)
    }

    /// How many parts there are.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Notes what was found out about each part.
    pub fn link(&mut self, links: &[u32]) {
        self.nodes.iter_mut().zip(links).for_each(|(node, link)| node.link = *link);
    }

    pub(super) fn key(&self, key: Value) -> &[u8] {
        match key.kind() {
            Kind::Text => key.raw(&self.room),
            _ => KEYS.get(key.start()).map(|(_, name)| name.as_bytes()).unwrap_or_default(),
        }
    }

    /// Begins an object.
    pub fn open(&mut self, key: Value) {
        self.leaf(key, bare(Kind::Object));
    }

    /// Ends the object or array at a place.
    pub fn close(&mut self, at: usize) {
        let end = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(at) {
            node.end = end;
        }
    }

    #[inline(never)]
    fn leaf(&mut self, key: Value, value: Value) {
        let end = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { key, value, end, link: 0 });
    }

    /// A value of the text that the tape's is a part of.
    #[inline]
    pub fn here(&self, value: Value) -> Value {
        value.back(self.start)
    }

    /// The key of a member, with its content in the room if it was written with escapes.
    #[inline]
    pub fn decoded(&mut self, text: Value) -> Value {
        if text.has(Value::ESCAPED) { self.decode(text) } else { text }
    }

    #[cold]
    #[inline(never)]
    fn decode(&mut self, text: Value) -> Value {
        let content = string::content(&self.room, text).into_owned();
        self.keep(&content)
    }

    /// Adds a value under a key, and of what is within it as much as is not nested deeper than this.
    #[inline]
    pub fn put(&mut self, key: Value, value: Value, most_depth: usize) {
        if matches!(value.kind(), Kind::Array | Kind::Object) {
            return self.nested(key, value, most_depth);
        }
        let value = self.decoded(value);
        self.leaf(key, value);
    }

    #[inline(never)]
    fn nested(&mut self, key: Value, value: Value, most_depth: usize) {
        let first = self.members.len();
        let Some(most_depth) = most_depth.checked_sub(1) else { return self.leaf(key, Value::ABSENT) };
        self.members(value);
        self.object(key, value, first, most_depth);
    }

    /// Puts the members of an object by, or the items of an array.
    #[inline(never)]
    pub fn members(&mut self, value: Value) {
        let mut at = value.start() + 1;
        while at + 1 < value.end() {
            at = space::skip(&self.room, at);
            if let Some(b',' | b'}' | b']') = self.room.get(at) {
                at += 1;
                continue;
            }
            let mut key = Value::ABSENT;
            if value.kind() == Kind::Object {
                key = value_at(&self.room, at);
                at = space::skip(&self.room, space::skip(&self.room, key.after()) + 1);
                key = self.decoded(key);
            }
            let value = value_at(&self.room, at);
            at = value.after().max(at + 1);
            self.member(key, value);
        }
    }

    /// Puts a member of an object by.
    #[inline(never)]
    pub fn member(&mut self, key: Value, value: Value) {
        self.members.push(Member { key, value });
    }

    /// Forgets the members that were put by and that a schema does not see.
    #[cold]
    #[inline(never)]
    pub fn forget(&mut self, is_unseen: &dyn Fn(&[u8], Kind) -> bool) {
        let mut kept = 0;
        for place in 0..self.members.len() {
            if self.members.get(place).is_some_and(|member| !is_unseen(self.key(member.key), member.value.kind())) {
                self.members.swap(kept, place);
                kept += 1;
            }
        }
        self.members.truncate(kept);
    }

    /// Adds an object of the members that were put by since then, in [order](json::order), or an array of its items.
    #[inline(never)]
    pub fn object(&mut self, key: Value, value: Value, first: usize, most_depth: usize) {
        if value.kind() == Kind::Object {
            self.sort(first);
        }
        let at = self.nodes.len();
        self.leaf(key, value);
        let mut place = first;
        while let Some(&Member { key, value }) = self.members.get(place) {
            self.put(key, value, most_depth);
            place += 1;
        }
        self.members.truncate(first);
        self.close(at);
    }

    fn sort(&mut self, first: usize) {
        if self.members.len() - first <= json::FEW {
            let mut members = std::mem::take(&mut self.members);
            let is_after = |one: &Member, other: &Member| json::is_after(self.key(one.key), self.key(other.key));
            json::sort_few(members.get_mut(first..).unwrap_or_default(), is_after);
            self.members = members;
            return;
        }
        let members = self.members.get(first..).unwrap_or_default();
        let key = |place: usize| members.get(place).map(|member| self.key(member.key)).unwrap_or_default();
        let order = json::order(members.len(), &key);
        let sorted: Vec<_> = order.into_iter().filter_map(|place| members.get(place).copied()).collect();
        self.members.truncate(first);
        self.members.extend(sorted);
    }
}

/// The value that begins there.
pub fn value_at(text: &[u8], start: usize) -> Value {
    let (kind, end) = match text.get(start) {
        Some(b'"') => return string::read(text, start + 1, &mut Faults::default()).unwrap_or_default(),
        Some(b'{') => (Kind::Object, end_of(text, start)),
        Some(b'[') => (Kind::Array, end_of(text, start)),
        Some(b't') => (Kind::True, start + 4),
        Some(b'f') => (Kind::False, start + 5),
        Some(b'n') => (Kind::Null, start + 4),
        _ => match number::read(text, start) {
            Some((end, ..)) => (Kind::Number, end),
            None => return Value::ABSENT,
        },
    };
    Value::new(kind, 0, start, end)
}

/// Where the object or array that begins there ends.
pub fn end_of(text: &[u8], mut at: usize) -> usize {
    let mut open = 0usize;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = value_at(text, at).end().max(at),
            b'{' | b'[' => open += 1,
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if open == 0 {
            break;
        }
    }
    at
}
