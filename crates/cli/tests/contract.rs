//! Contracts compared on the command line: what is printed, and the exit code that a pipeline sees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "support/command.rs"]
mod command;

use audience_gate::registry::taxonomy;
use command::{folder, run};
use serde_json::{Value, json};
use std::fs;

/// The files that every case finds: what ships, and the registries and contracts that differ from it.
fn files() -> Vec<(&'static str, String)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let shipped: Value = serde_json::from_str(&taxonomy::snapshot()).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut snapshot = shipped.clone();
        change(&mut snapshot);
        snapshot.to_string()
    };
    let own = |mode: &str, reason: &str| {
        with(&|snapshot| {
            snapshot["own_rules"] = json!([{ "id": "own.shop", "category": null, "event_type": "page_view",
                "site_id": null, "mode": mode, "reasons": { "en": reason },
                "schema": { "properties": { "metadata": { "properties": { "page_path": { "pattern": "^/shop" } } } } } }]);
        })
    };
    let contract = fs::read_to_string(format!("{root}/contract.json")).unwrap();
    let meaning = fs::read_to_string(format!("{root}/supabase/contract/meaning.ndjson")).unwrap();
    let mut unknown: Value = serde_json::from_str(&contract).unwrap();
    unknown["fingerprint"] = json!("0000000000000000");
    unknown.as_object_mut().unwrap().remove("meaning");
    vec![
        ("own.json", own("enforce", "no")),
        ("own-watched.json", own("observe", "no")),
        ("own-reworded.json", own("enforce", "send the path of the shop")),
        ("shipped.json", shipped.to_string()),
        (
            "longer.ndjson",
            meaning.replace(r#"["length@1","/session_id",8,128]"#, r#"["length@1","/session_id",8,200]"#),
        ),
        ("words.ndjson", meaning.replace(r#"["words of a like",["#, r#"["words of a like",["adore","#)),
        ("meaning.ndjson", meaning),
        ("contract.json", contract),
        ("unknown.json", unknown.to_string()),
        ("release.json", fs::read_to_string(format!("{root}/supabase/contract/releases/0.1.0.json")).unwrap()),
    ]
}

#[test]
fn a_comparison_says_what_differs_and_whether_it_breaks_a_sender() {
    let folder = folder("contract-diff");
    for (name, content) in files() {
        fs::write(folder.join(name), content).unwrap();
    }
    let mut wrong = Vec::new();
    for (words, code, says) in [
        ("contract.json meaning.ndjson", 0, "the contracts are equal\n"),
        ("shipped.json contract.json", 0, "the contracts are equal\n"),
        ("own.json own-reworded.json", 0, "the contracts are equal\n"),
        ("shipped.json own-watched.json", 0, "the contracts are equal\n"),
        ("shipped.json own.json", 1, "own rule own.shop, added\n  tightened: {"),
        ("own.json own-watched.json", 0, "own rule own.shop, removed\n  loosened: {"),
        ("meaning.ndjson longer.ndjson", 0, "rule sanity.session_id_length, changed\n  loosened: {"),
        ("longer.ndjson meaning.ndjson", 1, ": accepted; now refused by sanity.session_id_length"),
        ("meaning.ndjson words.ndjson", 3, "words words of a like, changed\n  not decided: "),
        ("release.json contract.json", 1, "rule privacy.secret, added\n  tightened: {"),
        (
            "unknown.json contract.json",
            2,
            "unknown.json is not a contract to compare: it does not say what its rules mean",
        ),
        ("missing contract.json", 2, "cannot read missing"),
    ] {
        let ran = run(&folder, &format!("contract diff --events 400 {words}"), b"");
        if ran.code != Some(code) || !format!("{}{}", ran.stdout, ran.stderr).contains(says) {
            wrong.push(format!("{words}: expected {code}, {says}\n{:?} {}{}", ran.code, ran.stdout, ran.stderr));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    let text = run(&folder, "contract diff --json shipped.json own.json", b"").stdout;
    let found: Value = serde_json::from_str(&text).unwrap();
    let found = &found["differences"][0];
    assert_eq!((&found["kind"], &found["name"]), (&json!("own rule"), &json!("own.shop")));
    let example = &found["tightened"];
    assert_eq!(
        (&example["decisive"], &example["old"], &example["new"]),
        (&json!(true), &json!([]), &json!(["own.shop"]))
    );
    let event: Value = serde_json::from_str(example["event"].as_str().unwrap()).unwrap();
    assert_eq!(event["metadata"].as_object().unwrap().len(), 1, "it is as small as it can be: {event}");
}
