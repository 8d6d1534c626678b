//! A part of a [tape](super::tape): what it says, and what is within it.

use super::tape::{Node, Tape};
use super::value::Value;
use crate::contract::vocabulary::Kind;
use crate::short;

/// A part of a value, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    tape: &'a Tape,
    at: usize,
}

impl<'a> Part<'a> {
    /// The part at a place.
    pub fn of(tape: &'a Tape, at: usize) -> Part<'a> {
        Part { tape, at }
    }

    #[inline]
    fn node(self) -> Option<&'a Node> {
        self.tape.nodes.get(self.at)
    }

    /// The value, in the text of the tape or in its room.
    #[inline]
    pub fn value(self) -> Value {
        self.node().map_or(Value::ABSENT, |node| node.value)
    }

    /// One past the last part within it.
    #[inline]
    fn end(self) -> usize {
        self.node().map_or(0, |node| node.end as usize)
    }

    /// Its place on the tape.
    pub fn at(self) -> usize {
        self.at
    }

    /// Its kind; what is nested too deep to be looked into is absent.
    #[inline]
    pub fn kind(self) -> Kind {
        self.value().kind()
    }

    /// What a schema's reader [noted](Tape::link).
    #[inline]
    pub fn link(self) -> u32 {
        self.node().map_or(0, |node| node.link)
    }

    /// Its key, if it is a member of an object.
    #[inline(never)]
    pub fn key(self) -> &'a [u8] {
        self.tape.key(self.key_value())
    }

    /// The same of its key.
    #[inline]
    pub fn key_value(self) -> Value {
        self.node().map_or(Value::ABSENT, |node| node.key)
    }

    /// The content of a text, and anything else as it was written.
    #[inline(never)]
    pub fn content(self) -> &'a [u8] {
        self.value().raw(&self.tape.room)
    }

    /// The content of a text.
    #[inline(never)]
    pub fn text(self) -> Option<&'a [u8]> {
        (self.kind() == Kind::Text).then(|| self.content())
    }

    /// A number as it was written.
    #[inline(never)]
    pub fn number(self) -> Option<&'a [u8]> {
        (self.kind() == Kind::Number).then(|| self.content())
    }

    /// How many characters a text has.
    pub fn characters(self) -> usize {
        let value = self.value();
        match value.has(Value::ESCAPED | Value::NON_ASCII) {
            true => self.content().iter().filter(|&&byte| byte & 0xc0 != 0x80).count(),
            false => value.end() - value.start(),
        }
    }

    /// The members of an object, or the items of an array; nothing else has parts.
    #[inline]
    pub fn parts(self) -> Parts<'a> {
        Parts { tape: self.tape, at: self.at + 1, end: self.end() }
    }

    /// The members of an object; nothing else has members.
    #[inline(never)]
    pub fn members(self) -> Parts<'a> {
        let Parts { tape, at, end } = self.parts();
        Parts { tape, at, end: if self.kind() == Kind::Object { end } else { 0 } }
    }

    /// The member of an object with that name; what is not there is absent, and has no parts.
    #[inline(never)]
    pub fn get(self, name: &str) -> Part<'a> {
        self.member(name.as_bytes()).unwrap_or(Part { tape: self.tape, at: usize::MAX - 1 })
    }

    /// Whether it is null or absent.
    pub fn is_nothing(self) -> bool {
        matches!(self.kind(), Kind::Absent | Kind::Null)
    }

    /// The items of a list; nothing else has items.
    #[inline(never)]
    pub fn items(self) -> Parts<'a> {
        let Parts { tape, at, end } = self.parts();
        Parts { tape, at, end: if self.kind() == Kind::Array { end } else { 0 } }
    }

    /// The items of a list, if it is one.
    pub fn list(self) -> Option<Parts<'a>> {
        (self.kind() == Kind::Array).then(|| self.parts())
    }

    /// A list of texts.
    #[inline(never)]
    pub fn texts(self) -> Option<Vec<Box<[u8]>>> {
        let mut texts = Vec::new();
        for item in self.list()? {
            texts.push(item.text()?.into());
        }
        Some(texts)
    }

    /// The member of an object with that key, if there is one.
    #[inline(never)]
    pub fn member(self, key: &[u8]) -> Option<Part<'a>> {
        self.members().find(|part| {
            let known = part.key_value();
            known.end() - known.start() == key.len() && short::is_same(part.key(), key)
        })
    }
}

/// The parts of an object or array, one after the other.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    tape: &'a Tape,
    at: usize,
    end: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    #[inline]
    fn next(&mut self) -> Option<Part<'a>> {
        let part = Part { tape: self.tape, at: self.at };
        if self.at >= self.end {
            return None;
        }
        self.at = part.end();
        Some(part)
    }
}
