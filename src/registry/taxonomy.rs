//! The default taxonomy that ships: one JSON file, from which the migration, `EVENTS.md` and the command line's
//! registry all come.

use super::Registry;
use serde_json::{Value, json};

/// The file itself.
pub const TAXONOMY: &str = include_str!("../../taxonomy.json");

fn read() -> Value {
    serde_json::from_str(TAXONOMY).unwrap_or_default()
}

fn entries<'a>(taxonomy: &'a Value, list: &str) -> &'a [Value] {
    taxonomy.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The registry of an install that has changed nothing.
pub fn registry() -> Registry {
    Registry::from_json(snapshot().as_bytes()).unwrap_or(Registry::unloaded())
}

/// The registry snapshot of an install that has changed nothing.
pub fn snapshot() -> String {
    snapshot_of(&read()).to_string()
}

/// The same of an install with that taxonomy.
pub fn snapshot_of(taxonomy: &Value) -> Value {
    let ids = |list| entries(taxonomy, list).iter().map(|entry| entry["id"].clone()).collect::<Vec<_>>();
    let jumps: Vec<_> =
        entries(taxonomy, "blocked_jumps").iter().map(|jump| json!([jump["from_state"], jump["to_state"]])).collect();
    let event_types: Vec<_> = entries(taxonomy, "event_types")
        .iter()
        .map(|entry| json!({ "id": entry["id"], "category": entry["category"], "payload_schema": entry["payload_schema"] }))
        .collect();
    let terms = |rule: &Value| json!({ "id": rule["id"], "prior_state": rule["prior_state"], "new_state": rule["new_state"], "inactivity_days": rule["inactivity_days"] });
    let rule_terms: Vec<_> = entries(taxonomy, "rules").iter().map(terms).collect();
    json!({
        "version": taxonomy["version"],
        "default_site": taxonomy["default_site"]["id"],
        "event_types": event_types,
        "rules": ids("rules"),
        "rule_terms": rule_terms,
        "states": ids("states"),
        "blocked_jumps": jumps,
        "personal_words": [],
        "own_rules": [],
        "sites": [{ "id": taxonomy["default_site"]["id"], "origins": null }],
    })
}
