//! The written corpus: every case gets exactly the violations that stand beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "support/corpus.rs"]
mod corpus;
mod support;

use audience_gate::contract::rules::RULES;
use corpus::cases;

#[test]
fn every_case_gets_the_violations_that_stand_beside_it() {
    let registry = support::registry();
    let mut wrong = Vec::new();
    for case in cases() {
        let mut request = support::request(&registry, case.caller());
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
