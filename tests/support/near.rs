//! Events near the bounds of the table of rules: written events in which some members are replaced by values at, just
//! below and just above the table's own bounds.

use crate::corpus;
use crate::reference::document::{self, Json};
use audience_gate::contract::personal_words::{DESCRIBING, GROUPS, QUESTIONING};
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::FIELDS;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::sync::LazyLock;
use values::values;

#[path = "near_values.rs"]
mod values;

/// A member of the event or of its metadata, and the JSON that takes its place; `None` removes it.
#[derive(Clone, Debug)]
pub struct Edit {
    in_metadata: bool,
    key: String,
    value: Option<String>,
}

/// The text of an event near the bounds.
pub fn event() -> impl Strategy<Value = String> {
    let size = prop::option::weighted(0.05, (8192 - 140..8192 + 4usize).prop_map(Some)).prop_map(Option::flatten);
    (any::<Index>(), prop::collection::vec(edit(), 0..4), size).prop_map(|(base, edits, size)| {
        let Json::Object(mut event) = base.get(&BASES).clone() else { unreachable!("a base is an object") };
        for Edit { in_metadata, key, value } in edits {
            let value = value.map(|raw| document::read(format!("{{\"value\":{raw}}}").as_bytes()).unwrap());
            let value = value.and_then(|event| event.get("value").cloned());
            match event.iter_mut().find(|(name, _)| in_metadata && name == "metadata") {
                Some((_, Json::Object(metadata))) => set(metadata, key, value),
                _ => set(&mut event, key, value),
            }
        }
        if let (Some(size), Some((_, metadata))) = (size, event.iter_mut().find(|(name, _)| name == "metadata")) {
            pad(metadata, size);
        }
        written(&Json::Object(event))
    })
}

fn set(members: &mut Vec<(String, Json)>, key: String, value: Option<Json>) {
    members.retain(|(name, _)| *name != key);
    members.extend(value.map(|value| (key, value)));
}

/// Adds a text to metadata so that it has this size.
fn pad(metadata: &mut Json, size: usize) {
    let Json::Object(members) = metadata else { return };
    set(members, "padding".into(), Some(Json::Text(String::new())));
    let missing = size.saturating_sub(metadata.stored().len());
    if let Json::Object(members) = metadata {
        set(members, "padding".into(), Some(Json::Text("x".repeat(missing))));
    }
}

