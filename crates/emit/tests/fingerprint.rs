//! The fingerprint changes with what the contract means, and with nothing else.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use audience_gate::contract::personal_words::{GROUPS, QUESTIONING};
use audience_gate::contract::rule::{Expr, Rule};
use audience_gate::contract::rules::RULES;
use audience_gate_emit::meaning::{Meaning, operator};
use audience_gate_emit::{fingerprint, json, sql};

/// The rules, one of them as a change makes it.
fn rules(id: &str, change: impl Fn(&mut Rule)) -> Vec<Rule> {
    RULES
        .iter()
        .map(|rule| {
            let mut copy = Rule { ..*rule };
            if rule.id == id {
                change(&mut copy);
            }
            copy
        })
        .collect()
}

fn with_rules(rules: &[Rule]) -> String {
    Meaning { rules, ..Meaning::CURRENT }.fingerprint()
}

#[test]
fn a_change_of_words_for_people_leaves_it() {
    let reworded = rules("base.id", |rule| {
        rule.reason = "send a UUID";
        rule.path = "";
        rule.accepts = "{}";
        rule.rejects = "{}";
    });
    assert_eq!(with_rules(&reworded), fingerprint());
}

#[test]
fn a_change_of_meaning_changes_it() {
    let mut fewer = rules("", |_| {});
    fewer.pop();
    let mut reordered = rules("", |_| {});
    reordered.swap(0, 1);
    let fields = &audience_gate::contract::vocabulary::FIELDS[1..];
    let mut more = GROUPS;
    more[0].anywhere = "zodiac sign";
    let current = Meaning::CURRENT;
    let cases = [
        ("an id", with_rules(&rules("base.id", |rule| rule.id = "base.ids"))),
        ("a category", with_rules(&rules("engagement.subject", |rule| rule.category = None))),
        ("a guard", with_rules(&rules("base.id", |rule| rule.when = Expr::Always))),
        ("a bound", with_rules(&rules("duplicate.double_fire", |rule| rule.must = Expr::NoTwinWithin(4)))),
        ("a rule less", with_rules(&fewer)),
        ("the order", with_rules(&reordered)),
        ("the version of an operator", Meaning { operator: uuid_means_something_else, ..current }.fingerprint()),
        ("other words", Meaning { personal_words: &more, ..current }.fingerprint()),
        ("a kind of words less", Meaning { personal_words: &GROUPS[1..], ..current }.fingerprint()),
        ("a harmless word less", Meaning { harmless_words: ["", QUESTIONING], ..current }.fingerprint()),
        ("a field less", Meaning { fields, ..current }.fingerprint()),
        ("a constant", Meaning { constants: &[("levels of nesting", 31)], ..current }.fingerprint()),
    ];
    let mut seen = vec![("nothing", fingerprint())];
    for (change, changed) in cases {
        let same = seen.iter().find(|(_, other)| *other == changed);
        assert!(same.is_none(), "{change} and {} make one fingerprint", same.unwrap().0);
        seen.push((change, changed));
    }
}

fn uuid_means_something_else(expr: &Expr) -> (&'static str, u32) {
    let (name, version) = operator(expr);
    if name == "uuid" { (name, version + 1) } else { (name, version) }
}

#[test]
fn every_engine_says_the_same_one() {
    let fingerprint = fingerprint();
    let document: serde_json::Value = serde_json::from_str(&json::render()).unwrap();
    assert_eq!(audience_gate::contract::FINGERPRINT, fingerprint, "Rust, and with it the module");
    assert_eq!(document["fingerprint"], *fingerprint, "contract.json");
    let unit = sql::units().into_iter().find(|unit| unit.name == "function audience_gate.contract_fingerprint()");
    assert!(unit.unwrap().text.contains(&format!("select '{fingerprint}'")), "SQL");
}

#[test]
fn it_is_the_hash_of_the_published_text() {
    let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../supabase/contract/meaning.ndjson")).unwrap();
    assert!(audience_gate_emit::release::sha256(&text).starts_with(&fingerprint()));
}
