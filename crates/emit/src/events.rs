//! `EVENTS.md`: the default taxonomy, for people.

use super::{PREAMBLE, example};
use crate::taxonomy::{entries, read};
use audience_gate::contract::limits::OWN_TEXT;
use serde_json::Value;
use std::fmt::Write;

const TIERS: [(&str, &str); 5] = [
    ("consumer", "use of free features"),
    ("practitioner", "professional features and protocol logging"),
    ("clinic", "work of several people together"),
    ("network", "access to aggregate analytics"),
    ("system", "errors, sign-in, performance"),
];

/// How the tables are read.
const HOW_TO_READ: &str = "A key with `*` must be there. *Score* is what one event adds, and *a day* is how many of them count for one person. The last two columns name the event in Google Analytics 4 and in Segment's specification, for those who come from there. An event of a type has this form, with the metadata of its example:\n\n```json\n{\n  \"session_id\": \"session-0001\",\n  \"event_type\": \"page_view\",\n  \"event_category\": \"engagement\",\n  \"event_source\": \"web\",\n  \"metadata\": { \"page_path\": \"/winter\" }\n}\n```\n\nA subscription by e-mail also has `email`, beside `metadata`, or its hash in it. Events of the categories retention and system come from a back end.\n";

/// How a state is moved.
const MOVES: &str = "\nAn event with a score moves a person up by at most one state, if their score reaches a higher one and what the next state asks for is there. Events without a score, of the tier system and of the category retention never do. All events together add at most 40 to the score of a person in a day (`audience_gate.state_settings`). A state is left only by a rule, or because somebody places the person with `public.audience_set_state`; both set the score to where the new state begins. A withdrawn consent leaves the score as it is, and takes the person below every state that asks for one. The days of an inactivity rule count from the last event with a score, or from the last change of state if that was later.\n";

/// The whole document.
pub fn render() -> String {
    let taxonomy = read();
    let types = entries(&taxonomy, "event_types");
    let mut out = format!(
        "<!-- {PREAMBLE} -->\n\n# The events\n\nThe default taxonomy: {} event types in five tiers. Event ids are controlled values; an install adds its own as rows of `public.audience_event_types`, and deactivates what it does not want. Most payload schemas are open: they bind the keys they name and allow others. One that is *closed* takes no others, because the description of its type promises that something is not recorded; only what the tracker adds to each event, and the hash of an address, may stand beside them. These are texts of at most {} characters.\n\n{HOW_TO_READ}",
        types.len(),
        OWN_TEXT
    );
    for (tier, meaning) in TIERS {
        let _ = write!(
            out,
            "\n## {tier}: {meaning}\n\n| event type | category | score | a day | what happened | payload | example of `metadata` | GA4 | Segment |\n|---|---|---|---|---|---|---|---|---|\n"
        );
        for entry in types.iter().filter(|entry| entry["tier"] == tier) {
            let name = |key: &str| entry[key].as_str().map_or_else(|| "—".into(), |name| format!("`{name}`"));
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} | {} | {} | `{}` | {} | {} |",
                text(&entry["id"]),
                text(&entry["category"]),
                entry["score_weight"],
                entry["daily_cap"].as_u64().map_or_else(|| "—".into(), |cap| cap.to_string()),
                text(&entry["description"]),
                payload(entry),
                example::event(entry)["metadata"],
                name("ga4"),
                name("segment"),
            );
        }
    }
    out += "\n## States\n\n| state | name | meaning | from score | and |\n|---|---|---|---|---|\n";
    for state in entries(&taxonomy, "states") {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} |",
            text(&state["id"]),
            text(&state["name"]),
            text(&state["meaning"]),
            state["min_score"],
            match state["requires"].as_str() {
                Some("consent") => "a consent in force: a subscription event that was not withdrawn since",
                Some("advocacy") => "an advocacy event",
                _ => "—",
            }
        );
    }
    out += MOVES;
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

/// The keys of a type, with those marked that it must have, whether its category or its schema demands them.
fn payload(entry: &Value) -> String {
    let demanded = example::demanded(entry);
    let properties = entry["payload_schema"]["properties"].as_object();
    let mut keys: Vec<String> = properties
        .into_iter()
        .flatten()
        .map(|(key, says)| {
            let must = demanded.contains(&key.as_str()) || example::requires(entry, key);
            format!("`{key}`{} {}", if must { "*" } else { "" }, kind(key, says))
        })
        .collect();
    let unnamed = demanded.iter().filter(|key| properties.is_none_or(|named| !named.contains_key(**key)));
    keys.extend(unnamed.map(|key| format!("`{key}`*")));
    if entry["id"] == "email_subscribe" {
        keys.push("`email_hash`*, or `email` beside `metadata`".into());
    }
    for choice in example::choices(entry) {
        keys.push(format!("one of `{}`*", choice.join("`, `")));
    }
    if is_closed(entry) {
        keys.push("closed".into());
    }
    keys.join(", ")
}

fn is_closed(entry: &Value) -> bool {
    entry["payload_schema"]["additionalProperties"] == false
}

