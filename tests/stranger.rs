//! What a project gets that depends on the library: the contract, and neither a command line nor a database.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fs;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

const PROGRAM: &str = r#"
use audience_gate::{Caller, Context, Gate, registry::taxonomy};
fn main() {
    let (registry, mut gate) = (taxonomy::registry(), Gate::default());
    let context = Context::new(&registry, Caller::Trusted, 1_795_262_400_000_000);
    std::env::args().skip(1).for_each(|event| println!("{:?}", gate.check(event.as_bytes(), &context).rules().map(|rule| rule.id).collect::<Vec<_>>()));
}
"#;

const VIEW: &str = r#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/pricing"}}"#;
const SHORT_SESSION: &str = r#"{"session_id":"short","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/pricing"}}"#;

fn cargo(folder: &Path, words: &[&str]) -> String {
    // This reuses what was built for these tests.
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO"));
    let out = command.args(words).current_dir(folder).env("CARGO_TARGET_DIR", built).output().unwrap();
    assert!(out.status.success(), "cargo {words:?}\n{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn five_lines_judge_an_event() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stranger");
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"stranger\"\nedition = \"2024\"\n\n[dependencies]\naudience-gate = {{ path = {ROOT:?} }}\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/main.rs"), PROGRAM).unwrap();
    // The versions are the same as here, so that nothing has to be fetched.
    fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let said = cargo(&folder, &["run", "--quiet", "--offline", "--", VIEW, SHORT_SESSION]);
    assert_eq!(said, "[]\n[\"sanity.session_id_length\"]\n");
}

#[test]
fn the_library_brings_neither_a_command_line_nor_a_database() {
    let tree =
        cargo(Path::new(ROOT), &["tree", "--offline", "--edges=normal", "--prefix=none", "--package=audience-gate"]);
    let crates: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"sha2"), "{tree}");
    let heavy = ["clap", "parquet", "arrow-array", "postgres", "rustls", "wasm-bindgen", "js-sys"];
    let brought: Vec<_> = heavy.iter().filter(|name| crates.contains(name)).collect();
    assert!(brought.is_empty(), "{brought:?} in\n{tree}");
}
