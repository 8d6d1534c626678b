//! The rules of an install's own: native, they refuse what they refuse in the module and in Postgres, and a part of a
//! registry that cannot be judged by takes nothing else with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

mod support;

use audience_gate::Registry;
use audience_gate::gate::{Caller, Gate};
use audience_gate::registry::taxonomy;
use serde_json::{Value, json};
use std::time::Instant;

/// The same cases as the module and Postgres are held to.
const CASES: &str = include_str!("support/own_rules.json");

fn base() -> Value {
    json!({
        "session_id": "session-0001",
        "event_type": "page_view",
        "event_category": "engagement",
        "event_source": "web",
    })
}

/// The default registry with other members.
fn registry(change: impl FnOnce(&mut Value)) -> Registry {
    let mut snapshot = support::read(taxonomy::snapshot().as_bytes());
    change(&mut snapshot);
    Registry::from_json(snapshot.to_string().as_bytes()).unwrap()
}

/// The violations of an event, and what the store is told of the registry.
fn judged(registry: &Registry, changes: &Value) -> (Value, Value) {
    let mut event = base();
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let mut gate = Gate::default();
    gate.judge(event.to_string().as_bytes(), &support::request(registry, Caller::Trusted));
    let answer = support::read(gate.answer());
    let found = answer["results"][0].get("violations").cloned().unwrap_or(json!([]));
    (found, support::read(gate.argument())["batch"]["registry"].clone())
}

#[test]
fn an_event_is_refused_by_what_binds_it_and_where() {
    let Value::Object(file) = support::read(CASES.as_bytes()) else { panic!("no cases") };
    let registry = registry(|snapshot| {
        snapshot["own_rules"] = file["rules"].clone();
        let site = json!({ "id": "00000000-0000-4000-8000-0000000000aa", "origins": null });
        snapshot["sites"].as_array_mut().unwrap().push(site);
    });
    assert_eq!(registry.faults, Vec::<String>::new());
    let mut wrong = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let (found, _) = judged(&registry, &case["event"]);
        if found != case["violations"] {
            wrong.push(format!("{}: {found}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_cannot_be_judged_by_is_named_and_the_store_is_told_nothing() {
    let typo = json!({ "properties": { "page_path": { "type": "strng", "maxLength": 3 } } });
    let cases = [
        (json!([]), Value::Null, vec![], "7"),
        (
            json!([{ "id": "own.a", "mode": "enforce", "schema": { "properties": { "like": { "patern": "a" } } } }]),
            Value::Null,
            vec!["the schema of `own.a` cannot be judged by: mend #/properties/like/patern"],
            "",
        ),
        (json!([{ "id": "own.a", "mode": "observe", "schema": { "patern": "a" } }]), Value::Null, vec![], "7"),
        (
            json!([]),
            typo,
            vec!["the payload schema of `page_view` cannot be judged by: mend #/properties/page_path/type"],
            "",
        ),
    ];
    for (own_rules, payload_schema, faults, told) in cases {
        let registry = registry(|snapshot| {
            snapshot["version"] = json!("7");
            snapshot["own_rules"] = own_rules;
            let types = snapshot["event_types"].as_array_mut().unwrap();
            types.iter_mut().find(|entry| entry["id"] == "page_view").unwrap()["payload_schema"] = payload_schema;
        });
        assert_eq!(registry.faults, faults);
        let (found, version) = judged(&registry, &json!({ "metadata": { "page_path": "/a" } }));
        assert_eq!((found, version.as_str().unwrap_or_default()), (json!([]), told));
    }
}

#[test]
fn an_event_of_many_unknown_fields_takes_time_in_proportion() {
    let rule = json!([{ "id": "own.a", "mode": "enforce", "schema": { "required": ["utm_term"] } }]);
    let registry = registry(|snapshot| snapshot["own_rules"] = rule);
    let took = |fields: usize| {
        let event = (0..fields).map(|number| (format!("field {number}"), json!(number))).collect();
        let event = Value::Object(event);
        let started = Instant::now();
        judged(&registry, &event);
        started.elapsed().as_secs_f64()
    };
    // Other tests run beside this one, now and then a whole second long.
    let times = (0..9).map(|_| took(30_000) / took(3_000)).fold(f64::INFINITY, f64::min);
    assert!(times < 30.0, "{times} times as long for ten times as many");
}
