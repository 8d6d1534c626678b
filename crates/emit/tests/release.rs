//! A release freezes what databases have run, and the next one is a migration of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod support;

use serde_json::json;
use std::fs;
use support::Folder;

const BASELINE: &str = "supabase/migrations/20261101000200_contract_unreleased.sql";
const FROZEN: &str = "supabase/migrations/20261101000200_contract_0_1_0.sql";
const TABLES: &str = "supabase/migrations/20261101000100_tables.sql";
const LATER: &str = "supabase/migrations/20261101000300_later.sql";
const RECORD: &str = "supabase/contract/releases/0.1.0.json";
const NEXT: &str = "supabase/migrations/20261101000301_contract_unreleased.sql";

/// A checkout with a migration before the contract and one after it.
fn baseline(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write(TABLES, "create table t ();\n");
    folder.write(BASELINE, "");
    folder.write(LATER, "create table later ();\n");
    folder.emits(&[]);
    folder
}

/// A checkout whose first release is out.
fn released(name: &str) -> Folder {
    let folder = baseline(name);
    folder.emits(&["--release", "0.1.0"]);
    folder
}

/// Makes the record say that the last release shipped something other than this source does.
fn shipped_otherwise(folder: &Folder) {
    folder.edit(RECORD, |text| {
        let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
        record["units"]["function audience_gate.depth(jsonb)"][1] = json!("of an older body");
        record["units"]["function audience_gate.keys(jsonb)"] = json!(["of another result", "of an older body"]);
        record["units"]["function audience_gate.gone(text)"] = json!(["", ""]);
        record["units"].as_object_mut().unwrap().remove("function audience_gate.is_sha256(text)");
        record["taxonomy"]["event_types"][0]["score_weight"] = json!(9);
        record["taxonomy"]["event_types"][1]["id"] = json!("no_longer_shipped");
        record.to_string()
    });
}

#[test]
fn until_the_first_release_the_migration_is_the_whole_contract_and_is_rewritten() {
    let folder = baseline("unreleased");
    let contract = fs::read_to_string(folder.path("supabase/contract/contract.sql")).unwrap();
    assert_eq!(fs::read_to_string(folder.path(BASELINE)).unwrap(), contract);
    folder.edit(BASELINE, |text| text + "-- an edit\n");
    assert!(folder.refuses(&["--check"]).contains(&format!("{BASELINE} is stale")));
    assert_eq!(folder.emits(&[]), format!("wrote {BASELINE}\n"));
    let refusal = folder.refuses(&["--check", "--released"]);
    for path in [TABLES, BASELINE, LATER] {
        assert!(
            refusal.contains(&format!("{path} is in no release: run `npm run emit -- --release VERSION`")),
            "{refusal}"
        );
    }
}

#[test]
fn a_release_freezes_every_migration() {
    let folder = released("frozen");
    folder.emits(&["--check", "--released"]);
    assert!(!folder.path(BASELINE).exists());
    for path in [TABLES, FROZEN, LATER] {
        let before = fs::read_to_string(folder.path(path)).unwrap();
        folder.edit(path, |text| text + "-- an edit\n");
        assert!(folder.refuses(&["--check"]).contains(&format!("{path} was edited after 0.1.0 was released with it")));
        folder.emits(&[]);
        assert!(fs::read_to_string(folder.path(path)).unwrap().ends_with("-- an edit\n"), "emit rewrote {path}");
        fs::remove_file(folder.path(path)).unwrap();
        assert!(folder.refuses(&["--check"]).contains(&format!("{path} was removed after 0.1.0 was released with it")));
        folder.write(path, &before);
        folder.emits(&["--check"]);
    }
}

#[test]
fn a_migration_is_numbered_after_those_that_were_released() {
    let folder = released("order");
    folder.write("supabase/migrations/20261101000250_between.sql", "select 1;\n");
    assert!(
        folder.refuses(&["--check"]).contains("20261101000250_between.sql sorts before migrations that were released")
    );
}

#[test]
fn a_release_comes_after_the_last_one() {
    let folder = released("versions");
    assert_eq!(folder.emits(&["--release", "0.1.0"]), "", "it is frozen already");
    for version in ["0.0.9", "1", "1.0", "v1.0.0", "../1.0.0"] {
        assert!(folder.refuses(&["--release", version]).contains("X.Y.Z"), "{version}");
    }
    folder.write("supabase/migrations/20261101000400_more.sql", "select 1;\n");
    assert!(folder.refuses(&["--release", "0.1.0"]).contains("X.Y.Z"), "there is more than was frozen");
    let written = folder.emits(&["--release", "0.10.0"]);
    assert_eq!(written, "wrote supabase/contract/releases/0.10.0.json\n");
    folder.write("supabase/migrations/20261101000500_more.sql", "select 1;\n");
    assert!(folder.refuses(&["--release", "0.9.0"]).contains("X.Y.Z"), "0.9.0 comes before 0.10.0");
}

#[test]
fn a_changed_contract_becomes_a_migration_of_what_changed() {
    let folder = released("changed");
    shipped_otherwise(&folder);
    assert!(folder.refuses(&["--check"]).contains(&format!("{NEXT} is missing: run `npm run emit`")));
    assert_eq!(folder.emits(&[]), format!("wrote {NEXT}\n"));
    folder.emits(&["--check"]);
    assert!(folder.refuses(&["--check", "--released"]).contains(NEXT));
    let migration = fs::read_to_string(folder.path(NEXT)).unwrap();
    let holds = |text: &str| assert!(migration.contains(text), "no {text} in\n{migration}");
    holds("create or replace function audience_gate.depth(");
    holds("create or replace function audience_gate.is_sha256(");
    holds("drop function if exists audience_gate.keys(jsonb);\ncreate or replace function audience_gate.keys(");
    holds("\ndrop function if exists audience_gate.gone(text);\n");
    holds(
        "\nupdate public.audience_event_types\nset score_weight = 0.2\nwhere id = 'page_view'\n  and (category, tier, score_weight,",
    );
    holds("\ninsert into public.audience_event_types\n");
    assert_eq!(migration.matches("create or replace function").count(), 3, "{migration}");
    assert!(!migration.contains("no_longer_shipped"), "a type that is shipped no longer belongs to the install");
    assert!(!migration.contains("delete from"), "nothing of the install's is deleted");

    let written = folder.emits(&["--release", "0.2.0"]);
    assert!(written.contains("wrote supabase/migrations/20261101000301_contract_0_2_0.sql\n"), "{written}");
    folder.emits(&["--check", "--released"]);
}

#[test]
fn a_change_that_was_taken_back_leaves_no_migration() {
    let folder = released("back");
    let record = fs::read_to_string(folder.path(RECORD)).unwrap();
    shipped_otherwise(&folder);
    folder.emits(&[]);
    folder.write(RECORD, &record);
    assert!(folder.refuses(&["--check"]).contains(&format!("{NEXT} changes nothing: run `npm run emit`")));
    assert_eq!(folder.emits(&[]), format!("wrote {NEXT}\n"));
    assert!(!folder.path(NEXT).exists());
}
