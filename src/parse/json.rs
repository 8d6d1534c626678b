//! JSON as a tree: for a rejected event, whose places and record need one. Accepted events never become a tree.
//!
//! It is built on the reader's own texts and numbers, because a library for it would be more than half of the module
//! that a browser loads.

use super::tape::{self, bare};
use super::{Value, number, space, string};
use crate::contract::limits::MOST_DEPTH;
use crate::contract::vocabulary::Kind;
use crate::short;
use crate::write::{self, put};
use std::borrow::Cow;

/// A JSON value, borrowed from the text it was read from; a number is kept as it was written. A text or key is owned if
/// it was written with escapes, so a borrowed one needs none when it is written.
#[derive(Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub enum Json<'a> {
    #[default]
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
    /// Reads a text that the parser has read before. The members of its objects are in [order].
    #[cold]
    #[inline(never)]
    pub fn event(json: &'a [u8]) -> Json<'a> {
        Json::grown(json, &mut space::skip(json, 0), MOST_DEPTH)
    }

    /// Reads the value that begins there, as deep as it may be nested, and goes on to the place after it.
    #[cold]
    #[inline(never)]
    fn grown(text: &'a [u8], at: &mut usize, most_depth: usize) -> Json<'a> {
        let value = match text.get(*at) {
            Some(b'{' | b'[') if most_depth == 0 => Value::new(Kind::Absent, 0, *at, tape::end_of(text, *at)),
            Some(b'{' | b'[') => bare(Kind::Object),
            _ => tape::value_at(text, *at),
        };
        let is_object = text.get(*at) == Some(&b'{');
        *at = value.after().max(*at + 1);
        match value.kind() {
            Kind::Absent => Json::Deep,
            Kind::Null => Json::Null,
            Kind::False => Json::Boolean(false),
            Kind::True => Json::Boolean(true),
            Kind::Number => Json::Number(value.raw(text).into()),
            Kind::Text => Json::Text(string::content(text, value)),
            Kind::Object if is_object => {
                let mut members = Vec::with_capacity(16);
                while next(text, at) {
                    let key = tape::value_at(text, *at);
                    *at = space::skip(text, space::skip(text, key.after()) + 1);
                    members.push((string::content(text, key), Json::grown(text, at, most_depth - 1)));
                }
                sort(&mut members);
                Json::Object(members)
            }
            Kind::Object | Kind::Array => {
                let mut items = Vec::new();
                while next(text, at) {
                    items.push(Json::grown(text, at, most_depth - 1));
                }
                Json::List(items)
            }
        }
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

    /// Appends the value as Postgres writes a `jsonb`, if its members are in [order](sort).
    #[cold]
    #[inline(never)]
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Json::Null | Json::Deep => put(out, b"null"),
            Json::Boolean(value) => put(out, if *value { b"true" } else { b"false" }),
            Json::Number(raw) => number::write_plain(out, raw),
            Json::Text(content) => write_text(out, content),
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
                    if index > 0 {
                        put(out, b", ");
                    }
                    write_text(out, key);
                    put(out, b": ");
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

/// Appends a text or key as a JSON string.
#[expect(clippy::ptr_arg, reason = "whether it is owned says whether it may have to be escaped")]
fn write_text(out: &mut Vec<u8>, content: &Cow<[u8]>) {
    match content {
        Cow::Borrowed(plain) => {
            debug_assert!(plain.iter().all(|byte| !matches!(byte, 0..b' ' | b'"' | b'\\')));
            out.push(b'"');
            put(out, plain);
            out.push(b'"');
        }
        Cow::Owned(content) => write::text(out, content),
    }
}

/// Moves to the next part of an object or array and says whether there is one. If not, it moves past the end.
pub fn next(text: &[u8], at: &mut usize) -> bool {
    loop {
        *at = space::skip(text, *at);
        match text.get(*at) {
            Some(b',') => *at += 1,
            Some(b'}' | b']') | None => {
                *at += 1;
                return false;
            }
            Some(_) => return true,
        }
    }
}

/// Puts members into the [order] in which Postgres keeps them.
#[cold]
#[inline(never)]
pub fn sort(members: &mut Vec<Member>) {
    let order = order(members.len(), &|place| members.get(place).map(|(key, _)| &**key).unwrap_or_default());
    *members = order.into_iter().filter_map(|place| members.get_mut(place).map(std::mem::take)).collect();
}

/// So many members are sooner put in order one by one.
pub const FEW: usize = 32;

/// Puts a few things in order one by one.
#[inline]
pub fn sort_few<T>(members: &mut [T], is_after: impl Fn(&T, &T) -> bool) {
    for mut place in 1..members.len() {
        while let Some([before, here]) = place.checked_sub(1).and_then(|before| members.get(before..=place)) {
            if !is_after(before, here) {
                break;
            }
            members.swap(place - 1, place);
            place -= 1;
        }
    }
}

/// Whether a key comes after another in the [order] of members.
#[inline]
pub fn is_after(key: &[u8], other: &[u8]) -> bool {
    key.len() > other.len() || key.len() == other.len() && key > other
}

/// The order in which Postgres keeps members, as their places: shorter keys first, those of one length by their bytes, and
/// the same key as it came. A heap is a tenth of the library's own sort, as code, and nobody's choice of keys makes it
/// slow.
#[cold]
#[inline(never)]
pub fn order<'a>(count: usize, key: &dyn Fn(usize) -> &'a [u8]) -> Vec<usize> {
    let comes_after = |one: usize, other: usize| {
        let (key, other_key) = (key(one), key(other));
        is_after(key, other_key) || key == other_key && one > other
    };
    let mut order: Vec<usize> = (0..count).collect();
    // First every half becomes a heap, and then its largest goes to the end, again and again.
    for step in (1..count + count / 2).rev() {
        let (mut top, end) = if step >= count { (step - count, count) } else { (0, step) };
        if step < count {
            order.swap(0, step);
        }
        loop {
            let mut largest = 2 * top + 1;
            if largest + 1 < end && comes_after(order[largest + 1], order[largest]) {
                largest += 1;
            }
            if largest >= end || !comes_after(order[largest], order[top]) {
                break;
            }
            order.swap(top, largest);
            top = largest;
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::{Json, Member, sort};

    #[test]
    fn few_members_and_many_come_in_the_same_order() {
        for count in [0, 1, 2, 31, 32, 33, 64, 1000] {
            // Some keys are there twice, and keep the order in which they came.
            let key = |place: usize| format!("{:x}", place * 7919 % 701).into_bytes();
            let member = |place: usize| (key(place).into(), Json::Number(place.to_string().into_bytes().into()));
            let mut members: Vec<Member> = (0..count).map(member).collect();
            let mut expected: Vec<usize> = (0..count).collect();
            expected.sort_by_key(|place| (key(*place).len(), key(*place)));
            sort(&mut members);
            assert_eq!(members, expected.into_iter().map(member).collect::<Vec<_>>());
        }
    }
}