/// The tree as JSON, with numbers as they are.
fn written(value: &Json) -> String {
    match value {
        Json::Null => "null".into(),
        Json::Boolean(is_true) => is_true.to_string(),
        Json::Number(raw) => raw.clone(),
        Json::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Json::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(",")),
        Json::Object(members) => {
            let name = |key: &String| serde_json::Value::from(key.as_str()).to_string();
            let members: Vec<_> =
                members.iter().map(|(key, value)| format!("{}:{}", name(key), written(value))).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

/// Every written event that can be read and is not very large.
static BASES: LazyLock<Vec<Json>> = LazyLock::new(|| {
    let examples = RULES.iter().flat_map(|rule| [rule.accepts.to_string(), rule.rejects.to_string()]);
    let texts = examples.chain(corpus::cases().into_iter().map(|case| case.text));
    let texts = texts.filter(|text| text.len() < 3000);
    texts.filter_map(|text| document::read(text.as_bytes()).ok()).collect()
});

fn edit() -> impl Strategy<Value = Edit> {
    let of_field = (0..FIELDS.len()).prop_flat_map(|place| {
        let (field, key, _) = FIELDS[place];
        let value = prop_oneof![
            6 => select(values(field)),
            1 => select(ANY.to_vec()).prop_map(String::from),
            1 => text_of_pieces(),
        ];
        prop::option::weighted(0.9, value).prop_map(move |value| Edit {
            in_metadata: field.in_metadata(),
            key: key.into(),
            value,
        })
    });
    let anywhere = (any::<bool>(), key(), prop_oneof![select(ANY.to_vec()).prop_map(String::from), text_of_pieces()]);
    let of_key = anywhere.prop_map(|(in_metadata, key, value)| Edit { in_metadata, key, value: Some(value) });
    let nested = (key(), text_of_pieces()).prop_map(|(key, text)| Edit {
        in_metadata: true,
        key: "nested".into(),
        value: Some(format!("[{{{}:{text}}}]", serde_json::Value::from(key))),
    });
    prop_oneof![6 => of_field, 1 => of_key, 1 => nested]
}

/// Values of every kind.
const ANY: [&str; 20] = [
    "null",
    "\"\"",
    "\" \"",
    "\"\\t\\n\"",
    "\"\\u000b\"",
    "\"\\u00a0\\u3000\"",
    "\"\u{2003}\u{85}\"",
    "\"\u{200b}\"",
    "{\"prior_state\":\"S0\",\"newState\":\"s3\"}",
    "[{\"PRIOR STATE\":\"S1\",\"new-state\":\"S4\"},{\"lead_scores\":1}]",
    "{\"prior_state\":{\"prior.state\":\"S0\"},\"newstate\":\"S3\"}",
    "true",
    "false",
    "0",
    "-0.0",
    "1.5",
    "[]",
    "{}",
    "[1]",
    "\"x\"",
];

/// Keys that the privacy and score rules look for, or nearly.
fn key() -> impl Strategy<Value = String> {
    let listed = |list: &'static str| list.split('|').filter(|entry| !entry.is_empty());
    let words: Vec<&str> = GROUPS.iter().flat_map(|group| listed(group.anywhere).chain(listed(group.alone))).collect();
    let others: Vec<&str> = listed(DESCRIBING).chain(listed(QUESTIONING)).collect();
    let joined = (select(words), select(others), 0..9usize).prop_map(|(words, other, how)| {
        let capital = |word: &str| {
            let mut characters = word.chars();
            characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect::<String>()
        };
        let camel: String = words.split(' ').map(capital).collect();
        match how {
            6 => format!("{}_{other}", words.replace(' ', "_")),
            7 => format!("{other}{camel}"),
            8 => format!("{camel}{}", capital(other)),
            0 => words.replace(' ', "_"),
            1 => camel,
            2 => format!("my{camel}Value"),
            3 => words.replace(' ', ""),
            4 => format!("{}1", words.replace(' ', "-").to_uppercase()),
            _ => format!("x{}", words.replace(' ', ".")),
        }
    });
    let others = [
        "score",
        "Score",
        "scores",
        "scoreboard",
        "engagement_score",
        "Engagement_Score",
        "my_score",
        "leadScores",
        "scored_at",
        "sCORE",
        "priorState",
        "prior-state",
        "newState",
        "NEW STATE",
        "new__state",
        "original_payload_snapshot",
        "scor",
        "colour",
        "email_hash_kind",
        "emailHash",
        "é",
        "a@b.co",
        "note",
        "ip4",
        "IPv6Address",
        "userIP",
        "token_count",
    ];
    prop_oneof![2 => joined, 1 => select(others.to_vec()).prop_map(String::from)]
}

/// Pieces of which texts are made that are, or nearly are, what the privacy rules look for.
const PIECES: [&str; 66] = [
    "0",
    "1",
    "4",
    "9",
    " ",
    "-",
    "+",
    "@",
    ".",
    "_",
    "(",
    ")",
    "a",
    "Z",
    "é",
    "\n",
    "\"",
    "12",
    "123",
    "4111",
    "41111111",
    "5500005555555559",
    "%2B",
    "%2b",
    "%40",
    "%2540",
    "%",
    "25",
    "co",
    "example",
    ".com",
    "+49 170",
    "219-09-9999",
    "4111 1111 1111 1111",
    "3f2b8c1e-5a4d-4f6b-9c7e-1d2a3b4c5d6e",
    "8c5b2072-590b-4e5f-be68-539007547034",
    "ada@example.com",
    "tel:",
    "call ",
    "phone: ",
    "電話 ",
    "0049 ",
    "(415) 555-2671",
    "DE89 3704 0044 0532 0130 00",
    "eyJhbGciOiJIUzI1NiJ9",
    ".eyJzdWIiOiIx",
    ".abc",
    "Bearer ",
    "sk_live_",
    "abcdefghijklmnop0123",
    "?token=",
    "&phone=",
    ";vorname=",
    "#has_email=",
    "?email_template=",
    "192.168.0.1",
    "2001:db8::7a1f:1",
    "::",
    "＠",
    "&#64;",
    "&amp;",
    "\u{a0}",
    "logo@2x.png",
    "next@15.0.0",
    "3782 822463 10005",
    "2026-11-26",
];

fn text_of_pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(select(PIECES.to_vec()), 1..10)
        .prop_map(|pieces| serde_json::Value::from(pieces.concat()).to_string())
}
