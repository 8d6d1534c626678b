//! What holds for every input: no panic, nothing lost, nothing personal kept, and records that are valid themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

mod support;

use audience_gate::check::Caller;
use audience_gate::rules::RULES;
use proptest::prelude::*;
use serde_json::{Value, json};

const CANARIES: [&str; 4] = ["canary@example.com", "+14155552671", "4111 1111 1111 1111", "123-45-6789"];

/// An example of the table, some bytes of which may have been replaced.
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

fn both(body: &[u8], caller: Caller) -> (Value, Value) {
    let registry = support::registry();
    let mut gate = audience_gate::gate::Gate::default();
    gate.judge(body, &support::request(&registry, caller));
    (support::read(&gate.argument), support::read(&gate.answer))
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
    fn a_batch_gets_the_verdicts_of_its_events_one_by_one(bodies in prop::collection::vec(mutated(), 1..6)) {
        let registry = support::registry();
        let request = support::request(&registry, Caller::Visitor);
        let sound: Vec<_> = bodies.into_iter().filter(|body| serde_json::from_slice::<Value>(body).is_ok()).collect();
        let alone: Vec<_> = sound.iter().map(|body| support::violations(&support::answer(body, &request))).collect();
        let batch = [b"[".as_slice(), &sound.join(b",".as_slice()), b"]"].concat();
        let together = support::answer(&batch, &request);
        let together: Vec<Vec<String>> = together["results"].as_array().unwrap().iter()
            .map(|result| serde_json::from_value(result["violations"].clone()).unwrap_or_default()).collect();
        prop_assert_eq!(alone, together);
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
