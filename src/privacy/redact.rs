//! Redaction: what is kept of a rejected event, with nothing personal in it.
//!
//! Every engine writes the same: the whole redacted text, of which the digest is taken, and the snapshot, which is that
//! text or, if it has no room in an audit row, a shortened form of it.

use super::find::{self, Found};
use crate::contract::limits::{NUMBER_LENGTH, OUTLINE_BYTES, SNAPSHOT_DEPTH, SNAPSHOT_KEY, SNAPSHOT_TEXT};
use crate::contract::personal_keys;
use crate::contract::personal_words::LEAST_NUMBER;
use crate::contract::vocabulary::{Field, RECORD_KEYS};
use crate::parse::json::{Json, Member, sort};
use crate::parse::key_cache::Level;
use crate::parse::{number, space};
use crate::registry::Registry;
use crate::registry::payload::EventType;
use crate::write;
use std::borrow::Cow;

/// What stands for a text that holds an e-mail address.
pub const EMAIL: &str = "[redacted:email]";
/// What stands for a key that names personal data, for its value, and for a text or number that is personal.
pub const PERSONAL: &str = "[redacted:personal]";
/// What stands for a text that holds a credential.
pub const SECRET: &str = "[redacted:secret]";
/// What stands for the value of a top-level field that nobody has vetted.
pub const UNKNOWN: &str = "[redacted:unknown field]";
/// What stands for a key that is too long to be shown.
pub const SHORTENED_KEY: &str = "[shortened:key]";
/// What stands for everything nested deeper than a snapshot shows.
pub const NESTED: &str = "[shortened:nested]";
/// What stands for a number that has too many digits to be shown; it is never cut, because it would be another number.
pub const NUMBER: &str = "[shortened:number]";
/// What stands for a payload that holds nothing at all.
pub const EMPTY: &str = "[empty]";

/// What replaces a text that must not be kept, under a key if it has one.
#[cold]
#[inline(never)]
pub fn replacement(key: &[u8], content: &[u8]) -> Option<&'static str> {
    name(find::in_text(key, content))
}

/// What stands for something in which this was found.
const fn name(found: Found) -> Option<&'static str> {
    if found.has(Found::EMAIL) {
        Some(EMAIL)
    } else if found.has(Found::PERSONAL) {
        Some(PERSONAL)
    } else if found.has(Found::SECRET) {
        Some(SECRET)
    } else {
        None
    }
}

/// Whether a place can name a key: it is not personal itself, and not too long.
#[cold]
#[inline(never)]
pub fn is_shown(key: &[u8]) -> bool {
    characters(key) <= SNAPSHOT_KEY && replacement(b"", key).is_none()
}

/// Whether a key names personal data that its value can be.
#[cold]
#[inline(never)]
pub fn is_personal(key: &[u8], value: &Json, registry: &Registry) -> bool {
    named(key, registry).is_some_and(|measures| can_be(measures, value))
}

/// Whether a key names personal data, and if so, whether a small number under it is personal too.
fn named(key: &[u8], registry: &Registry) -> Option<bool> {
    // What the contract calls something is not an install's to call personal, or its audit rows would be.
    let is_ours = || Field::top_level(key).is_some() || RECORD_KEYS.iter().any(|own| own.as_bytes() == key);
    let words = registry.personal_words.as_slice();
    let words = if words.is_empty() || is_ours() { &[] } else { words };
    if Field::of_metadata(key).is_none() { personal_keys::named(key, words) } else { None }
}

/// Whether a value can be personal data.
fn can_be(measures: bool, value: &Json) -> bool {
    match value {
        Json::Null | Json::Boolean(_) => false,
        Json::Number(raw) => measures || number::within(raw, LEAST_NUMBER, None),
        Json::Text(content) => !space::is_blank(content),
        Json::List(items) => !items.is_empty(),
        Json::Object(members) => !members.is_empty(),
        Json::Deep => true,
    }
}

/// How much is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Whole,
    /// Short texts and keys, and what is not nested deep.
    Short,
}

/// The value of an event or of any other JSON, with nothing personal in it.
#[cold]
#[inline(never)]
pub fn redacted<'a>(value: Json<'a>, is_event: bool, extent: Extent, registry: &Registry) -> Json<'a> {
    let entry = value.get(Field::EventType.key()).text().and_then(|id| registry.event_type(id));
    let redaction = Redaction { extent, registry, entry };
    match value {
        Json::Object(members) if is_event => redaction.object(members, 0, Level::Event),
        value => redaction.value(b"", value, 0),
    }
}

