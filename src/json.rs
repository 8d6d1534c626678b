//! JSON as a tree, for the registry snapshot; events never become one.
//!
//! Built on the reader's own texts and numbers, because a library for it would be more than half of the module that a
//! browser loads.

use crate::reading::Faults;
use crate::{number, text};

/// A JSON value; a number is kept as it was written.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Json {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// The deepest nesting of a snapshot.
const MOST_DEPTH: usize = 16;

impl Json {
    /// Reads a whole text.
    pub fn read(json: &[u8]) -> Option<Json> {
        let mut reader = Reader { json, at: 0 };
        let value = reader.value(0)?;
        (reader.peek().is_none()).then_some(value)
    }

    /// The member of that name; null where there is none.
    #[inline(never)]
    pub fn get(&self, name: &str) -> &Json {
        self.members().iter().find(|(key, _)| key == name).map_or(&Json::Null, |(_, value)| value)
    }

    /// The members of an object, and none of anything else.
    pub fn members(&self) -> &[(String, Json)] {
        if let Json::Object(members) = self { members } else { &[] }
    }

    /// The content of a text.
    pub fn text(&self) -> Option<&str> {
        if let Json::Text(content) = self { Some(content) } else { None }
    }

    /// The items of a list.
    pub fn list(&self) -> Option<&[Json]> {
        if let Json::List(items) = self { Some(items) } else { None }
    }

    /// A list of texts.
    pub fn texts(&self) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        for item in self.list()? {
            texts.push(item.text()?.into());
        }
        Some(texts)
    }
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.json.get(self.at) {
            self.at += 1;
        }
        self.json.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
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

    fn literal(&mut self, word: &[u8], value: Json) -> Option<Json> {
        let found = self.json.get(self.at..)?.starts_with(word);
        self.at += word.len();
        found.then_some(value)
    }

    fn number(&mut self) -> Option<Json> {
        let (end, is_storable, _) = number::read(self.json, self.at)?;
        let raw = self.json.get(self.at..end)?.to_vec();
        self.at = end;
        String::from_utf8(raw).ok().filter(|_| is_storable).map(Json::Number)
    }

    fn text(&mut self) -> Option<String> {
        if !self.take(b'"') {
            return None;
        }
        let value = text::read(self.json, self.at, &mut Faults::default())?;
        self.at = value.end as usize + 1;
        String::from_utf8(text::content(self.json, value).into_owned()).ok()
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
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

    fn object(&mut self, depth: usize) -> Option<Json> {
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
