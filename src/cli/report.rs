//! What the command line says when it is done.

use super::judge::Counts;
use crate::emit::prose;
use crate::fingerprint::FINGERPRINT;
use crate::rules::{RULES, VERSION};
use serde_json::json;
use std::fmt::Write;

/// For whom the report is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The counts of all files.
pub fn summary(counts: &Counts, format: Format) -> String {
    let violated = || RULES.iter().zip(&counts.rules).filter(|(_, rule)| rule.1 > 0);
    let total = counts.accepted + counts.rejected;
    if format == Format::Json {
        let rules: Vec<_> = violated()
            .map(|(rule, &(first, all, line))| json!({ "rule_id": rule.id, "first": first, "all": all, "first_line": line }))
            .collect();
        let contract = format!("{VERSION}+{FINGERPRINT}");
        let report = json!({ "total": total, "accepted": counts.accepted, "rejected": counts.rejected, "contract": contract, "rules": rules });
        return report.to_string() + "\n";
    }
    let mut out = format!("{total} events: {} accepted, {} rejected\n", counts.accepted, counts.rejected);
    if counts.rejected > 0 {
        let _ = writeln!(out, "\n{:>12} {:>12} {:>12}  rule", "first", "all", "line");
        for (rule, &(first, all, line)) in violated() {
            let _ = writeln!(out, "{first:>12} {all:>12} {line:>12}  {}", rule.id);
        }
        out += "\nfirst: events whose first violation it is; all: events that violate it; line: where the first stands.\n`audience-gate explain RULE` says what a rule wants.\n";
    }
    out
}

/// Every rule, a line each.
pub fn rules(format: Format) -> String {
    match format {
        Format::Json => crate::emit::json::render(),
        Format::Text => RULES.iter().fold(String::new(), |mut out, rule| {
            let _ = writeln!(out, "{:<34} {}", rule.id, prose::must(rule));
            out
        }),
    }
}

/// One rule in full, or what comes near its name.
pub fn explain(id: &str) -> Result<String, String> {
    let Some(rule) = RULES.iter().find(|rule| rule.id == id) else {
        let near: Vec<_> = RULES.iter().map(|rule| rule.id).filter(|known| known.contains(id)).collect();
        return Err(match near.as_slice() {
            [] => format!("there is no rule `{id}`; `audience-gate rules` lists them"),
            near => format!("there is no rule `{id}`; did you mean {}?", near.join(", ")),
        });
    };
    Ok(format!(
        "{} ({})\n\n  when      {}\n  must      {}\n  refused   {}\n\naccepted:\n  {}\nrefused:\n  {}\n",
        rule.id,
        rule.origin.name(),
        prose::when(rule),
        prose::must(rule),
        rule.reason,
        rule.accepts,
        rule.rejects
    ))
}
