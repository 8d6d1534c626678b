//! The generated judge against the reference: for every written case, and for events near every bound.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/near.rs"]
mod near;
#[path = "support/reference/mod.rs"]
mod reference;
mod support;

use audience_gate::Registry;
use audience_gate::contract::rules::RULES;
use audience_gate::gate::{Caller, violated};
use audience_gate::parse::Parser;
use audience_gate::registry::taxonomy;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestError, TestRunner};
use reference::World;
use serde_json::{Value, json};
use std::collections::HashMap;

#[test]
fn the_reference_judges_every_written_case_as_written() {
    let registry = support::read(taxonomy::snapshot().as_bytes());
    let mut wrong = Vec::new();
    for case in corpus::cases() {
        let world = World {
            caller: case.caller(),
            origin: case.origin.as_deref(),
            received_at: support::RECEIVED_AT,
            registry: Some(&registry),
        };
        let found = reference::violations(RULES, case.text.as_bytes(), &world);
        if found != case.violates {
            wrong.push(format!("{}\n    expected  {:?}\n    reference {found:?}", case.name, case.violates));
        }
    }
    assert!(wrong.is_empty(), "{} cases are judged differently:\n{}", wrong.len(), wrong.join("\n"));
}

/// How many events are generated; `AUDIENCE_GATE_EVENTS=…` generates more of them than usual.
fn generated() -> u32 {
    std::env::var("AUDIENCE_GATE_EVENTS").map_or(2000, |count| count.parse().expect("AUDIENCE_GATE_EVENTS is a number"))
}

/// The registries that an event can meet: the one that ships, one whose sites list origins, one that does not show its
/// sites, one with words of its own and keys that are not personal, and none.
fn registries() -> [Option<Value>; 5] {
    let ships = support::read(taxonomy::snapshot().as_bytes());
    let (mut lists_origins, mut tells_no_sites) = (ships.clone(), ships.clone());
    lists_origins["sites"][0]["origins"] = json!(["https://example.com"]);
    tells_no_sites["sites"] = Value::Null;
    let mut says_of_keys = ships.clone();
    says_of_keys["personal_words"] = json!(["note", "colour", "score", "é", "path", "token count"]);
    for entry in says_of_keys["event_types"].as_array_mut().unwrap() {
        let properties =
            ["phone", "email", "x.email", "note", "userIP", "address"].map(|key| (key, json!({"personal": false})));
        entry["payload_schema"] = json!({"properties": properties.into_iter().collect::<HashMap<_, _>>()});
    }
    [Some(ships), Some(lists_origins), Some(tells_no_sites), Some(says_of_keys), None]
}

#[test]
fn the_gate_its_table_interpreted_and_the_reference_agree_on_events_near_every_bound() {
    let registries = registries().map(|snapshot| {
        let registry = snapshot
            .as_ref()
            .map_or(Registry::unloaded(), |snapshot| Registry::from_json(snapshot.to_string().as_bytes()).unwrap());
        (snapshot, registry)
    });
    let callers = [Caller::Trusted, Caller::Visitor, Caller::User("7c9e6679-7425-40de-944b-e07fc1f90ae7")];
    let origins = [None, Some("https://example.com"), Some("https://example.org")];
    let sent = (near::event(), select(callers.to_vec()), select(origins.to_vec()), 0..registries.len());
    let mut runner = TestRunner::new(Config { cases: generated(), failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&sent, |(event, caller, origin, which)| {
        let (snapshot, registry) = &registries[which];
        let world = World { caller, origin, received_at: support::RECEIVED_AT, registry: snapshot.as_ref() };
        let mut request = support::request(registry, caller);
        request.context.origin = origin;
        let by_gate = support::violations(&support::answer(event.as_bytes(), &request));
        let by_reference = reference::violations(RULES, event.as_bytes(), &world);
        prop_assert!(
            by_gate == by_reference,
            "by the gate: {by_gate:?}; with the registry {which}, and as a case of the corpus by the reference:\n{}",
            as_case(&event, caller, origin, &by_reference),
        );
        if registry.is_loaded {
            let found = violated(RULES, event.as_bytes(), &mut Parser::new(), &request.context);
            let interpreted: Vec<_> =
                RULES.iter().zip(found).filter(|(_, found)| *found).map(|(rule, _)| rule.id).collect();
            prop_assert!(interpreted == by_gate, "interpreted: {interpreted:?}; by the gate: {by_gate:?}: {event}");
        }
        Ok(())
    });
    if let Err(TestError::Fail(reason, _)) = &outcome {
        panic!("the gate and the reference disagree; {reason}");
    }
    outcome.unwrap();
}

/// A case as it would be written in the corpus.
fn as_case(event: &str, caller: Caller, origin: Option<&str>, violates: &[&str]) -> String {
    let mut case = json!({ "description": "…", "text": event, "violates": violates });
    match caller {
        Caller::Trusted => {}
        Caller::Visitor => case["caller"] = "visitor".into(),
        Caller::User(id) => (case["caller"], case["caller_id"]) = ("user".into(), id.into()),
    }
    if let Some(origin) = origin {
        case["origin"] = origin.into();
    }
    format!("{case:#}")
}
