//! The other predicates, by a plain reading of the contract.

use super::document::{Decimal, Json};
use audience_gate::contract::vocabulary::FIELDS;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What the gate adds to metadata for an address, with the longer name of the hash.
pub const HASH_MEMBERS: &str = r#""email_hash": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "email_hash_kind": "hmac-sha256", "#;

/// The part of it that names the kind of the hash, which the gate adds to a hash that was sent too.
pub const KIND_MEMBER: &str = r#""email_hash_kind": "hmac-sha256", "#;

/// ASCII white space as HTML defines it.
const SPACE: [char; 5] = [' ', '\t', '\n', '\u{c}', '\r'];

/// White space as Unicode defines it.
pub fn space(c: char) -> bool {
    matches!(c as u32, 9..=13 | 0x20 | 0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000)
}

pub fn blank(text: &str) -> bool {
    text.chars().all(space)
}

/// The 8-4-4-4-12 form, in either case.
pub fn uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().chars().all(|digit| digit.is_ascii_hexdigit())
}

pub fn sha256(text: &str) -> bool {
    let first = text.chars().next();
    text.len() == 64
        && text.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f'))
        && text.chars().any(|digit| Some(digit) != first)
        && text != digest("")
}

const LIKES: [&str; 20] = [
    "heart",
    "hearted",
    "hearts",
    "kudos",
    "like",
    "liked",
    "likes",
    "liking",
    "react",
    "reacted",
    "reaction",
    "reactions",
    "thumb",
    "thumbs",
    "thumbsup",
    "unlike",
    "unliked",
    "upvote",
    "upvoted",
    "upvotes",
];

pub fn like(text: &str) -> bool {
    let seen: String = text.chars().filter(|&c| !space(c) && !"\u{fe0e}\u{fe0f}🏻🏼🏽🏾🏿".contains(c)).collect();
    let is_sign = !seen.is_empty() && seen.chars().all(|c| "👍❤😍⭐".contains(c));
    is_sign || words(text).iter().any(|word| LIKES.contains(&word.as_str()))
}

pub fn score_key(key: &str) -> bool {
    words(key).iter().any(|word| word == "score" || word == "scores")
}

/// Every word of a text in small letters: the runs of its letters, and the words that camel case joins in each.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in text.split(|c: char| !c.is_ascii_alphabetic()) {
        words.push(run.to_ascii_lowercase());
        let letters: Vec<char> = run.chars().collect();
        let mut word = String::new();
        for (at, letter) in letters.iter().enumerate() {
            let follows_small = at > 0 && letters[at - 1].is_ascii_lowercase();
            let precedes_small = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
            if letter.is_ascii_uppercase() && (follows_small || precedes_small) {
                words.push(std::mem::take(&mut word));
            }
            word.push(letter.to_ascii_lowercase());
        }
        words.push(word);
    }
    words
}

/// `prior` or `new`, if a key names the state before or after a change.
pub fn state_key(key: &str) -> Option<&'static str> {
    let key = key.to_ascii_lowercase();
    let is = |word: &str| ["_", "-", " ", ".", ""].iter().any(|joint| key == format!("{word}{joint}state"));
    ["prior", "new"].into_iter().find(|word| is(word))
}

pub fn top_level_field(key: &str) -> bool {
    FIELDS.iter().any(|(field, name, _)| !field.in_metadata() && *name == key)
}

pub fn number_within(number: &str, least: u32, most: Option<u32>) -> bool {
    let (number, bound) = (Decimal::of(number), |bound: u32| Decimal::of(&bound.to_string()));
    number.compare(&bound(least)).is_ge() && most.is_none_or(|most| number.compare(&bound(most)).is_le())
}

/// The address in lower case and without surrounding white space, if the HTML standard accepts it and its domain has a
/// dot.
pub fn email(text: &str) -> Option<String> {
    // This is Unicode's simple mapping, one letter for one letter.
    let address: String = text.trim_matches(SPACE).chars().filter_map(|c| c.to_lowercase().next()).collect();
    let (local, domain) = address.split_once('@')?;
    let labels: Vec<_> = domain.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_address = address.len() <= 254
        && !local.is_empty()
        && local.chars().all(in_local_part)
        && labels.len() > 1
        && labels.iter().all(is_label);
    is_address.then_some(address)
}

pub fn in_local_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c)
}

/// SHA-256 in hexadecimal.
pub fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether metadata satisfies a payload schema.
pub fn payload(schema: &Value, metadata: Option<&Json>) -> bool {
    let value = |key: &str| match metadata?.get(key)? {
        Json::Null => None,
        value => Some(value),
    };
    let is_there = |key: &str| match value(key) {
        Some(Json::Text(text)) => !blank(text),
        value => value.is_some(),
    };
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    required.iter().all(|key| is_there(key.as_str().unwrap()))
        && properties.iter().all(|(key, says)| value(key).is_none_or(|value| property(says, value)))
        && (schema["additionalProperties"] != false
            || metadata.is_none_or(|metadata| {
                let is_named = |key: &str| properties.contains_key(key) || required.iter().any(|one| one == key);
                metadata.members().iter().all(|(key, value)| is_named(key) || is_own(key, value))
            }))
}

/// Whether the key is one that a closed schema need not name, with a value as it may have.
fn is_own(key: &str, value: &Json) -> bool {
    const KEYS: &str =
        "tracker automated tracking_consent tracking_consent_at tracking_consent_version email_hash email_hash_kind";
    KEYS.split(' ').any(|own| own == key)
        && match value {
            Json::Text(text) => text.chars().count() <= 128,
            value => *value == Json::Null,
        }
}

fn property(says: &Value, value: &Json) -> bool {
    let Some(says) = says.as_object() else {
        return true;
    };
    says.iter().all(|(keyword, bound)| match (keyword.as_str(), value) {
        ("type", value) => is_type(bound.as_str().unwrap(), value),
        ("enum", value) => bound.as_array().unwrap().iter().any(|choice| same(choice, value)),
        ("minimum", Json::Number(number)) => Decimal::of(number).compare(&Decimal::of(&bound.to_string())).is_ge(),
        ("maximum", Json::Number(number)) => Decimal::of(number).compare(&Decimal::of(&bound.to_string())).is_le(),
        ("minLength", Json::Text(text)) => text.chars().count() as u64 >= bound.as_u64().unwrap(),
        ("maxLength", Json::Text(text)) => text.chars().count() as u64 <= bound.as_u64().unwrap(),
        ("minimum" | "maximum" | "minLength" | "maxLength" | "description" | "personal", _) => true,
        (keyword, _) => panic!("the reference does not know the keyword {keyword}"),
    })
}

fn is_type(name: &str, value: &Json) -> bool {
    match (name, value) {
        ("integer", Json::Number(number)) => Decimal::of(number).fraction.bytes().all(|digit| digit == b'0'),
        ("number", Json::Number(_))
        | ("string", Json::Text(_))
        | ("boolean", Json::Boolean(_))
        | ("object", Json::Object(_))
        | ("array", Json::Array(_)) => true,
        _ => false,
    }
}

fn same(choice: &Value, value: &Json) -> bool {
    match (choice, value) {
        (Value::Bool(choice), Json::Boolean(value)) => choice == value,
        (Value::Number(choice), Json::Number(value)) => {
            Decimal::of(&choice.to_string()).compare(&Decimal::of(value)).is_eq()
        }
        (Value::String(choice), Json::Text(value)) => choice == value,
        _ => false,
    }
}
