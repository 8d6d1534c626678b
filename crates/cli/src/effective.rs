//! `audience-gate rules --effective`: the contract as an install judges by it: what ships, what it has changed of the
//! registry, and the rules of its own.

use super::report::Format;
use super::snapshot;
use audience_gate::registry::{Registry, taxonomy};
use audience_gate_emit::json;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// What the lists of a registry are called.
const LISTS: [(&str, &str); 5] = [
    ("event_types", "event type"),
    ("rules", "rule of states"),
    ("states", "state"),
    ("blocked_jumps", "blocked jump"),
    ("personal_words", "personal words"),
];

/// The effective contract of the install with this registry.
pub fn rules(source: Option<&Path>, format: Format) -> Result<String, String> {
    let (registry, text) = snapshot::read(source)?;
    let snapshot: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let changes = changes(&snapshot)?;
    Ok(match format {
        Format::Json => for_programs(&registry, &snapshot, &changes)?,
        Format::Text => for_people(&registry, &snapshot, &changes),
    })
}

/// An entry of the registry that is not as it ships.
struct Change {
    list: &'static str,
    entry: String,
    change: &'static str,
}

fn changes(snapshot: &Value) -> Result<Vec<Change>, String> {
    let shipped: Value = serde_json::from_str(&taxonomy::snapshot()).map_err(|error| error.to_string())?;
    let mut changes = Vec::new();
    for (list, _) in LISTS {
        let [before, after] = [&shipped, snapshot].map(|registry| entries(registry, list));
        let change = |entry: &str, change| Change { list, entry: entry.into(), change };
        for (entry, content) in &after {
            match before.iter().find(|(known, _)| known == entry) {
                None => changes.push(change(entry, "added")),
                Some((_, known)) if known != content => changes.push(change(entry, "changed")),
                Some(_) => {}
            }
        }
        let is_gone = |(entry, _): &&(String, &Value)| after.iter().all(|(known, _)| known != entry);
        changes.extend(before.iter().filter(is_gone).map(|(entry, _)| change(entry, "removed")));
    }
    Ok(changes)
}

/// The entries of a list, each with what is said of it.
fn entries<'a>(registry: &'a Value, list: &str) -> Vec<(String, &'a Value)> {
    let items = |list: &str| registry.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = |entry: &Value| match entry {
        Value::String(name) => name.clone(),
        Value::Array(pair) => pair.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" to "),
        entry => entry["id"].as_str().unwrap_or_default().to_owned(),
    };
    let said = |entry: &'a Value| match list {
        "rules" => items("rule_terms").iter().find(|terms| terms["id"] == *entry).unwrap_or(entry),
        _ => entry,
    };
    items(list).iter().map(|entry| (named(entry), said(entry))).collect()
}

fn own_rules(snapshot: &Value) -> &[Value] {
    snapshot["own_rules"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn for_programs(registry: &Registry, snapshot: &Value, changes: &[Change]) -> Result<String, String> {
    let mut document: Value = serde_json::from_str(&json::render()).map_err(|error| error.to_string())?;
    let changed = |Change { list, entry, change }: &Change| json!({ "list": list, "entry": entry, "change": change });
    document["registry"] = json!(registry.version);
    document["changed"] = changes.iter().map(changed).collect();
    document["own_rules"] = own_rules(snapshot).into();
    document["faults"] = json!(registry.faults);
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|error| error.to_string())
}

fn for_people(registry: &Registry, snapshot: &Value, changes: &[Change]) -> String {
    let mut out = super::report::rules(Format::Text);
    let _ = writeln!(out, "\nchanged in registry {}:", registry.version);
    for Change { list, entry, change } in changes {
        let name = LISTS.iter().find(|(known, _)| known == list).map_or("", |(_, name)| *name);
        let _ = writeln!(out, "{entry:<34} {name}, {change}");
    }
    let _ = writeln!(out, "{}\nrules of the install's own:", if changes.is_empty() { "nothing\n" } else { "" });
    for rule in own_rules(snapshot) {
        let text = |name: &str| rule[name].as_str();
        let bound: Vec<_> = ["category", "event_type", "site_id"].into_iter().filter_map(text).collect();
        let bound = if bound.is_empty() { "every event".to_owned() } else { bound.join(", ") };
        let [id, mode] = ["id", "mode"].map(|name| text(name).unwrap_or_default());
        let reason = rule["reasons"]["en"].as_str().unwrap_or_default();
        let _ = writeln!(out, "{id:<34} {mode}; {bound}: {reason}");
    }
    if own_rules(snapshot).is_empty() {
        out.push_str("none\n");
    }
    out
}
