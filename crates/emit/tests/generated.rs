//! Every generated file agrees with its sources, and `npm run emit` writes it so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod support;

use std::fs;
use support::Folder;

#[test]
fn every_generated_file_is_current_and_no_released_one_was_edited() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let wrong = audience_gate_emit::verify(root.as_ref()).unwrap();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn emit_names_a_stale_file_and_mends_it() {
    let folder = Folder::new("stale");
    folder.emits(&[]);
    assert_eq!(folder.emit(&["--check"]), (0, String::new(), String::new()));
    folder.edit("RULES.md", |text| text + "one more line\n");
    fs::remove_file(folder.path("contract.json")).unwrap();
    let (code, stdout, stderr) = folder.emit(&["--check"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("RULES.md is stale from line"), "{stderr}");
    assert!(stderr.contains("contract.json is missing: run `npm run emit`"), "{stderr}");
    assert_eq!(folder.emits(&[]), "wrote RULES.md\nwrote contract.json\n");
    folder.emits(&["--check"]);
}

#[test]
fn no_line_of_the_contract_in_sql_is_wider_than_a_screen() {
    let sql = audience_gate_emit::step::render();
    let wide: Vec<_> = sql.lines().filter(|line| line.chars().count() > 120).collect();
    assert!(wide.is_empty(), "\n{}", wide.join("\n"));
}
