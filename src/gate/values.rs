//! Questions that several rules ask of a value. They take the value rather than the judge, because a judge that is
//! passed on as a whole has to be in memory, where the module's engine checks each access.

use crate::contract::vocabulary::{Field, Kind, TEXT_COLUMNS};
use crate::ids;
use crate::parse::{Event, Value, number, string};
use crate::privacy::{email, numbers};
use crate::registry::Registry;

/// What a closer look at the texts found.
#[derive(Clone, Copy, Default)]
pub struct PersonalData {
    pub email: bool,
    pub value: bool,
}

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
    text_is(text, value, names_like)
}

/// Looks more closely at the texts and keys of metadata, and the texts in columns, once something in them is
/// suspicious.
#[cold]
#[inline(never)]
pub fn look_closer(text: &[u8], event: &Event) -> PersonalData {
    let metadata = event.value(Field::Metadata);
    let columns = TEXT_COLUMNS.iter().map(|&field| event.value(field)).chain([metadata]);
    let texts = columns.filter(|value| value.kind() == Kind::Text).chain(string::all_within(text, metadata));
    let mut found = PersonalData::default();
    for value in texts.filter(|value| value.suspicion() != 0) {
        let content = string::content(text, value);
        found.email |= email::is_in(&content);
        found.value |= numbers::holds_personal_value(&content);
    }
    found
}

fn names_like(content: &[u8]) -> bool {
    let ending = content.len().checked_sub(5).and_then(|at| content.get(at..)).unwrap_or_default();
    let word = match content {
        [word @ .., b'd' | b'D' | b's' | b'S'] => word,
        _ => content,
    };
    ending.eq_ignore_ascii_case(b"_like") || word.eq_ignore_ascii_case(b"like")
}