/// What a schema says of one key.
fn kind(key: &str, says: &Value) -> String {
    if key == "consent_recorded" {
        return "true".into();
    }
    if let Some(choices) = says["enum"].as_array() {
        return choices.iter().map(text).collect::<Vec<_>>().join(" / ");
    }
    let bounds = match says["type"].as_str() {
        Some("string") => [&says["minLength"], &says["maxLength"]],
        _ => [&says["minimum"], &says["maximum"]],
    };
    let bounds = match bounds.map(Value::as_u64) {
        [Some(least), Some(most)] if least == most => format!(" of {least}"),
        [least, Some(most)] if least.is_none_or(|least| least < 2) => format!(" ≤ {most}"),
        [Some(least), Some(most)] => format!(" {least} to {most}"),
        [Some(least), None] => format!(" ≥ {least}"),
        _ => String::new(),
    };
    format!("{}{bounds}", text(&says["type"]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

    use super::*;
    use audience_gate::contract::vocabulary::OWN_KEYS;
    use audience_gate::registry::taxonomy::registry;
    use audience_gate::{Caller, Context, Gate, Registry};
    use serde_json::json;
    use std::sync::LazyLock;

    /// 2026-11-21 12:00 UTC.
    const NOON: i64 = 1_795_262_400_000_000;

    /// The examples as `EVENTS.md` prints them, each in the event that it says how to make of them.
    fn printed() -> Vec<(String, Value)> {
        let taxonomy = read();
        let types = entries(&taxonomy, "event_types");
        let document = render();
        types
            .iter()
            .map(|entry| {
                let start = format!("| `{}` |", text(&entry["id"]));
                let line = document.lines().find(|line| line.starts_with(&start)).unwrap();
                let metadata = line.split(" | ").nth(6).unwrap().trim_matches('`');
                let mut event = example::event(entry);
                event["metadata"] = serde_json::from_str(metadata).unwrap();
                (start, event)
            })
            .collect()
    }

    #[test]
    fn every_example_of_the_document_is_accepted() {
        let registry = registry();
        let mut wrong = Vec::new();
        for (name, event) in printed() {
            let body = event.to_string();
            let verdict = Gate::default().check(body.as_bytes(), &Context::new(&registry, Caller::Trusted, NOON));
            let violated: Vec<_> = verdict.rules().map(|rule| rule.id).collect();
            if !violated.is_empty() {
                wrong.push(format!("{name} {violated:?} {body}"));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }

    /// The rules that an event violates with one key more in its metadata.
    fn violated_with(event: &Value, key: &str, value: Value) -> Vec<&'static str> {
        let mut event = event.clone();
        event["metadata"][key] = value;
        static REGISTRY: LazyLock<Registry> = LazyLock::new(registry);
        let context = Context::new(&REGISTRY, Caller::Trusted, NOON);
        Gate::default().check(event.to_string().as_bytes(), &context).rules().map(|rule| rule.id).collect()
    }

    #[test]
    fn what_a_description_says_is_not_recorded_cannot_be() {
        let taxonomy = read();
        let promises = ["not recorded", "nothing"];
        for (entry, (name, event)) in entries(&taxonomy, "event_types").iter().zip(printed()) {
            let promised = promises.iter().any(|words| text(&entry["description"]).contains(words));
            assert_eq!(promised, is_closed(entry), "{name}");
            let expected: &[&str] = if promised { &["registry.payload"] } else { &[] };
            for key in ["search_term", "text", "answers", "message", "original_payload_snapshot", "rejection_reason"] {
                if example::demanded(entry).contains(&key) {
                    continue;
                }
                for value in [json!("how to keep warm"), json!(["a", 2]), json!({ "a": 1 }), Value::Null] {
                    assert_eq!(violated_with(&event, key, value), expected, "{name} {key}");
                }
            }
        }
    }

    #[test]
    fn every_type_takes_what_the_tracker_and_the_gate_add_and_what_its_rules_speak_of() {
        let taxonomy = read();
        let named = |key| move |entry: &Value| !entry["payload_schema"]["properties"][key].is_null();
        for (entry, (name, mut event)) in entries(&taxonomy, "event_types").iter().zip(printed()) {
            for key in OWN_KEYS {
                event["metadata"][key] = json!("x".repeat(OWN_TEXT));
            }
            // The hash takes the place of the address.
            event["email"].take();
            assert_eq!(violated_with(&event, "email_hash", json!("5f".repeat(32))), [""; 0], "{name}");
            if is_closed(entry) {
                event["metadata"]["email_hash"] = json!("5f".repeat(32));
                assert_eq!(violated_with(&event, "tracker", json!({ "text": "x" })), ["registry.payload"], "{name}");
                let spoken_of = example::demanded(entry).into_iter();
                let subject: &[&str] =
                    if entry["category"] == "engagement" { &["content_id", "page_path"] } else { &[] };
                for key in spoken_of.chain(subject.iter().copied()) {
                    assert!(named(key)(entry), "{name} {key}");
                }
            }
        }
    }

    #[test]
    fn whatever_the_document_does_not_mark_may_be_left_out() {
        let document = render();
        for (name, event) in printed() {
            let keys = event["metadata"].as_object().unwrap().len();
            let line = document.lines().find(|line| line.starts_with(&name)).unwrap();
            let marked = line.split(" | ").nth(5).unwrap().matches('*').count();
            let beside = usize::from(event.get("email").is_some());
            assert_eq!(keys + beside, marked, "{line}");
        }
    }
}
