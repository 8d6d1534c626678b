//! What the command line prints at the end.

use super::counts::{Counts, Location, Violation};
use audience_gate::Registry;
use audience_gate::contract::FINGERPRINT;
use audience_gate::contract::rules::{RULES, VERSION};
use audience_gate_emit::prose;
use serde_json::{Value, json};
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
pub fn summary(counts: &Counts, files: &[String], registry: &Registry, format: Format) -> String {
    match format {
        Format::Json => program_summary(counts, files).to_string() + "\n",
        Format::Text => people_summary(counts, files, registry),
    }
}

fn name(files: &[String], place: Location) -> &str {
    files.get(place.file).map_or("", String::as_str)
}

fn program_summary(counts: &Counts, files: &[String]) -> Value {
    let of_contract = RULES.iter().map(|rule| rule.id).zip(&counts.rules);
    let own = counts.own.iter().map(|(id, tally)| (id.as_str(), tally));
    let rules = of_contract.chain(own).filter_map(|(id, tally)| {
        let (file, line) = (name(files, tally.at?), tally.at?.number);
        Some(json!({ "rule_id": id, "first": tally.first, "all": tally.all, "first_file": file, "first_line": line }))
    });
    let shown = counts.shown.iter().map(|(place, violations)| {
        let found = violations.iter().map(|one| json!({ "rule_id": one.rule_id, "path": one.path }));
        let found: Vec<_> = found.collect();
        let first = violations.first().map(|one| &one.rule_id);
        json!({ "file": name(files, *place), "line": place.number, "rule_id": first, "violations": found })
    });
    json!({
        "total": counts.total(),
        "accepted": counts.accepted,
        "rejected": counts.rejected,
        "contract": format!("{VERSION}+{FINGERPRINT}"),
        "rules": rules.collect::<Vec<_>>(),
        "first_rejected": shown.collect::<Vec<_>>(),
    })
}

fn people_summary(counts: &Counts, files: &[String], registry: &Registry) -> String {
    let mut out = format!("{} events: {} accepted, {} rejected\n", counts.total(), counts.accepted, counts.rejected);
    if counts.rejected == 0 {
        return out;
    }
    let _ = writeln!(out, "\n{:>12} {:>12}  rule", "first", "all");
    let of_contract = RULES.iter().map(|rule| (rule.id, rule.reason)).zip(&counts.rules);
    let own = counts.own.iter().map(|(id, tally)| ((id.as_str(), own_reason(id, registry)), tally));
    for ((id, reason), tally) in of_contract.chain(own).filter(|(_, tally)| tally.all > 0) {
        let _ = writeln!(out, "{:>12} {:>12}  {id}\n{:>27}{reason}", tally.first, tally.all, "");
    }
    let _ = writeln!(out, "\nfirst: events that violate it before any other; all: events that violate it\n");
    for (place, violations) in &counts.shown {
        let found: Vec<_> = violations.iter().map(written).collect();
        let _ = writeln!(out, "{}:{}  {}", name(files, *place), place.number, found.join(", "));
    }
    let hidden = counts.rejected - counts.shown.len() as u64;
    if hidden > 0 {
        let _ = writeln!(out, "and {hidden} more; `--rejected FILE` writes every one");
    }
    out
}

/// The reason of a rule of the install's own.
fn own_reason<'a>(id: &str, registry: &'a Registry) -> &'a str {
    let rule = registry.own_rules.iter().find(|rule| &*rule.id == id.as_bytes());
    rule.and_then(|rule| std::str::from_utf8(&rule.reason).ok()).unwrap_or_default()
}

/// A violation in a few words. A key can hold any character, so that control characters in a place are escaped.
fn written(violation: &Violation) -> String {
    let Violation { rule_id, path } = violation;
    if path.is_empty() { rule_id.clone() } else { format!("{rule_id} at {}", path.escape_debug()) }
}

/// Every rule, one per line.
pub fn rules(format: Format) -> String {
    match format {
        Format::Json => audience_gate_emit::json::render(),
        Format::Text => RULES.iter().fold(String::new(), |mut out, rule| {
            let _ = writeln!(out, "{:<34} {}", rule.id, prose::must(rule));
            out
        }),
    }
}

/// One rule in full, or else the rules with similar names.
pub fn explain(id: &str) -> Result<String, String> {
    let Some(rule) = RULES.iter().find(|rule| rule.id == id) else {
        let near = near(id);
        return Err(match near.as_slice() {
            [] => format!("there is no rule `{id}`; `audience-gate rules` lists them"),
            near => format!("there is no rule `{id}`; did you mean {}?", near.join(", ")),
        });
    };
    Ok(format!(
        "{} ({})\n\n  when      {}\n  must      {}\n  refused   {}\n\naccepted:\n  {}\nrefused:\n  {}\n",
        rule.id,
        rule.kind.name(),
        prose::when(rule),
        prose::must(rule),
        rule.reason,
        rule.accepts,
        rule.rejects
    ))
}

/// The rules whose id contains the words, or else those spelt most like it.
fn near(id: &str) -> Vec<&'static str> {
    let ids = || RULES.iter().map(|rule| rule.id);
    let holding: Vec<_> = ids().filter(|known| !id.is_empty() && known.contains(id)).collect();
    if !holding.is_empty() {
        return holding;
    }
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(known, id);
    let mut alike: Vec<_> = ids().filter(|known| likeness(known) > 0.7).collect();
    alike.sort_by(|left, right| likeness(right).total_cmp(&likeness(left)));
    alike.truncate(3);
    alike
}
