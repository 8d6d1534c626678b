//! `contract.json`, the rules for programs and pages, and the same as the script that the package carries.

use super::{PREAMBLE, fingerprint, meaning, prose};
use audience_gate::contract::rules::{RULES, VERSION};
use serde_json::{Value, json};

/// The whole document, with what the rules mean as data, by which it can be compared with another.
pub fn render() -> String {
    let mut document = document();
    document["meaning"] = meaning::lines().into();
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// A JavaScript function that returns the document. It holds the document as a text, because engines parse that faster
/// than a literal.
pub fn script() -> String {
    let text = Value::String(document().to_string());
    format!(
        "// {PREAMBLE}\n\nconst TEXT =\n  {text};\n\nlet contract_;\n\n/** The rules, their version and their fingerprint. */\nexport function contract() {{\n  return contract_ ??= JSON.parse(TEXT);\n}}\n"
    )
}

fn document() -> Value {
    let rules: Vec<_> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "kind": rule.kind.name(),
                "category": rule.category.map(|category| category.name()),
                "when": prose::when(rule),
                "must": prose::must(rule),
                "reason": rule.reason,
                "path": rule.path,
                "accepts": rule.accepts,
                "rejects": rule.rejects,
            })
        })
        .collect();
    json!({ "version": VERSION, "fingerprint": fingerprint(), "rules": rules })
}
