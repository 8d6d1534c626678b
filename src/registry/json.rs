//! JSON as a tree, for the registry snapshot; events never become a tree.
//!
//! It is built on the reader's own texts and numbers, because a library for it would be more than half of the module
//! that a browser loads.

use crate::contract::limits::MOST_DEPTH;
use crate::parse::{Faults, number, space, string};
use std::borrow::Cow;

/// A JSON value, borrowed from the text it was read from; a number is kept as it was written.
#[derive(Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Json<'a> {
    Null,
    Boolean(bool),
    Number(&'a [u8]),
    Text(Cow<'a, [u8]>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, [u8]>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads a whole text.
    pub fn read(json: &'a [u8]) -> Option<Json<'a>> {
        let mut reader = Reader { json, at: 0 };
        let value = reader.value(0)?;
        (reader.peek().is_none()).then_some(value)
    }

    /// The member with that name, or null if there is none.
    #[inline(never)]
    pub fn get(&self, name: &str) -> &Json<'a> {
        self.members().iter().find(|(key, _)| **key == *name.as_bytes()).map_or(&Json::Null, |(_, value)| value)
    }

    /// The members of an object; any other value has no members.
    pub fn members(&self) -> &[(Cow<'a, [u8]>, Json<'a>)] {
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

    /// A list of texts.
    pub fn texts(&self) -> Option<Vec<Box<[u8]>>> {
        let mut texts = Vec::new();
        for item in self.list()? {
            texts.push(item.text()?.into());
        }
        Some(texts)
    }
}

/// The message for a snapshot whose entry with that name is missing or has the wrong form.
#[cold]
pub(super) fn missing(name: &str) -> String {
    ["the registry snapshot has no `", name, "` of the form it should have"].concat()
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
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

    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        if depth > MOST_DEPTH {
            return None;
        }
        match self.peek()? {
            b'"' => self.text().map(Json::Text),
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

    fn number(&mut self) -> Option<Json<'a>> {
        let (end, is_storable, _) = number::read(self.json, self.at)?;
        let raw = self.json.get(self.at..end)?;
        self.at = end;
        is_storable.then_some(Json::Number(raw))
    }

    fn text(&mut self) -> Option<Cow<'a, [u8]>> {
        if !self.take(b'"') {
            return None;
        }
        let value = string::read(self.json, self.at, &mut Faults::default())?;
        self.at = value.end() + 1;
        Some(string::content(self.json, value))
    }

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

    fn object(&mut self, depth: usize) -> Option<Json<'a>> {
        self.at += 1;
        let mut members = Vec::new();
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
            if !self.take(b',') {
                return self.take(b'}').then_some(Json::Object(members));
            }
        }
    }
}
