//! JSON as a tree: for the registry's snapshot, and for a rejected event, whose places and record need one. Accepted
//! events never become a tree.
//!
//! It is built on the reader's own texts and numbers, because a library for it would be more than half of the module
//! that a browser loads.

use super::{Faults, number, space, string};
use crate::contract::limits::{MOST_DEPTH, REGISTRY_DEPTH};
use crate::short;
use crate::write::{self, put};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A JSON value, borrowed from the text it was read from; a number is kept as it was written.
#[derive(Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Json<'a> {
    Null,
    Boolean(bool),
    Number(Cow<'a, [u8]>),
    Text(Cow<'a, [u8]>),
    List(Vec<Json<'a>>),
    Object(Vec<Member<'a>>),
    /// An object or array that is nested too deep to be looked into.
    Deep,
}

/// A step on the way to a part of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// To the member of an object with that key.
    Key(&'a [u8]),
    /// To an item of a list.
    Item(usize),
}

/// A key and its value.
pub type Member<'a> = (Cow<'a, [u8]>, Json<'a>);

impl<'a> Json<'a> {
    /// Reads a whole text, such as a snapshot of the registry.
    pub fn read(json: &'a [u8]) -> Option<Json<'a>> {
        let mut reader = Reader { json, at: 0, is_event: false };
        let value = reader.value(0)?;
        (reader.peek().is_none()).then_some(value)
    }

    /// Reads an event that the parser has read before. The members of its objects are in the order in which Postgres
    /// keeps them.
    pub fn event(json: &'a [u8]) -> Json<'a> {
        Reader { json, at: 0, is_event: true }.value(0).unwrap_or(Json::Null)
    }

    /// The member with that name, or null if there is none.
    #[inline(never)]
    pub fn get(&self, name: &str) -> &Json<'a> {
        self.member(name.as_bytes()).unwrap_or(&Json::Null)
    }

    /// The member with that key, if there is one.
    #[inline(never)]
    pub fn member(&self, key: &[u8]) -> Option<&Json<'a>> {
        self.members().iter().find(|(known, _)| short::is_same(known, key)).map(|(_, value)| value)
    }

    /// The members of an object; any other value has no members.
    pub fn members(&self) -> &[Member<'a>] {
        if let Json::Object(members) = self { members } else { &[] }
    }

    /// The content of a text, which is UTF-8.
    pub fn text(&self) -> Option<&[u8]> {
        if let Json::Text(content) = self { Some(content) } else { None }
    }

    /// The items of a list.
    pub fn list(&self) -> Option<&[Json<'a>]> {
        if let Json::List(items) = self { Some(items) } else { None }
    }

    /// A number as it was written.
    pub fn number(&self) -> Option<&[u8]> {
        if let Json::Number(raw) = self { Some(raw) } else { None }
    }

    /// A list of texts.
    pub fn texts(&self) -> Option<Vec<Box<[u8]>>> {
        let mut texts = Vec::new();
        for item in self.list()? {
            texts.push(item.text()?.into());
        }
        Some(texts)
    }

    /// The same value, which borrows nothing, with the members of its objects in [order](sort).
    #[cold]
    #[inline(never)]
    pub fn kept(&self) -> Json<'static> {
        let owned = |bytes: &[u8]| Cow::Owned(bytes.to_vec());
        match self {
            Json::Null => Json::Null,
            Json::Deep => Json::Deep,
            Json::Boolean(value) => Json::Boolean(*value),
            Json::Number(raw) => Json::Number(owned(raw)),
            Json::Text(content) => Json::Text(owned(content)),
            Json::List(items) => Json::List(items.iter().map(Json::kept).collect()),
            Json::Object(members) => {
                let mut members = members.iter().map(|(key, value)| (owned(key), value.kept())).collect();
                sort(&mut members);
                Json::Object(members)
            }
        }
    }

    /// Appends the value as Postgres writes a `jsonb`, if its members are in [order](sort).
    #[cold]
    #[inline(never)]
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Json::Null | Json::Deep => put(out, b"null"),
            Json::Boolean(value) => put(out, if *value { b"true" } else { b"false" }),
            Json::Number(raw) => number::write_plain(out, raw),
            Json::Text(content) => write::text(out, content),
            Json::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    put(out, if index > 0 { b", " } else { b"" });
                    item.write(out);
                }
                out.push(b']');
            }
            Json::Object(members) => {
                out.push(b'{');
                for (index, (key, value)) in members.iter().enumerate() {
                    put(out, if index > 0 { b", " } else { b"" });
                    write::text(out, key);
                    put(out, b": ");
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

/// Puts members into the order in which Postgres keeps them: shorter keys first, and those of one length by their bytes.
/// A heap is a tenth of the library's own sort, as code, and nobody's choice of keys makes it slow.
#[cold]
#[inline(never)]
pub fn sort(members: &mut Vec<Member>) {
    let mut heap: BinaryHeap<_> = std::mem::take(members).into_iter().enumerate().map(Ordered).collect();
    while let Some(Ordered((_, member))) = heap.pop() {
        members.push(member);
    }
    members.reverse();
}

/// A member that compares by its key, and after that by its place.
struct Ordered<'a>((usize, Member<'a>));

impl Ord for Ordered<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let Ordered((place, (key, _))) = self;
        let Ordered((other_place, (other_key, _))) = other;
        (key.len(), key, place).cmp(&(other_key.len(), other_key, other_place))
    }
}

