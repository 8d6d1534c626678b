//! `contract.json`: the rules for programs and pages.

use super::{fingerprint, prose};
use audience_gate::contract::rules::{RULES, VERSION};
use serde_json::json;

/// The whole document.
pub fn render() -> String {
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
    let document = json!({ "version": VERSION, "fingerprint": fingerprint(), "rules": rules });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}
