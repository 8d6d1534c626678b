//! An event of each type, made from its category and its payload schema: what `EVENTS.md` prints, and what the tests
//! judge.

use crate::taxonomy::{entries, read};
use serde_json::{Map, Value, json};

/// The keys that the category demands of this type, besides its payload schema.
pub fn demanded(entry: &Value) -> Vec<&'static str> {
    let mut keys = match entry["category"].as_str() {
        Some("subscription") => vec!["channel", "consent_recorded"],
        Some("advocacy") => vec!["platform", "share_type"],
        Some("retention") => vec!["prior_state", "new_state", "inactivity_days", "rule_id"],
        Some("attribution") => vec!["landing_page"],
        Some("system") => vec!["validation_rule_id", "validation_result", "source_system"],
        _ => vec![],
    };
    match entry["id"].as_str() {
        Some("referral_click") => keys.push("outbound_target"),
        Some("event_validation_fail") => keys.extend(["rejection_reason", "original_payload_snapshot"]),
        _ => {}
    }
    keys
}

/// Keys of which one is demanded: nothing, if the payload schema requires one anyway.
pub fn choices(entry: &Value) -> Vec<Vec<&'static str>> {
    let mut choices = Vec::new();
    if entry["category"] == "engagement" {
        choices.push(vec!["content_id", "page_path"]);
    }
    if entry["id"] == "content_view" {
        choices.push(vec!["duration_seconds", "scroll_depth_percent"]);
    }
    choices.retain(|keys| !keys.iter().any(|key| requires(entry, key)));
    choices
}

/// Whether the payload schema requires the key.
pub fn requires(entry: &Value, key: &str) -> bool {
    entry["payload_schema"]["required"].as_array().is_some_and(|keys| keys.iter().any(|one| one == key))
}

/// An event of that type with nothing but what it must have.
pub fn event(entry: &Value) -> Value {
    let mut metadata = Map::new();
    let properties = &entry["payload_schema"]["properties"];
    let required = entry["payload_schema"]["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let chosen = choices(entry)
        .into_iter()
        .filter_map(|keys| keys.iter().find(|key| properties.get(**key).is_some()).or(keys.last()).copied());
    let keys = demanded(entry).into_iter().chain(chosen).chain(required.iter().filter_map(Value::as_str));
    for key in keys {
        metadata.insert(key.into(), value(entry, key, &properties[key]));
    }
    let mut event = json!({
        "session_id": "session-0001",
        "event_type": entry["id"],
        "event_category": entry["category"],
        "event_source": "web",
        "metadata": metadata,
    });
    if entry["id"] == "email_subscribe" {
        event["email"] = "ada@example.com".into();
    }
    event
}

/// A value for a key: one that says something, if it is known, else whatever its schema admits.
fn value(entry: &Value, key: &str, says: &Value) -> Value {
    match key {
        "content_id" => json!("winter-guide"),
        "page_path" | "landing_page" => json!("/winter"),
        "consent_recorded" => json!(true),
        "channel" if entry["id"] == "push_subscribe" => json!("push"),
        "channel" => json!("newsletter"),
        "platform" => json!("mastodon"),
        "share_type" => json!("link"),
        "outbound_target" => json!("https://example.com/winter"),
        "prior_state" | "new_state" | "inactivity_days" => inactivity_rule()[key].clone(),
        "rule_id" => inactivity_rule()["id"].clone(),
        "validation_rule_id" => json!("own.example"),
        "validation_result" => json!("accepted"),
        "source_system" => json!("backend"),
        "original_payload_snapshot" => json!({}),
        "duration_seconds" => json!(42),
        "month" => json!("2026-11"),
        _ => admitted(key, says),
    }
}

/// A value that the schema of a key admits.
fn admitted(key: &str, says: &Value) -> Value {
    if let Some(choice) = says["enum"].as_array().and_then(|choices| choices.first()) {
        return choice.clone();
    }
    match says["type"].as_str() {
        Some("boolean") => json!(true),
        Some("integer" | "number") => json!(says["minimum"].as_i64().unwrap_or_default().max(3)),
        _ if says["minLength"] == 64 => json!("5f".repeat(32)),
        _ => json!(format!("{}-1", key.trim_end_matches("_id").replace('_', "-"))),
    }
}

/// The first rule that names both states and days.
fn inactivity_rule() -> Value {
    entries(&read(), "rules").iter().find(|rule| rule["kind"] == "inactivity").cloned().unwrap_or_default()
}