impl PartialOrd for Ordered<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered<'_> {}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
    is_event: bool,
}

impl<'a> Reader<'a> {
    fn peek(&mut self) -> Option<u8> {
        self.at = space::skip(self.json, self.at);
        self.json.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn most_depth(&self) -> usize {
        if self.is_event { MOST_DEPTH } else { REGISTRY_DEPTH }
    }

    #[cold]
    #[inline(never)]
    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        let first = self.peek()?;
        match first {
            b'"' => self.text().map(Json::Text),
            b'{' | b'[' if depth >= self.most_depth() => self.pass_over(),
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b't' => self.literal(b"true", Json::Boolean(true)),
            b'f' => self.literal(b"false", Json::Boolean(false)),
            b'n' => self.literal(b"null", Json::Null),
            _ => self.number(),
        }
    }

    fn literal(&mut self, word: &[u8], value: Json<'a>) -> Option<Json<'a>> {
        let found = self.json.get(self.at..)?.starts_with(word);
        self.at += word.len();
        found.then_some(value)
    }

    #[cold]
    #[inline(never)]
    fn number(&mut self) -> Option<Json<'a>> {
        let (end, ..) = number::read(self.json, self.at)?;
        let raw = self.json.get(self.at..end)?;
        self.at = end;
        Some(Json::Number(raw.into()))
    }

    #[cold]
    #[inline(never)]
    fn text(&mut self) -> Option<Cow<'a, [u8]>> {
        if !self.take(b'"') {
            return None;
        }
        let value = string::read(self.json, self.at, &mut Faults::default())?;
        self.at = value.end() + 1;
        Some(string::content(self.json, value))
    }

    #[cold]
    #[inline(never)]
    fn list(&mut self, depth: usize) -> Option<Json<'a>> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(b']') {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.take(b',') {
                return self.take(b']').then_some(Json::List(items));
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn object(&mut self, depth: usize) -> Option<Json<'a>> {
        self.at += 1;
        let mut members = Vec::with_capacity(8);
        if self.take(b'}') {
            return Some(Json::Object(members));
        }
        loop {
            self.peek();
            let key = self.text()?;
            if !self.take(b':') {
                return None;
            }
            members.push((key, self.value(depth + 1)?));
            if self.take(b',') {
                continue;
            }
            if self.is_event {
                sort(&mut members);
            }
            return self.take(b'}').then_some(Json::Object(members));
        }
    }

    /// Passes over an object or array that is nested too deep, whatever is in it.
    #[cold]
    #[inline(never)]
    fn pass_over(&mut self) -> Option<Json<'a>> {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.text()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(Json::Deep);
            }
        }
        None
    }
}
