//! The written corpus: events, each with its violations.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its own part, and a corpus that cannot be read says where"
)]

use audience_gate::gate::Caller;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A case of the corpus.
pub struct Case {
    /// The rule whose file it is in, and what it shows.
    pub name: String,
    /// The event as it is sent.
    pub text: String,
    caller: String,
    caller_id: String,
    /// The page that a browser's call came from.
    pub origin: Option<String>,
    /// Every rule that it violates, in order.
    pub violates: Vec<String>,
}

impl Case {
    /// Who sends it.
    pub fn caller(&self) -> Caller<'_> {
        match self.caller.as_str() {
            "visitor" => Caller::Visitor,
            "user" => Caller::User(&self.caller_id),
            _ => Caller::Trusted,
        }
    }
}

/// All cases, file by file.
pub fn cases() -> Vec<Case> {
    let text = |value: &Value| value.as_str().map(String::from);
    // The corpus is found from every package of this repository.
    let roots = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let folder = roots.map(|root| root.join("tests/corpus")).find(|folder| folder.is_dir()).unwrap();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
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
