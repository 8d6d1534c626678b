//! `EVENTS.md`: the default taxonomy, for people.

use super::PREAMBLE;
use audience_gate::registry::taxonomy::{entries, read};
use serde_json::Value;
use std::fmt::Write;

const TIERS: [(&str, &str); 5] = [
    ("consumer", "use of free features"),
    ("practitioner", "professional features and protocol logging"),
    ("clinic", "work of several people together"),
    ("network", "access to aggregate analytics"),
    ("system", "errors, sign-in, performance"),
];

/// The whole document.
pub fn render() -> String {
    let taxonomy = read();
    let types = entries(&taxonomy, "event_types");
    let mut out = format!(
        "<!-- {PREAMBLE} -->\n\n# The events\n\nThe default taxonomy: {} event types in five tiers. Event ids are controlled values; an install adds its own as rows of `public.audience_event_types`, and deactivates what it does not want. Payload schemas are open: they bind the keys they name and allow others.\n",
        types.len()
    );
    for (tier, meaning) in TIERS {
        let _ = write!(
            out,
            "\n## {tier}: {meaning}\n\n| event type | category | score | what happened | payload |\n|---|---|---|---|---|\n"
        );
        for entry in types.iter().filter(|entry| entry["tier"] == tier) {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} | {} |",
                text(&entry["id"]),
                text(&entry["category"]),
                entry["score_weight"],
                text(&entry["description"]),
                payload(&entry["payload_schema"])
            );
        }
    }
    out += "\n## States\n\n| state | name | meaning | from score |\n|---|---|---|---|\n";
    for state in entries(&taxonomy, "states") {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            text(&state["id"]),
            text(&state["name"]),
            text(&state["meaning"]),
            state["min_score"]
        );
    }
    out += "\n## Blocked jumps\n\n| from | to | why |\n|---|---|---|\n";
    for jump in entries(&taxonomy, "blocked_jumps") {
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} |",
            text(&jump["from_state"]),
            text(&jump["to_state"]),
            text(&jump["reason"])
        );
    }
    out += "\n## Rules that may change a state\n\n| rule | what it says |\n|---|---|\n";
    for rule in entries(&taxonomy, "rules") {
        let _ = writeln!(out, "| `{}` | {} |", text(&rule["id"]), text(&rule["description"]));
    }
    out
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The keys of a schema, with the required ones marked.
fn payload(schema: &Value) -> String {
    let required = |key: &str| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|one| one == key));
    let Some(properties) = schema["properties"].as_object() else {
        return "anything".into();
    };
    let keys: Vec<_> = properties
        .iter()
        .map(|(key, rule)| {
            let kind = match rule["enum"].as_array() {
                Some(choices) => choices.iter().map(text).collect::<Vec<_>>().join(" / "),
                None => text(&rule["type"]).to_owned(),
            };
            format!("`{key}`{} {kind}", if required(key) { "*" } else { "" })
        })
        .collect();
    keys.join(", ")
}
