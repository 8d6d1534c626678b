//! Every generated file is what its sources say, and `npm run emit` makes it so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

#[test]
fn every_generated_file_is_current() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let stale: Vec<_> = audience_gate_emit::verify(root.as_ref()).iter().map(ToString::to_string).collect();
    assert!(stale.is_empty(), "\n{}", stale.join("\n"));
}

#[test]
fn emit_names_a_stale_file_and_mends_it() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emit");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).unwrap();
    let emit = |words: &[&str]| {
        let Output { status, stdout, stderr } =
            Command::new(env!("CARGO_BIN_EXE_audience-gate-emit")).args(words).current_dir(&folder).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    };
    assert_eq!(emit(&[]).0, Some(0));
    assert_eq!(emit(&["--check"]), (Some(0), String::new(), String::new()));
    let rules = folder.join("RULES.md");
    fs::write(&rules, fs::read_to_string(&rules).unwrap() + "one more line\n").unwrap();
    fs::remove_file(folder.join("contract.json")).unwrap();
    let (code, stdout, stderr) = emit(&["--check"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("RULES.md is stale from line"), "{stderr}");
    assert!(stderr.contains("contract.json is missing: run `npm run emit`"), "{stderr}");
    assert_eq!(emit(&[]).1, "wrote RULES.md\nwrote contract.json\n");
    assert_eq!(emit(&["--check"]).0, Some(0));
}