struct Redaction<'r> {
    extent: Extent,
    registry: &'r Registry,
    /// What is registered of the event's type.
    entry: Option<&'r EventType>,
}

impl Redaction<'_> {
    #[cold]
    #[inline(never)]
    fn value<'a>(&self, key: &[u8], value: Json<'a>, depth: usize) -> Json<'a> {
        let is_short = self.extent == Extent::Short;
        match value {
            Json::Deep => text(NESTED),
            Json::List(_) | Json::Object(_) if is_short && depth >= SNAPSHOT_DEPTH => text(NESTED),
            Json::Text(content) => {
                if let Some(name) = replacement(key, &content) {
                    return text(name);
                }
                match if is_short { cut(&content) } else { None } {
                    None => Json::Text(content),
                    Some(cut) => replacement(key, &cut).map_or(Json::Text(Cow::Owned(cut)), text),
                }
            }
            Json::Number(raw) if find::in_number(key, &raw) != Found::NOTHING => text(PERSONAL),
            Json::Number(raw) if !number::is_storable(&raw) || is_long(&raw) => text(NUMBER),
            Json::List(items) => Json::List(items.into_iter().map(|item| self.value(key, item, depth + 1)).collect()),
            Json::Object(members) => self.object(members, depth, Level::Nested),
            value => value,
        }
    }

    #[cold]
    #[inline(never)]
    fn object<'a>(&self, members: Vec<Member<'a>>, depth: usize, level: Level) -> Json<'a> {
        let mut replaced = 0;
        let mut shown: Vec<_> = members
            .into_iter()
            .map(|(key, value)| {
                let (name, value) = self.member(&key, value, depth, level);
                let Some(name) = name else { return (key, value) };
                replaced += 1;
                (Cow::Owned(numbered(name, replaced)), value)
            })
            .collect();
        if replaced > 0 {
            sort(&mut shown);
        }
        Json::Object(shown)
    }

    /// The name that replaces a key, if it must not be shown, and its value.
    #[cold]
    #[inline(never)]
    fn member<'a>(&self, key: &[u8], value: Json<'a>, depth: usize, level: Level) -> (Option<&'static str>, Json<'a>) {
        let is_event = level == Level::Event;
        let field = if is_event { Field::top_level(key) } else { None };
        if field == Some(Field::Email) {
            return (Some(PERSONAL), text(EMAIL));
        }
        // The names of the contract's own columns are never personal.
        let name = if field.is_none() { self.name(key) } else { None };
        let is_unknown = is_event && field.is_none();
        let is_exempt = level == Level::Metadata && self.entry.is_some_and(|entry| entry.exempts(key));
        let is_asked = field.is_none() && !is_exempt && name != Some(PERSONAL);
        let named = if is_asked { named(key, self.registry) } else { None };
        let is_personal = |value: &Json| named.is_some_and(|measures| can_be(measures, value));
        if name == Some(PERSONAL) || !is_unknown && is_personal(&value) {
            let is_email =
                |content: &[u8]| *content == *EMAIL.as_bytes() || find::in_text(b"", content).has(Found::EMAIL);
            let holds_email = !is_unknown && value.text().is_some_and(is_email);
            return (Some(PERSONAL), text(if holds_email { EMAIL } else { PERSONAL }));
        }
        let shown = match value {
            _ if is_unknown => text(UNKNOWN),
            Json::Object(members) if field == Some(Field::Metadata) => self.object(members, depth + 1, Level::Metadata),
            value => self.value(key, value, depth + 1),
        };
        // What stands for a value is a text, which the key can make personal even if the value was none.
        if is_personal(&shown) {
            return (Some(PERSONAL), text(PERSONAL));
        }
        (name, shown)
    }

    /// The name that replaces a key which is itself personal, or too long to be shown. A sender's own key that reads
    /// like such a name is replaced too, because otherwise a key could occur twice.
    #[cold]
    #[inline(never)]
    fn name(&self, key: &[u8]) -> Option<&'static str> {
        if key.starts_with(b"[redacted:") || replacement(b"", key).is_some() {
            Some(PERSONAL)
        } else if key.starts_with(b"[shortened:") || self.extent == Extent::Short && characters(key) > SNAPSHOT_KEY {
            Some(SHORTENED_KEY)
        } else {
            None
        }
    }
}

fn text<'a>(name: &'static str) -> Json<'a> {
    Json::Text(Cow::Borrowed(name.as_bytes()))
}

#[cold]
#[inline(never)]
fn numbered(name: &str, number: usize) -> Vec<u8> {
    let mut out = Vec::from(name);
    if number > 1 {
        out.push(b' ');
        write::number(&mut out, number);
    }
    out
}

