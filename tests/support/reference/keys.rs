//! Keys that name personal data, by a plain reading of the lists of words.

use super::document::Json;
use audience_gate::contract::personal_words::{DESCRIBING, GROUPS, LEAST_NUMBER, QUESTIONING};
use audience_gate::contract::vocabulary::FIELDS;
use serde_json::Value;

/// The keys, other than fields, that the gate writes itself.
const NAMED: [&str; 8] = [
    "contract",
    "email_hash_kind",
    "event_id",
    "path",
    "payload_bytes",
    "payload_digest",
    "snapshot_shortened",
    "violations",
];

/// Whether a key names personal data, by the words of the contract or by an install's own, and its value can be some.
pub fn is_personal(key: &str, value: &Json, own: &[Value]) -> bool {
    let is_named = NAMED.contains(&key) || FIELDS.iter().any(|(_, field, _)| *field == key);
    let own: Vec<_> = own.iter().filter_map(Value::as_str).filter(|_| !is_named).collect();
    let words = words(key);
    let has = |list: &str, words: &[String]| words.iter().any(|word| list.split('|').any(|entry| entry == word));
    let least = |any_number: bool| if any_number { f64::NEG_INFINITY } else { f64::from(LEAST_NUMBER) };
    let own = (own.join("|"), "", false);
    let groups = GROUPS.iter().map(|group| (group.anywhere.to_owned(), group.alone, group.any_number));
    groups.chain([own]).any(|(anywhere, alone, any_number)| {
        let can_be = match value {
            Json::Text(text) => text.chars().any(|c| !c.is_whitespace()),
            Json::Number(number) => number.parse::<f64>().is_ok_and(|number| number >= least(any_number)),
            Json::Array(list) => !list.is_empty(),
            Json::Object(members) => !members.is_empty(),
            _ => false,
        };
        let names = alone.split('|').any(|entry| !words.is_empty() && entry == words.join(" "))
            || (0..words.len()).any(|from| {
                anywhere.split('|').any(|entry| {
                    let entry: Vec<_> = entry.split(' ').map(String::from).collect();
                    words[from..].starts_with(&entry) && !has(DESCRIBING, &words[from + entry.len()..])
                })
            });
        can_be && names && !has(QUESTIONING, &words)
    })
}

/// The words of a key in lower case. It is split at what is neither letter nor digit, between letters and digits,
/// before a capital that follows a small letter, and before the last capital of a run that a small letter follows.
fn words(key: &str) -> Vec<String> {
    let characters: Vec<char> = key.chars().collect();
    let mut words = vec![String::new()];
    for (at, &c) in characters.iter().enumerate() {
        let before = if at > 0 { characters[at - 1] } else { ' ' };
        let after = characters.get(at + 1).copied().unwrap_or(' ');
        let begins_word = (c.is_ascii_digit() && before.is_ascii_alphabetic())
            || (c.is_ascii_alphabetic() && before.is_ascii_digit())
            || (c.is_ascii_uppercase() && before.is_ascii_lowercase())
            || (c.is_ascii_uppercase() && before.is_ascii_uppercase() && after.is_ascii_lowercase());
        let is_joint = c.is_ascii() && !c.is_ascii_alphanumeric();
        if begins_word || is_joint {
            words.push(String::new());
        }
        if !is_joint {
            words.last_mut().unwrap().push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
