//! What an install says of keys: words of its own that name personal data, and keys of a payload schema that do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

mod support;

use audience_gate::Registry;
use audience_gate::gate::{Caller, Gate};
use audience_gate::registry::taxonomy;
use serde::Deserialize;
use serde_json::{Value, json};

/// The same cases as the module and Postgres are held to.
const CASES: &str = include_str!("support/own_registry.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    words: Vec<String>,
    event_type: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    event: Value,
    violations: Value,
    #[serde(default)]
    snapshot: Value,
}

#[test]
fn keys_are_judged_and_redacted_by_what_the_install_says() {
    let Cases { words, event_type, cases } = serde_json::from_str(CASES).unwrap();
    let mut snapshot = support::read(taxonomy::snapshot().as_bytes());
    snapshot["personal_words"] = json!(words);
    snapshot["event_types"].as_array_mut().unwrap().push(event_type);
    let registry = Registry::from_json(snapshot.to_string().as_bytes()).unwrap();
    let request = support::request(&registry, Caller::Trusted);
    let mut wrong = Vec::new();
    for case in cases {
        let mut event = json!({
            "session_id": "session-0001",
            "event_type": "page_view",
            "event_category": "engagement",
            "event_source": "web",
        });
        event.as_object_mut().unwrap().extend(case.event.as_object().unwrap().clone());
        let mut gate = Gate::default();
        gate.judge(event.to_string().as_bytes(), &request);
        let (answer, batch) = (support::read(gate.answer()), support::read(gate.argument()));
        let found = match &answer["results"][0]["violations"] {
            Value::Null => json!([]),
            violations => violations.clone(),
        };
        let kept = &batch["batch"]["rejected"][0]["metadata"]["original_payload_snapshot"]["metadata"];
        if found != case.violations || *kept != case.snapshot {
            wrong.push(format!("{}: {found} {kept}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_registry_that_says_neither_judges_as_before() {
    let mut snapshot = support::read(taxonomy::snapshot().as_bytes());
    snapshot.as_object_mut().unwrap().remove("personal_words");
    let registry = Registry::from_json(snapshot.to_string().as_bytes()).unwrap();
    let body = br#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/","phone":"x","kundennummer":"x"}}"#;
    let found = support::answer(body, &support::request(&registry, Caller::Trusted));
    assert_eq!(
        found["results"][0]["violations"],
        json!([{"rule_id": "privacy.personal_key", "path": "/metadata/phone"}])
    );
}