fn is_first(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

#[cold]
#[inline(never)]
fn characters(content: &[u8]) -> usize {
    content.iter().filter(|&&byte| is_first(byte)).count()
}

/// The beginning of a text that is too long to be shown.
#[cold]
#[inline(never)]
fn cut(content: &[u8]) -> Option<Vec<u8>> {
    if content.len() <= SNAPSHOT_TEXT {
        return None;
    }
    let (end, _) = content.iter().enumerate().filter(|(_, byte)| is_first(**byte)).nth(SNAPSHOT_TEXT)?;
    Some([content.get(..end).unwrap_or_default(), "…".as_bytes()].concat())
}

/// Whether a number is longer, as Postgres writes it, than one may be in an event.
pub fn is_long(raw: &[u8]) -> bool {
    let has_power = raw.iter().any(|byte| matches!(byte, b'e' | b'E'));
    has_power && size(&Json::Number(raw.into())) > NUMBER_LENGTH
}

/// Whether a value at this depth is nested deeper than a snapshot shows.
#[cold]
#[inline(never)]
pub fn is_deep(value: &Json, depth: usize) -> bool {
    match value {
        Json::List(items) => depth >= SNAPSHOT_DEPTH || items.iter().any(|item| is_deep(item, depth + 1)),
        Json::Object(members) => depth >= SNAPSHOT_DEPTH || members.iter().any(|(_, value)| is_deep(value, depth + 1)),
        _ => false,
    }
}

/// The text of a redacted event as far as it has room in so many bytes: members that do not fit are left out, and of
/// objects and lists that do not, what fits. Its metadata comes last, because the columns say more for their size.
#[cold]
#[inline(never)]
pub fn fitted(value: Json, most: usize) -> Json {
    let Json::Object(mut members) = value else { return fit(value, most).unwrap_or(text(EMPTY)) };
    if let Some(place) = members.iter().position(|(key, _)| **key == *b"metadata") {
        let metadata = members.remove(place);
        members.push(metadata);
    }
    let mut fitted = fit(Json::Object(members), most).unwrap_or(text(EMPTY));
    if let Json::Object(members) = &mut fitted {
        sort(members);
    }
    fitted
}

#[cold]
#[inline(never)]
fn fit(value: Json, most: usize) -> Option<Json> {
    if size(&value) <= most {
        return Some(value);
    }
    let mut left = most.checked_sub(2)?;
    let separator = |is_first: bool| if is_first { 0 } else { 2 };
    match value {
        Json::Object(members) => {
            let mut kept: Vec<Member> = Vec::new();
            for (key, value) in members {
                let around = separator(kept.is_empty()) + text_size(&key) + 2;
                let Some(room) = left.checked_sub(around) else { continue };
                let Some(value) = fit(value, room) else { continue };
                left = room - size(&value);
                kept.push((key, value));
            }
            Some(Json::Object(kept))
        }
        Json::List(items) => {
            let mut kept = Vec::new();
            for item in items {
                let Some(room) = left.checked_sub(separator(kept.is_empty())) else { break };
                let is_whole = size(&item) <= room;
                let Some(item) = fit(item, room) else { break };
                left = room - size(&item);
                kept.push(item);
                if !is_whole {
                    break;
                }
            }
            Some(Json::List(kept))
        }
        _ => None,
    }
}

#[cold]
#[inline(never)]
fn size(value: &Json) -> usize {
    let mut out = Vec::new();
    value.write(&mut out);
    out.len()
}

/// How many bytes a text has as JSON.
#[cold]
#[inline(never)]
pub fn text_size(content: &[u8]) -> usize {
    let mut out = Vec::new();
    write::text(&mut out, content);
    out.len()
}

/// The outline of a text that cannot be read as an event: letters and digits are masked, so that the fault in its form
/// can be seen but nothing that it said.
#[cold]
#[inline(never)]
pub fn masked(body: &[u8]) -> Vec<u8> {
    body.iter()
        .filter(|&&byte| is_first(byte))
        .map(|&byte| match byte {
            b'0'..=b'9' => b'9',
            b'a'..=b'z' | b'A'..=b'Z' | b'@' | b'%' | b'+' | 0x80.. => b'x',
            0..0x20 => b' ',
            _ => byte,
        })
        .collect()
}

/// As much of an outline as a snapshot shows.
pub fn shown_of_outline(masked: &[u8]) -> &[u8] {
    masked.get(..OUTLINE_BYTES).unwrap_or(masked)
}
