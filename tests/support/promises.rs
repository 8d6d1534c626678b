//! What must hold for any bytes at all, checked on what the fuzzer generates and on the seeds that it has kept.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken promise has to be loud"
)]

mod document;
pub mod redaction;

use crate::{reference, support};
use audience_gate::contract::limits::MOST_DEPTH;
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::{FIELDS, Fault, Kind};
use audience_gate::gate::{Caller, Gate};
use audience_gate::parse::key_cache::CAPACITY;
use audience_gate::parse::{Event, Parser, Reader, WINDOW, string};
use audience_gate::registry::{Registry, taxonomy};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The reader accepts what `serde_json` accepts and nothing else, sees the same values in it, and names its faults.
pub fn parse(body: &[u8]) {
    let (mut reader, mut parser) = (Reader::new(body), Parser::default());
    let is_read = reader.event(&mut parser).is_ok() && reader.is_done();
    reads_the_same_again(body, &mut parser, is_read);
    let event = &parser.event;
    let is_json = is_json(body);
    assert_eq!(is_read, is_json, "the reader and serde_json disagree on whether this is JSON");
    let plain = without_mark(body);
    if !is_json {
        return;
    }
    let Ok(value) = serde_json::from_slice::<Value>(plain) else {
        let told = [Fault::Depth, Fault::Text, Fault::Number].into_iter().any(|fault| event.faults().has(fault));
        return assert!(told, "what serde_json cannot decode passes without a fault");
    };
    let seen = document::seen(plain);
    let has = |fault| event.faults().has(fault);
    assert_eq!(has(Fault::Shape), !value.is_object(), "shape");
    assert_eq!(has(Fault::Depth), seen.depth > MOST_DEPTH, "depth {}", seen.depth);
    assert_eq!(has(Fault::Text), seen.nul, "U+0000");
    assert_eq!(has(Fault::DuplicateKey), seen.twice, "a key that occurs twice");
    if document::has_only_plain_numbers(plain) {
        assert!(!has(Fault::Number), "a short number that double precision holds is refused");
    }
    if event.faults().is_empty() {
        agree_on_values(body, event, &value);
    }
}

