//! What holds for every input: no panic, nothing lost, nothing personal kept, and records that are themselves valid.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

mod support;

use audience_gate::contract::rules::RULES;
use audience_gate::gate::Caller;
use audience_gate::parse::key_cache::CAPACITY;
use audience_gate::parse::{Parser, Reader, WINDOW};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CANARIES: [&str; 4] = ["canary@example.com", "+14155552671", "4111 1111 1111 1111", "123-45-6789"];

/// An example of the table in which some bytes may have been replaced.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec(
        (any::<prop::sample::Index>(), prop::sample::select(b"{}[]\",:\\u0@e.-1 x\x00\xff".to_vec())),
        0..4,
    );
    (0..RULES.len() * 2, edits).prop_map(|(which, edits)| {
        let rule = &RULES[which / 2];
        let mut text = if which % 2 == 0 { rule.accepts } else { rule.rejects }.as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(text.len());
            text[at] = byte;
        }
        text
    })
}

/// JSON with a canary in some place.
fn with_canary() -> impl Strategy<Value = Value> {
    let leaf = prop::sample::select(CANARIES.to_vec());
    (leaf, 0..9usize, any::<bool>()).prop_map(|(canary, place, is_key)| {
        let mut event: Value = serde_json::from_str(RULES[0].accepts).unwrap();
        let inside = if is_key { json!({ canary: 1 }) } else { json!([{ "note": canary }]) };
        match place {
            0 => event["metadata"]["note"] = json!(canary),
            1 => event["metadata"]["deep"] = inside,
            2 => event["session_id"] = json!(canary),
            3 => event["utm_term"] = json!(canary),
            4 => event["event_type"] = json!(canary),
            5 => event[canary] = json!(1),
            6 => event["colour"] = json!(canary),
            7 => event["metadata"] = json!(canary),
            _ => event["id"] = json!(canary),
        }
        event
    })
}

/// The members of an object, with their names as they are written and as they are read. There are more than the reader
/// remembers, and some of them it must not mistake for one another.
fn members(most: usize) -> impl Strategy<Value = Vec<(String, String)>> {
    let plain = |name: String| (name.clone(), name);
    let name = prop_oneof![
        12 => (0..90u8).prop_map(move |number| plain(format!("key_{number}"))),
        1 => (0..90u8).prop_map(|number| (format!("k\\u0065y_{number}"), format!("key_{number}"))),
        1 => prop::sample::select(vec!["content_id", "page_path", "content_i", "content_id_", "email", "phone_number", ""])
            .prop_map(move |name| plain(name.into())),
        1 => (20..40usize).prop_map(move |length| plain("n".repeat(length))),
    ];
    prop::collection::vec(name, 0..most)
}

/// Events with such members in `metadata` and in an object within it, and whether each has a key twice.
fn with_keys() -> impl Strategy<Value = Vec<(String, bool)>> {
    let event = (members(60), members(9)).prop_map(|(outer, inner)| {
        let written = |members: &[(String, String)]| {
            members.iter().map(|(name, _)| format!("\"{name}\":1,")).collect::<String>()
        };
        let is_twice = |members: &[(String, String)]| {
            members.iter().map(|(_, name)| name).collect::<BTreeSet<_>>().len() < members.len()
        };
        let (outside, inside) = (written(&outer), written(&inner));
        let text = format!(
            r#"{{"session_id":"session-1","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{{{outside}"inner":{{{inside}"end":0}}}}}}"#
        );
        (text, is_twice(&outer) || is_twice(&inner))
    });
    prop::collection::vec(event, 1..8)
}

fn both(body: &[u8], caller: Caller) -> (Value, Value) {
    let registry = support::registry();
    let mut gate = audience_gate::gate::Gate::default();
    gate.judge(body, &support::request(&registry, caller));
    (support::read(gate.argument()), support::read(gate.answer()))
}

