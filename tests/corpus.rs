//! The written corpus: every case gets exactly the violations that are listed with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "support/corpus.rs"]
mod corpus;
mod support;

use audience_gate::contract::rules::RULES;
use corpus::{Case, cases};

#[test]
fn every_case_gets_exactly_the_violations_listed_with_it() {
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

/// A rule's own examples are its first cases; a file is for what they leave open.
#[test]
fn every_file_is_of_a_rule_and_has_an_accepted_and_a_refused_case() {
    let cases = cases();
    let mut files: Vec<_> = cases.iter().filter_map(|case| case.name.split_once(':')).map(|(file, _)| file).collect();
    files.dedup();
    let is_short = |file: &&str| {
        let of_rule = |case: &&Case| case.name.starts_with(&format!("{file}:"));
        let refuses = |case: &Case| case.violates.iter().any(|id| id == file);
        let (refused, accepted): (Vec<_>, Vec<_>) = cases.iter().filter(of_rule).partition(|case| refuses(case));
        RULES
            .iter()
            .find(|rule| rule.id == *file)
            .is_none_or(|rule| accepted.is_empty() || (refused.is_empty() && !rule.must.is_of_the_store()))
    };
    let short: Vec<_> = files.into_iter().filter(is_short).collect();
    assert!(short.is_empty(), "tests/corpus has files of no rule, or without both kinds of case: {short:?}");
}
