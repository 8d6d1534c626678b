//! Questions that several rules ask of a value. They take the value rather than the judge, because a judge that is
//! passed on as a whole has to be in memory, where the module's engine checks each access.

use crate::contract::field_names::KEYS;
use crate::contract::vocabulary::{Field, Kind, SCORE_WORDS, TEXT_COLUMNS};
use crate::contract::words;
use crate::ids;
use crate::parse::json::{Json, Member};
use crate::parse::{Event, Value, number, string};
use crate::privacy::email;
use crate::privacy::find::{self, Found};
use crate::registry::Registry;

/// What `read` makes of a value's content, if the value is text.
#[inline]
pub fn with_text<T>(text: &[u8], value: Value, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
    if value.kind() != Kind::Text {
        return None;
    }
    let mut room = Vec::new();
    read(string::content_in(text, value, &mut room))
}

/// Whether a value is text whose content satisfies the test.
#[inline]
pub fn text_is(text: &[u8], value: Value, test: impl FnOnce(&[u8]) -> bool) -> bool {
    with_text(text, value, |content| test(content).then_some(())).is_some()
}

/// The same where it is seldom asked.
#[inline(never)]
fn content_is(text: &[u8], value: Value, test: &dyn Fn(&[u8]) -> bool) -> bool {
    value.kind() == Kind::Text && test(&string::content(text, value))
}

/// Whether it is a UUID, even one that was written with escapes or is at the very end of the text.
#[cold]
#[inline(never)]
pub fn is_uuid_slowly(text: &[u8], value: Value) -> bool {
    text_is(text, value, ids::is_uuid)
}

#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
pub fn is_one_of(text: &[u8], value: Value, choices: &[&str]) -> bool {
    value.kind() == Kind::Text && choices.iter().any(|choice| string::equals(text, value, choice.as_bytes()))
}

#[cfg_attr(target_arch = "wasm32", inline(never))]
pub fn is_number(text: &[u8], value: Value, least: u32, most: Option<u32>) -> bool {
    value.kind() == Kind::Number && number::within(value.raw(text), least, most)
}

#[cfg_attr(target_arch = "wasm32", inline(never))]
pub fn is_state(text: &[u8], value: Value, registry: &Registry) -> bool {
    text_is(text, value, |id| registry.has_state(id))
}

#[cfg_attr(target_arch = "wasm32", inline(never))]
pub fn is_like(text: &[u8], value: Value) -> bool {
    content_is(text, value, &words::names_like)
}

/// Looks more closely at the texts, numbers and keys of metadata, and the texts in columns, once something in them is
/// suspicious.
#[cold]
#[inline(never)]
pub fn look_closer(text: &[u8], event: &Event) -> Found {
    let columns = TEXT_COLUMNS.iter().map(|&field| (None, event.value(field)));
    let columns = columns.filter(|(_, value)| value.kind() == Kind::Text);
    let metadata = event.value(Field::Metadata);
    let own = matches!(metadata.kind(), Kind::Text | Kind::Number).then_some((None, metadata));
    let content = |key: Option<Value>| key.map(|key| string::content(text, key)).unwrap_or_default();
    let mut found = Found::NOTHING;
    for (key, value) in columns.chain(own).chain(string::leaves(text, metadata)) {
        found = found.and(match value.kind() {
            Kind::Text if value.suspicion() != 0 => find::in_text(&content(key), &string::content(text, value)),
            Kind::Number => find::in_number(&content(key), value.raw(text)),
            _ => Found::NOTHING,
        });
    }
    found
}

#[cold]
#[inline(never)]
pub fn is_sha256(text: &[u8], value: Value) -> bool {
    content_is(text, value, &email::is_hash)
}

/// Whether a key of metadata has the word score, at any depth.
#[inline(never)]
pub fn names_score(text: &[u8], event: &Event) -> bool {
    let is_nested = |value: Value| matches!(value.kind(), Kind::Array | Kind::Object);
    let is_of_metadata = |field: Field| field.in_metadata() && field != Field::OriginalPayloadSnapshot;
    let mut nests = KEYS
        .iter()
        .skip(Field::Email as usize)
        .any(|&(field, _)| is_nested(event.value(field)) && is_of_metadata(field));
    for member in event.members() {
        if claims_score(&string::content(text, member.key)) {
            return true;
        }
        nests |= is_nested(member.value);
    }
    nests && any_object(text, event, &|members| members.iter().any(|(key, _)| claims_score(key)))
}

/// Whether an object of metadata names a blocked jump.
#[cold]
#[inline(never)]
pub fn names_blocked_jump(text: &[u8], event: &Event, registry: &Registry) -> bool {
    any_object(text, event, &|members| blocked_state(members, registry).is_some())
}

/// The first key of an object that names the state to which a blocked jump leads.
pub fn blocked_state<'a>(members: &'a [Member], registry: &Registry) -> Option<&'a [u8]> {
    let states = |is_prior: bool| {
        let named = members.iter().filter(move |(key, _)| words::state_named(key) == Some(is_prior));
        named.filter_map(|(key, value)| Some((key.as_ref(), value.text()?)))
    };
    states(false).find(|(_, to)| states(true).any(|(_, from)| registry.blocks_jump(from, to))).map(|(key, _)| key)
}

/// Whether a key has the word score.
#[inline]
pub fn claims_score(key: &[u8]) -> bool {
    let may_be = key.windows(5).any(|part| part.eq_ignore_ascii_case(b"score"));
    may_be && words::has_word(key, &SCORE_WORDS)
}

/// Whether an object of metadata passes a test, be it metadata itself or within it. What was kept of a rejected event is
/// passed over: it shows what somebody else said.
fn any_object(text: &[u8], event: &Event, test: &dyn Fn(&[Member]) -> bool) -> bool {
    fn is_in(value: &Json, test: &dyn Fn(&[Member]) -> bool, apart: &str) -> bool {
        let members = value.members();
        test(members)
            || value.list().unwrap_or_default().iter().any(|item| is_in(item, test, ""))
            || members.iter().any(|(key, value)| **key != *apart.as_bytes() && is_in(value, test, ""))
    }
    let metadata = event.value(Field::Metadata);
    let metadata = if metadata.kind() == Kind::Object { Json::event(metadata.raw(text)) } else { Json::Null };
    is_in(&metadata, test, Field::OriginalPayloadSnapshot.key())
}