proptest! {
    #[test]
    fn no_bytes_make_the_gate_panic_or_lose_an_event(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let registry = support::registry();
        let answer = support::answer(&body, &support::request(&registry, Caller::Visitor));
        let count = |name: &str| answer[name].as_u64().unwrap();
        prop_assert_eq!(count("accepted") + count("rejected"), answer["results"].as_array().unwrap().len() as u64);
    }

    #[test]
    fn every_record_of_a_rejection_is_accepted_by_the_contract(body in mutated()) {
        let (argument, _) = both(&body, Caller::Visitor);
        for row in argument["batch"]["rejected"].as_array().unwrap() {
            let record = json!({
                "id": row["id"], "user_id": row["user_id"], "session_id": row["session_id"], "event_source": row["event_source"],
                "event_type": "event_validation_fail", "event_category": "system", "metadata": row["metadata"],
            });
            let registry = support::registry();
            let answer = support::answer(record.to_string().as_bytes(), &support::request(&registry, Caller::Trusted));
            prop_assert_eq!(support::violations(&answer), Vec::<String>::new(), "{}", record);
        }
    }

    #[test]
    fn nothing_personal_reaches_the_store_or_the_sender(event in with_canary()) {
        let (argument, answer) = both(event.to_string().as_bytes(), Caller::Trusted);
        for canary in CANARIES {
            prop_assert!(!argument.to_string().contains(canary), "{} reaches the store: {}", canary, argument);
            prop_assert!(!answer.to_string().contains(canary), "{} reaches the sender: {}", canary, answer);
        }
    }

    #[test]
    fn a_batch_gets_the_same_verdicts_as_its_events_one_by_one(bodies in prop::collection::vec(mutated(), 1..6)) {
        let registry = support::registry();
        let request = support::request(&registry, Caller::Visitor);
        let sound: Vec<_> = bodies.into_iter().filter(|body| serde_json::from_slice::<Value>(body).is_ok()).collect();
        let alone: Vec<_> = sound.iter().map(|body| support::violations(&support::answer(body, &request))).collect();
        let batch = [b"[".as_slice(), &sound.join(b",".as_slice()), b"]"].concat();
        let together = support::answer(&batch, &request);
        let together: Vec<Vec<String>> = together["results"].as_array().unwrap().iter()
            .map(|result| support::rule_ids(&result["violations"])).collect();
        prop_assert_eq!(alone, together);
    }

    #[test]
    fn known_keys_change_no_verdict(events in with_keys()) {
        let registry = support::registry();
        let request = support::request(&registry, Caller::Visitor);
        let batch = format!("[{}]", events.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(","));
        let together = support::answer(batch.as_bytes(), &request);
        for ((text, is_twice), result) in events.iter().zip(together["results"].as_array().unwrap()) {
            let alone = support::violations(&support::answer(text.as_bytes(), &request));
            let violations = support::rule_ids(&result["violations"]);
            prop_assert_eq!(&violations, &alone, "{}", text);
            prop_assert_eq!(violations.contains(&"parse.duplicate_key".into()), *is_twice, "{}", text);
        }
    }

    #[test]
    fn the_reader_accepts_what_serde_json_accepts_and_nothing_else(body in mutated()) {
        let registry = support::registry();
        let answer = support::answer(&body, &support::request(&registry, Caller::Visitor));
        let is_json = serde_json::from_slice::<&serde_json::value::RawValue>(&body).is_ok();
        let refused = support::violations(&answer).contains(&"parse.json".into());
        prop_assert_eq!(is_json, !refused, "{}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_key_that_had_to_give_way_is_still_told_from_its_twin() {
    let registry = support::registry();
    let event = |nested: &str| {
        format!(
            r#"{{"session_id":"session-1","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{{"nested":{{{nested}}}}}}}"#
        )
    };
    // The reader remembers exactly this many keys, in this order; then a key of five letters takes the place of the
    // fifth.
    let crowd: Vec<_> = (0..CAPACITY).map(|number| format!(r#""key_{number:06}":1"#)).collect();
    let twins = r#""key_000005":1,"deep":{"place":1},"key_000005":2"#;
    let body = format!("[{},{}]", event(&crowd.join(",")), event(twins));
    let answer = support::answer(body.as_bytes(), &support::request(&registry, Caller::Visitor));
    assert_eq!(
        answer["results"][1]["violations"],
        json!([{ "rule_id": "parse.duplicate_key", "path": "/metadata/nested/key_000005" }])
    );
}

/// Values on both sides of what the reader takes the quick way.
const VALUES: [&str; 34] = [
    "0",
    "7",
    "00",
    "01",
    "12.5",
    "1.",
    "1.x",
    ".5",
    "0.5",
    "00.5",
    "1.2.3",
    "1e3",
    "1.5e3",
    "1.e3",
    "-1.5",
    "123456789012",
    "1234567890123",
    "41111111.1111",
    "4111111111111111",
    "1763726400.123",
    "1763726400123.5",
    "100000000000000.5",
    "1.00000000000000000005",
    r#""""#,
    r#"" ""#,
    r#""a""#,
    r#""2026-11-21T12:00:00.000Z""#,
    r#""415555267""#,
    r#""A.B.C.""#,
    r#""call 4155552671""#,
    r#""012345678901234""#,
    r#""0123456789012345""#,
    r#""a long text with 4155552671 in""#,
    r#""ada@example.com""#,
];

#[test]
fn a_value_is_read_alike_whether_its_key_is_expected_or_new() {
    let read = |parser: &mut Parser, value: &str| {
        let event = format!(r#"{{"event_source":{value},"metadata":{{"member":{value},"last":true}}}}"#);
        let text = [event.as_bytes(), &[0; WINDOW]].concat();
        Reader::padded(&text, event.len()).event(parser).map(|()| parser.event.clone())
    };
    for value in VALUES {
        let new = read(&mut Parser::new(), value);
        for usual in ["1", r#""a""#] {
            let mut parser = Box::new(Parser::new());
            read(&mut parser, usual).expect("a plain value");
            assert_eq!(read(&mut parser, value), new, "{value} after {usual}");
        }
    }
}
