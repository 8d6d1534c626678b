//! Contracts with one mistake in them: each that changes a verdict is found, with an event that a judge written apart
//! confirms, and none is called equal. `cargo test -p audience-gate-diff -- --nocapture` lists them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "../../../tests/mutants/mutations.rs"]
#[allow(dead_code)]
mod mutations;
#[path = "../../../tests/support/reference/mod.rs"]
mod reference;
#[path = "support/schemas.rs"]
mod schemas;

use audience_gate::contract::rule::Rule;
use audience_gate::contract::rules::RULES;
use audience_gate::contract::{rule, vocabulary};
use audience_gate::gate::Caller;
use audience_gate::registry::taxonomy;
use audience_gate_diff::{Contract, Difference, Example, Search, differences};
use audience_gate_emit::meaning::Meaning;
use serde_json::Value;

/// 2026-11-21T12:00:00Z.
const RECEIVED_AT: i64 = 1_795_262_400_000_000;

/// Mutants that no event tells from the rule: the rule, the change, and why.
const EQUIVALENT: &[(&str, &str, &str)] = &[
    (
        "subscription.email_hash",
        "`must`: in part 2: in part 2: in part 1: in part 1: Present(Email) becomes NonEmptyText",
        "a value that is not text violates the part that asks for its form",
    ),
    (
        "subscription.email_hash",
        "`must`: in part 2: in part 2: in part 1: in part 2: Present(EmailHash) becomes NonEmptyText",
        "a value that is not text violates the part that asks for its form",
    ),
    ("sanity.metadata_size", "`when` always holds", "what is no object is never too long"),
    ("identity.site", "`when`: part 1 is dropped", DEFAULT_SITE),
    ("identity.site", "`when`: in part 1: Present(SiteId) becomes Not(Is(SiteId, Absent))", DEFAULT_SITE),
    (
        "identity.site",
        "`when`: in part 1: Present(SiteId) becomes Any([Present(SiteId), All([Is(SiteId, Text)",
        DEFAULT_SITE,
    ),
];

const DEFAULT_SITE: &str = "an event that names no site is of the default one, which takes events from everywhere here";

fn snapshot() -> Value {
    serde_json::from_str(&taxonomy::snapshot()).unwrap()
}

/// A contract with these rules.
fn contract(rules: &[Rule], snapshot: Value) -> Contract {
    let lines = Meaning { rules, ..Meaning::CURRENT }.text();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Contract::of(&lines, snapshot).unwrap()
}

fn search() -> Search {
    Search { texts: Vec::new(), most: 1000 }
}

/// So many of them, evenly from the first to the last; with `AUDIENCE_GATE_MUTANTS=all`, every one.
fn chosen<T>(mutants: &[T], usual: usize) -> impl Iterator<Item = &T> {
    let is_all = std::env::var("AUDIENCE_GATE_MUTANTS").is_ok_and(|which| which == "all");
    let count = if is_all { mutants.len() } else { usual };
    println!("{count} of {} mutants", mutants.len());
    (0..count).filter_map(move |place| mutants.get(place * mutants.len() / count))
}

fn examples(difference: &Difference) -> impl Iterator<Item = &Example> {
    difference.loosened.iter().chain(&difference.tightened)
}

#[test]
fn every_mistake_in_a_rule_is_found_with_an_event_that_shows_it() {
    let old = contract(RULES, snapshot());
    let snapshot = snapshot();
    let mutants = mutations::mutants(RULES);
    let chosen = chosen(&mutants, 60);
    let (mut wrong, mut shown) = (Vec::new(), 0);
    for mutant in chosen {
        let name = format!("{}: {}", mutant.rule.id, mutant.change);
        let same = RULES.iter().find(|rule| rule.id == mutant.rule.id).unwrap();
        let changed: Vec<Rule> =
            RULES.iter().map(|rule| mutations::copy(if rule.id == same.id { &mutant.rule } else { rule })).collect();
        let new = contract(&changed, snapshot.clone());
        let mut found = differences(&old, &new, &search()).unwrap();
        if found.iter().all(|difference| examples(difference).next().is_none()) {
            found = differences(&old, &new, &Search { most: 20_000, ..search() }).unwrap();
        }
        let [difference] = found.as_slice() else {
            wrong.push(format!("{name}: {} differences", found.len()));
            continue;
        };
        let is_equivalent =
            EQUIVALENT.iter().any(|(rule, change, _)| *rule == same.id && mutant.change.starts_with(change));
        if examples(difference).next().is_none() != is_equivalent || difference.undecided.is_some() != is_equivalent {
            wrong.push(format!("{name}: {difference:?}"));
        }
        for example in examples(difference) {
            shown += 1;
            let caller = match example.sender.caller {
                "trusted" => Caller::Trusted,
                "visitor" => Caller::Visitor,
                id => Caller::User(id),
            };
            let world = reference::World {
                caller,
                origin: example.sender.origin,
                received_at: RECEIVED_AT,
                registry: Some(&snapshot),
            };
            let judge = reference::Judge::new(example.event.as_bytes(), world);
            if judge.violates(same) == judge.violates(&mutant.rule) {
                wrong.push(format!("{name}: the reference sees no difference in {}", example.event));
            }
            println!("{name}: {}", example.event);
        }
    }
    println!("{shown} events");
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_mistake_in_a_schema_is_found_with_an_event_that_shows_it() {
    let mut wrong = Vec::new();
    let before = schemas::with_schemas(&snapshot());
    let mutants = schemas::mutants(&before);
    for mutant in chosen(&mutants, 40) {
        let (name, after) = (&mutant.name, mutant.of(&before));
        let [old, new] = [before.clone(), after].map(|snapshot| contract(RULES, snapshot));
        let found = differences(&old, &new, &search()).unwrap();
        let is_shown = found.len() == 1 && examples(&found[0]).next().is_some();
        println!("{name}: {:?}", found.iter().flat_map(examples).map(|example| &example.event).collect::<Vec<_>>());
        if !is_shown {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_contract_differs_in_nothing_from_itself() {
    for snapshot in [snapshot(), schemas::with_schemas(&snapshot())] {
        let [old, new] = [snapshot.clone(), snapshot].map(|snapshot| contract(RULES, snapshot));
        assert!(differences(&old, &new, &search()).unwrap().is_empty());
    }
}
