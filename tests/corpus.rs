//! The written corpus: every case gets exactly the violations that stand beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

mod support;

use audience_gate::contract::rules::RULES;
use audience_gate::gate::Caller;
use serde_json::Value;
use std::fs;

struct Case {
    name: String,
    text: String,
    caller: String,
    caller_id: String,
    origin: Option<String>,
    violates: Vec<String>,
}

fn cases() -> Vec<Case> {
    let text = |value: &Value| value.as_str().map(String::from);
    let mut files: Vec<_> = fs::read_dir("tests/corpus").unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let file: Vec<Value> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for case in file {
            cases.push(Case {
                name: format!("{}: {}", path.file_stem().unwrap().display(), case["description"]),
                text: text(&case["text"]).unwrap_or_else(|| case["event"].to_string()),
                caller: text(&case["caller"]).unwrap_or("trusted".into()),
                caller_id: text(&case["caller_id"]).unwrap_or_default(),
                origin: text(&case["origin"]),
                violates: serde_json::from_value(case["violates"].clone()).unwrap(),
            });
        }
    }
    cases
}

#[test]
fn every_case_gets_the_violations_that_stand_beside_it() {
    let registry = support::registry();
    let mut wrong = Vec::new();
    for case in cases() {
        let caller = match case.caller.as_str() {
            "visitor" => Caller::Visitor,
            "user" => Caller::User(&case.caller_id),
            _ => Caller::Trusted,
        };
        let mut request = support::request(&registry, caller);
        request.context.origin = case.origin.as_deref();
        let found = support::violations(&support::answer(case.text.as_bytes(), &request));
        if found != case.violates {
            wrong.push(format!("{}\n    expected {:?}\n    found    {found:?}", case.name, case.violates));
        }
    }
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_has_a_file_with_an_accepted_and_a_refused_case() {
    let cases = cases();
    let mut missing = Vec::new();
    for rule in RULES {
        let own: Vec<_> = cases.iter().filter(|case| case.name.starts_with(&format!("{}:", rule.id))).collect();
        let refuses = own.iter().any(|case| case.violates.iter().any(|id| id == rule.id));
        let accepts = own.iter().any(|case| case.violates.iter().all(|id| id != rule.id));
        if !accepts || (!refuses && rule.id != "duplicate.double_fire") {
            missing.push(rule.id);
        }
    }
    assert!(missing.is_empty(), "tests/corpus lacks cases of: {missing:?}");
}
