//! The examples of the table are true: each is accepted, or its first violation is its own rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

use audience_gate::contract::rules::RULES;
use audience_gate::registry::taxonomy;
use audience_gate::{Caller, Context, Gate};

const NOON: i64 = 1_795_262_400_000_000;

fn violations(body: &str, caller: Caller) -> Vec<&'static str> {
    let registry = taxonomy::registry();
    let verdict = Gate::default().check(body.as_bytes(), &Context::new(&registry, caller, NOON));
    verdict.rules().map(|rule| rule.id).collect()
}

#[test]
fn every_example_gets_the_verdict_that_its_rule_says() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let accepted = violations(rule.accepts, Caller::Trusted);
        if !accepted.is_empty() {
            wrong.push(format!("{}: its accepted example violates {accepted:?}", rule.id));
        }
        let caller = match rule.id {
            "identity.user_id" | "retention.trusted_caller" | "system.trusted_caller" => Caller::Visitor,
            _ => Caller::Trusted,
        };
        let rejected = violations(rule.rejects, caller);
        let expected = if rule.must.is_of_the_store() { None } else { Some(rule.id) };
        if rejected.first().copied() != expected {
            wrong.push(format!("{}: its rejected example violates {rejected:?}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
