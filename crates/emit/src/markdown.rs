//! `RULES.md`: every rule, for people.

use super::{PREAMBLE, fingerprint, prose};
use audience_gate::contract::rule::Rule;
use audience_gate::contract::rules::{RULES, VERSION};
use audience_gate::contract::vocabulary::FIELDS;
use std::fmt::Write;

/// The whole document.
pub fn render() -> String {
    let mut out = format!(
        "<!-- {PREAMBLE} -->\n\n# The rules\n\nContract {VERSION}, fingerprint `{}`. Every violated rule is reported, in this order; the first is the event's `validation_rule_id`. *Contract* rules come from the contract itself; *guard* rules close gaps through which it could be evaded or the store be damaged. \"Present\" means that the key exists and its value is neither null nor a string of nothing but white space, as Unicode defines it.\n\n## The fields\n\n| field | holds |\n|---|---|\n",
        fingerprint()
    );
    for (field, key, meaning) in FIELDS {
        let place = if field.in_metadata() { "metadata." } else { "" };
        let _ = writeln!(out, "| `{place}{key}` | {meaning} |");
    }
    for rule in RULES {
        let example = |event: &str| {
            if event.len() > 600 { format!("{}…", event.get(..200).unwrap_or_default()) } else { event.to_owned() }
        };
        let _ = write!(
            out,
            "\n## `{}`\n\n*{}* · {}: {}.\n\nRefused with: {}.\n\nAccepted:\n\n```json\n{}\n```\n\nRefused:\n\n```json\n{}\n```\n",
            rule.id,
            rule.kind.name(),
            applies(rule),
            prose::must(rule),
            rule.reason,
            example(rule.accepts),
            example(rule.rejects)
        );
    }
    out
}

fn applies(rule: &Rule) -> String {
    match prose::when(rule).as_str() {
        "always" => "Always".into(),
        when => format!("When {when}"),
    }
}
