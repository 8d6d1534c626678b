//! The privacy rules by a plain reading: each looks at a text as characters, starting from every place in it.

use super::document::Json;
use super::predicates::in_local_part;
use audience_gate::contract::personal_words::{DESCRIBING, GROUPS, LEAST_NUMBER, QUESTIONING};
use audience_gate::contract::vocabulary::FIELDS;
use serde_json::Value;

/// The keys that the gate writes itself, besides the fields.
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

/// Whether a text holds a character that can end a local part, an at sign, a label, and one more label that begins with
/// a letter and has a second character.
pub fn holds_email(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (1..characters.len()).any(|at| {
        let before = characters[at - 1];
        let may_follow = matches!(characters[at], '@' | '%') && (in_local_part(before) || !before.is_ascii());
        may_follow && after_at_sign(&characters[at..].iter().collect::<String>()).is_some_and(begins_with_domain)
    })
}

/// What follows an at sign, even one that was encoded for a URL, once or more.
fn after_at_sign(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('@') {
        return Some(rest);
    }
    let mut rest = text.strip_prefix('%')?;
    while let Some(encoded_again) = rest.strip_prefix("25") {
        rest = encoded_again;
    }
    rest.strip_prefix("40")
}

fn begins_with_domain(text: &str) -> bool {
    let is_in_label = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '-';
    let end = text.find(|c| !is_in_label(c) && c != '.').unwrap_or(text.len());
    let mut labels = text[..end].split('.').take_while(|label| !label.is_empty());
    let is_top_level = |label: &str| {
        label.starts_with(|c: char| !c.is_ascii() || c.is_ascii_alphabetic()) && label.chars().count() >= 2
    };
    labels.next().is_some() && labels.any(is_top_level)
}

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

pub fn holds_personal_value(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (0..characters.len()).any(|at| {
        let before = at.checked_sub(1).map(|before| characters[before]);
        begins_with_phone(&characters[at..], before) || begins_with_ssn(&characters[at..], before)
    }) || holds_card(&without_codes(&characters))
}

/// Whether a text begins with a plus sign, even one encoded for a URL, and 7 to 15 digits with at most two joints
/// between any two of them.
fn begins_with_phone(text: &[char], before: Option<char>) -> bool {
    let number = match text {
        ['+', number @ ..] | ['%', '2', 'b' | 'B', number @ ..] => number,
        _ => return false,
    };
    let (mut digits, mut joints) = (0, 0);
    for c in number {
        match c {
            '0'..='9' => (digits, joints) = (digits + 1, 0),
            ' ' | '.' | '-' | '(' | ')' if digits > 0 && joints < 2 => joints += 1,
            _ => break,
        }
    }
    let is_joined = before.is_some_and(|c| c.is_ascii_alphanumeric());
    !is_joined && number.first() != Some(&'0') && (7..=15).contains(&digits)
}

/// Whether a text begins with groups of three, two and four digits, none of them one that is never issued.
fn begins_with_ssn(text: &[char], before: Option<char>) -> bool {
    let is_joint = |c: char| c == ' ' || c == '-';
    let Some(&[a, b, c, joint1, d, e, joint2, f, g, h, i]) = text.first_chunk() else {
        return false;
    };
    let all_digits = [a, b, c, d, e, f, g, h, i].iter().all(char::is_ascii_digit);
    let is_alone = ![before, text.get(11).copied()].iter().flatten().any(char::is_ascii_digit);
    let was_given_out = a != '9' && !matches!((a, b, c), ('0', '0', '0') | ('6', '6', '6'));
    all_digits
        && is_joint(joint1)
        && is_joint(joint2)
        && is_alone
        && was_given_out
        && (d, e) != ('0', '0')
        && (f, g, h, i) != ('0', '0', '0', '0')
}

/// The text with an `x` for every UUID and for every word in which letters and digits mix.
fn without_codes(text: &[char]) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let [first, others @ ..] = rest {
        let is_uuid =
            rest.len() >= 36 && rest[8] == '-' && super::predicates::uuid(&rest[..36].iter().collect::<String>());
        plain.push(if is_uuid { 'x' } else { *first });
        rest = if is_uuid { &rest[36..] } else { others };
    }
    let mut out = String::new();
    let mut word = String::new();
    for c in plain.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let is_code = word.contains(|c: char| c.is_ascii_alphabetic());
        out += if is_code { "x" } else { &word };
        out.push(c);
        word.clear();
    }
    out
}

/// Whether neighbouring groups of digits, joined by single spaces or hyphens, make the number of a card.
fn holds_card(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let is_digit = |at: usize| characters.get(at).is_some_and(char::is_ascii_digit);
    // In each run, single joints separate the groups; anything else ends it.
    let mut runs: Vec<Vec<String>> = vec![vec![String::new()]];
    for (at, &c) in characters.iter().enumerate() {
        let joins = (c == ' ' || c == '-') && at > 0 && is_digit(at - 1) && is_digit(at + 1);
        if c.is_ascii_digit() {
            runs.last_mut().unwrap().last_mut().unwrap().push(c);
        } else if joins {
            runs.last_mut().unwrap().push(String::new());
        } else {
            runs.push(vec![String::new()]);
        }
    }
    runs.iter()
        .any(|groups| (0..groups.len()).any(|from| (from..groups.len()).any(|to| is_card(&groups[from..=to].concat()))))
}

fn is_card(digits: &str) -> bool {
    (13..=19).contains(&digits.len()) && digits.starts_with(['2', '3', '4', '5', '6']) && luhn(digits)
}

fn luhn(digits: &str) -> bool {
    let values = digits.chars().rev().filter_map(|digit| digit.to_digit(10)).enumerate();
    let doubled = |(place, value): (usize, u32)| if place % 2 == 1 { value * 2 / 10 + value * 2 % 10 } else { value };
    values.map(doubled).sum::<u32>() % 10 == 0
}
