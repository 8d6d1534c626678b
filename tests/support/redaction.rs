//! What must hold of redaction, for any bytes at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken promise has to be loud")]

use crate::support;
use audience_gate::contract::vocabulary::Fault;
use audience_gate::parse::json::Json;
use audience_gate::parse::{Event, Parser, Reader};
use audience_gate::privacy::find::{self, Found};
use audience_gate::privacy::redact::{self, Extent};
use audience_gate::registry::Registry;
use serde_json::Value;

const CANARIES: [&str; 4] = ["canary@example.com", "+14155552671", "4111 1111 1111 1111", "123-45-6789"];

/// Redaction makes JSON of JSON, leaves nothing personal, and changes nothing more when it is repeated; what is shortened
/// has the room that it was given.
pub fn redact(body: &[u8]) {
    if names_serde_json(body) {
        return;
    }
    assert!(String::from_utf8(redact::masked(body)).is_ok_and(|masked| masked.is_ascii()), "an outline says something");
    let (mut reader, mut parser) = (Reader::new(body), Parser::default());
    if reader.event(&mut parser).is_err() || !reader.is_done() || !is_redactable(&parser.event) {
        return;
    }
    let body = parser.event.raw(body);
    for is_event in [true, false] {
        let once = redacted(body, is_event);
        assert_eq!(String::from_utf8(redacted(&once, false)), String::from_utf8(once), "redacting again changes it");
        for most in [2_000, 400, 60, 9] {
            let short = redact::redacted(Json::event(body), is_event, Extent::Short, &Registry::unloaded());
            let short = written(&redact::fitted(short, most));
            assert!(short.len() <= most, "{} bytes have no room in {most}", short.len());
            assert!(is_redactable(&read(&short)), "the contract does not accept a short form");
        }
    }
    for canary in CANARIES {
        let planted = plant(serde_json::from_slice(body).unwrap(), canary).to_string();
        let left = support::read(&redacted(planted.as_bytes(), false)).to_string();
        assert!(!left.contains(canary), "{canary} is left of {planted}: {left}");
    }
}

/// Whether there may be a key that serde_json takes for one of its own, so that its opinion is worth nothing.
pub fn names_serde_json(body: &[u8]) -> bool {
    const OWN: &[u8] = b"$serde_json::private";
    body.windows(OWN.len()).any(|part| part == OWN)
}

fn is_redactable(event: &Event) -> bool {
    [Fault::Depth, Fault::Text, Fault::Number, Fault::DuplicateKey].iter().all(|&fault| !event.faults().has(fault))
}

fn redacted(json: &[u8], is_event: bool) -> Vec<u8> {
    let out = written(&redact::redacted(Json::event(json), is_event, Extent::Whole, &Registry::unloaded()));
    read(&out);
    each_text(&support::read(&out), &mut |content| {
        assert_eq!(find::in_text(b"", content.as_bytes()), Found::NOTHING, "something personal is left in {content}");
    });
    out
}

fn read(json: &[u8]) -> Event {
    let (mut reader, mut parser) = (Reader::new(json), Parser::default());
    assert!(reader.event(&mut parser).is_ok() && reader.is_done(), "redaction made something that is not JSON");
    parser.event
}

fn written(value: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    value.write(&mut out);
    out
}

fn each_text(value: &Value, take: &mut impl FnMut(&str)) {
    match value {
        Value::String(content) => take(content),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, take)),
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            take(key);
            each_text(value, take);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The value with a canary as a word of its own after every text and key.
fn plant(value: Value, canary: &str) -> Value {
    let mark = |text: String| format!("{text}; {canary}");
    match value {
        Value::String(text) => Value::String(mark(text)),
        Value::Array(items) => items.into_iter().map(|item| plant(item, canary)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (mark(key), plant(value, canary)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}
