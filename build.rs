//! Writes the rules as Rust: one `if` for each rule, over the predicates of `gate/judge.rs`.
//!
//! Walking the table of expressions for every event cost a quarter of the gate's time; as code, the compiler sees all
//! of it at once. The table is still the only place where a rule is written, because what this writes is not kept:
//! cargo runs this file whenever the table changes.

#[allow(dead_code)]
#[path = "src/contract/limits.rs"]
mod limits;
#[allow(dead_code)]
#[path = "src/contract/rule.rs"]
mod rule;
#[allow(dead_code)]
#[path = "src/contract/rules.rs"]
mod rules;
#[allow(dead_code)]
#[path = "src/contract/vocabulary.rs"]
mod vocabulary;

#[path = "build/judge.rs"]
mod judge;
#[path = "build/places.rs"]
mod places;

use rules::RULES;
use std::path::Path;

fn main() {
    for source in ["limits.rs", "vocabulary.rs", "rule.rs", "rules.rs", "too_large.json"] {
        println!("cargo::rerun-if-changed=src/contract/{source}");
    }
    for source in ["judge.rs", "places.rs"] {
        println!("cargo::rerun-if-changed=build/{source}");
    }
    let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
    let path = Path::new(&folder).join("judge.rs");
    if let Err(error) = std::fs::write(&path, judge::judge(RULES, "") + &places::places(RULES)) {
        println!("cargo::error=cannot write {}: {error}", path.display());
    }
}