/// What was read before, and so which keys are known, does not change what is read.
fn reads_the_same_again(body: &[u8], parser: &mut Parser, is_read: bool) {
    let first = parser.event.clone();
    let crowd: String = (0..CAPACITY).map(|number| format!(r#""key_{number}":{{"key_{number}":1}},"#)).collect();
    let crowd = format!(r#"{{"metadata":{{{crowd}"last":0}}}}"#);
    for before in [body, crowd.as_bytes(), body] {
        Reader::new(before).event(parser).ok();
        let mut reader = Reader::new(body);
        assert_eq!(reader.event(parser).is_ok() && reader.is_done(), is_read, "known keys change what is JSON");
        if is_read {
            assert_eq!(parser.event, first, "known keys change what is read");
        }
    }
}

/// Whether `serde_json` accepts it as JSON. It skips the value, which leaves out what only decoding checks: depth,
/// surrogates, the size of numbers.
fn is_json(body: &[u8]) -> bool {
    let body = without_mark(body);
    str::from_utf8(body).is_ok() && serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

fn agree_on_values(body: &[u8], event: &Event, value: &Value) {
    for (field, key, _) in FIELDS {
        let within = if field.in_metadata() { &value["metadata"] } else { value };
        let expected = within.as_object().and_then(|members| members.get(key));
        let found = event.value(field);
        let kind = match expected {
            None => Kind::Absent,
            Some(Value::Null) => Kind::Null,
            Some(Value::Bool(false)) => Kind::False,
            Some(Value::Bool(true)) => Kind::True,
            Some(Value::Number(_)) => Kind::Number,
            Some(Value::String(_)) => Kind::Text,
            Some(Value::Array(_)) => Kind::Array,
            Some(Value::Object(_)) => Kind::Object,
        };
        assert_eq!(found.kind(), kind, "{key}");
        match expected {
            Some(Value::String(expected)) => {
                assert_eq!(string::content(body, found), expected.as_bytes(), "{key}");
                assert_eq!(string::length(body, found), expected.chars().count(), "{key}");
            }
            Some(expected) => {
                assert_eq!(&serde_json::from_slice::<Value>(found.raw(body)).unwrap(), expected, "{key}");
            }
            None => {}
        }
    }
    let known = |key: &String| FIELDS.iter().any(|(field, name, _)| !field.in_metadata() && name == key);
    assert_eq!(!event.unknown_fields().is_empty(), !value.as_object().unwrap().keys().all(known), "an unknown field");
}

/// Every event of a body is answered and kept, alone as in a batch, and what is kept is itself sound.
pub fn judge(body: &[u8]) {
    if redaction::names_serde_json(body) {
        return;
    }
    for is_ndjson in [false, true] {
        let (argument, answer) = judged(body, Caller::Visitor, is_ndjson);
        let count = |name: &str| answer[name].as_u64().unwrap() as usize;
        let results = answer["results"].as_array().unwrap();
        let Argument { batch } = serde_json::from_slice(&argument).unwrap();
        assert_eq!(count("accepted") + count("rejected"), results.len(), "an event without an answer");
        let rows = (batch.accepted.len(), batch.rejected.len());
        assert_eq!(rows, (count("accepted"), count("rejected")), "an event without a row");
        for (index, result) in results.iter().enumerate() {
            assert_eq!(result["index"], index, "answers out of order");
        }
        batch.rejected.iter().for_each(record_is_sound);
        batch.accepted.iter().for_each(|row| row_is_sound(row.get()));
        if !is_ndjson {
            let refused = results.iter().any(|result| result["rule_id"] == "parse.json");
            assert_eq!(refused, !is_json(body), "JSON is refused as if it were not, or the other way round");
        }
        let is_one = !is_ndjson && !without_mark(body).trim_ascii_start().starts_with(b"[");
        if is_one && !reference::document::has_member(without_mark(body), "events") {
            agrees_with_reference(body, &results[0]["violations"]);
        }
        let together: Vec<_> = results.iter().map(|result| result["violations"].clone()).collect();
        if let Some(alone) = one_by_one(body, is_ndjson) {
            assert_eq!(together, alone, "a batch is judged differently from its events");
        }
    }
}

#[derive(Deserialize)]
struct Argument {
    batch: Batch,
}

/// Rows as they are written, because a tree would have lost a key that occurs twice.
#[derive(Deserialize)]
struct Batch {
    accepted: Vec<Box<RawValue>>,
    rejected: Vec<BTreeMap<String, Box<RawValue>>>,
}

fn judged(body: &[u8], caller: Caller, is_ndjson: bool) -> (Vec<u8>, Value) {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(support::registry);
    let mut request = support::request(&REGISTRY, caller);
    request.is_ndjson = is_ndjson;
    let mut gate = Gate::default();
    gate.judge(body, &request);
    let alone = gate.output.clone();
    let padded = [body, &[0; WINDOW]].concat();
    gate.judge_padded(&padded, body.len(), &request);
    assert_eq!(gate.output, alone, "zeros after a body change what is written");
    let answer = support::read(gate.answer());
    (gate.argument().to_vec(), answer)
}

/// The reference judge says the same of an event.
fn agrees_with_reference(event: &[u8], violations: &Value) {
    static REGISTRY: LazyLock<Value> = LazyLock::new(|| support::read(taxonomy::snapshot().as_bytes()));
    let world = reference::World {
        caller: Caller::Visitor,
        origin: None,
        received_at: support::RECEIVED_AT,
        registry: Some(&REGISTRY),
    };
    let found = support::rule_ids(violations);
    let expected = reference::violations(RULES, event, &world);
    assert_eq!(found, expected, "the reference judges differently: {}", String::from_utf8_lossy(event));
}

/// The violations of each event of a body, judged alone; `None` if the body is not a list of events.
fn one_by_one(body: &[u8], is_ndjson: bool) -> Option<Vec<Value>> {
    let plain = without_mark(body);
    // The event follows a line break, because a byte order mark at the very beginning would not belong to it.
    let of_line = |line: &[u8]| {
        let with_break = [b"\n", line].concat();
        let violations = judged(&with_break, Caller::Visitor, true).1["results"][0]["violations"].clone();
        agrees_with_reference(trim(line), &violations);
        violations
    };
    if is_ndjson {
        let lines = plain.split(|&byte| byte == b'\n').filter(|line| !trim(line).is_empty());
        return Some(lines.map(of_line).collect());
    }
    let events: Vec<&RawValue> = serde_json::from_slice(plain).ok()?;
    // Line breaks in JSON mean nothing outside texts, and cannot occur inside them.
    let of_event = |event: &&RawValue| of_line(event.get().replace(['\n', '\r'], " ").as_bytes());
    Some(events.iter().map(of_event).collect())
}

/// The text without the white space of JSON around it.
fn trim(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| b" \t\n\r".contains(byte);
    let start = text.iter().take_while(|byte| is_space(byte)).count();
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// The contract accepts the record of a rejection.
fn record_is_sound(row: &BTreeMap<String, Box<RawValue>>) {
    let mut record = String::from(r#"{"event_type":"event_validation_fail","event_category":"system""#);
    for (key, value) in row.iter().filter(|(key, _)| *key != "index") {
        record += &format!(r#","{key}":{value}"#);
    }
    record.push('}');
    let violations = support::violations(&judged(record.as_bytes(), Caller::Trusted, false).1);
    assert!(violations.is_empty(), "the record violates {violations:?}: {record}");
}

/// The contract accepts again what it has accepted.
fn row_is_sound(row: &str) {
    let behind_index = row.split_once(',').unwrap().1;
    let event = format!("{{{behind_index}");
    let violations = support::violations(&judged(event.as_bytes(), Caller::Visitor, false).1);
    assert!(violations.is_empty(), "the accepted row violates {violations:?}: {event}");
}

/// A snapshot of a registry is read or refused; by one that is read, every event is judged, and twice alike. The first line
/// is the snapshot, the rest an event.
pub fn registry(body: &[u8]) {
    let (snapshot, event) = two_parts(body);
    if let Ok(registry) = Registry::from_json(snapshot) {
        assert!(is_json(snapshot), "a registry is read from something that is not JSON");
        judges_twice_alike(&registry, event);
    }
}

/// A payload schema is read or refused; by one that is read, any metadata is judged, and twice alike. The first line is the
/// schema, the rest the metadata.
pub fn payload_schema(body: &[u8]) {
    let (schema, metadata) = two_parts(body);
    let snapshot = [
        br#"{"version":"1","default_site":"00000000-0000-4000-8000-000000000001","event_types":[{"id":"page_view","category":"engagement","payload_schema":"#,
        schema,
        br#"}],"rules":[],"states":[],"blocked_jumps":[]}"#,
    ]
    .concat();
    let event = [
        br#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":"#,
        metadata,
        b"}",
    ]
    .concat();
    if let Ok(registry) = Registry::from_json(&snapshot) {
        judges_twice_alike(&registry, &event);
    }
}

fn two_parts(body: &[u8]) -> (&[u8], &[u8]) {
    let at = body.iter().position(|&byte| byte == b'\n').unwrap_or(body.len());
    (body.get(..at).unwrap_or_default(), body.get(at + 1..).unwrap_or_default())
}

fn judges_twice_alike(registry: &Registry, event: &[u8]) {
    let request = support::request(registry, Caller::Trusted);
    let rules = |gate: &mut Gate| {
        let found = gate.check(event, &request.context);
        found.rules().map(|rule| rule.id).collect::<Vec<_>>()
    };
    let mut gate = Gate::default();
    let once = rules(&mut gate);
    assert_eq!(once, rules(&mut gate), "the second verdict is another one");
    assert_eq!(once, rules(&mut Gate::default()), "a gate remembers the event before");
}
