//! What an event can hold at the edge of a rule: the values that its expressions name, and those just beside them.

use crate::change::{Change, Way};
use crate::schema::any;
use audience_gate::contract::rule::{Expr, List, Rule};
use audience_gate::contract::vocabulary::{CATEGORIES, EMPTY_HASH, Field};
use audience_gate::privacy::email;
use audience_gate::time;
use serde_json::{Value, json};

/// When the events are received: 2026-11-21T12:00:00Z, in microseconds since 1970.
pub const RECEIVED_AT: i64 = 1_795_262_400_000_000;

const UUID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const ADDRESS: &str = "ada@example.com";

/// The place of a field in an event.
pub fn way(field: Field) -> Way {
    let root = if field.in_metadata() { Way::root().then(Field::Metadata.key()) } else { Way::root() };
    root.then(field.key())
}

/// Changes at the edge of a rule, by an install with this registry.
pub fn changes(rule: &Rule, snapshot: &Value, out: &mut Vec<Change>) {
    of_expr(&rule.when, snapshot, out);
    of_expr(&rule.must, snapshot, out);
    out.extend(CATEGORIES.iter().map(|category| Change::set(&way(Field::EventCategory), json!(category))));
}

/// Everything that a list of a registry names.
pub fn names(snapshot: &Value, list: &str) -> Vec<String> {
    let entries = snapshot[list].as_array().into_iter().flatten();
    let name = |entry: &Value| entry.as_str().or(entry["id"].as_str()).map(String::from);
    entries.filter_map(name).collect()
}

fn of_expr(expr: &Expr, snapshot: &Value, out: &mut Vec<Change>) {
    let mut at = |field: Field, values: Vec<Value>| {
        out.push(Change::remove(&way(field)));
        out.extend(values.into_iter().chain(any()).map(|value| Change::set(&way(field), value)));
    };
    let texts = |texts: &[&str]| texts.iter().map(|text| json!(text)).collect::<Vec<_>>();
    match *expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| of_expr(part, snapshot, out)),
        Expr::Not(part) => of_expr(part, snapshot, out),
        Expr::Present(field) | Expr::Is(field, _) | Expr::NonEmptyText(field) => {
            at(field, texts(&["web", "\u{a0}", "page_view", UUID]));
        }
        Expr::Uuid(field) => at(field, texts(&[UUID, &UUID.to_uppercase(), &UUID.replace('-', ""), "42"])),
        Expr::Timestamp => at(Field::OccurredAt, texts(&["2026-11-21T12:00:00Z", "2026-11-21", "yesterday"])),
        Expr::Length(field, least, most) => {
            let lengths = [least, most].into_iter().flat_map(|bound| [bound.saturating_sub(1), bound, bound + 1]);
            at(field, lengths.map(|length| json!("x".repeat(length as usize))).collect());
        }
        Expr::OneOf(field, choices) => {
            let near =
                choices.iter().flat_map(|choice| [choice.to_string(), choice.to_uppercase(), format!("{choice}x")]);
            at(field, near.map(Value::from).collect());
        }
        Expr::Number(field, least, most) => {
            let bounds = [Some(least), most].into_iter().flatten().map(f64::from);
            let near = bounds.flat_map(|bound| [0.0, -1.0, -0.5, 0.5, 1.0].map(|by| json!(bound + by)));
            at(field, near.chain([json!(1e9)]).collect());
        }
        Expr::Sha256(field) => {
            let hash = "0123456789abcdef".repeat(4);
            at(field, texts(&[&hash, &hash.to_uppercase(), &"a".repeat(64), EMPTY_HASH]));
        }
        Expr::Like(field) => {
            at(field, texts(&["like", "post_like", "likely", "likes", "liked", "\u{1f44d}", "upvote"]))
        }
        Expr::Email => at(Field::Email, texts(&[ADDRESS, "ada", "ada@localhost"])),
        Expr::EmailAgrees => {
            at(Field::Email, texts(&[ADDRESS]));
            let hash = email::hash(ADDRESS.as_bytes(), None);
            at(Field::EmailHash, texts(&[&String::from_utf8_lossy(&hash), &"0123456789abcdef".repeat(4)]));
        }
        Expr::Listed(field, list) => {
            let list = match list {
                List::EventTypes => "event_types",
                List::RetentionRules => "rules",
                List::States => "states",
            };
            at(field, names(snapshot, list).into_iter().chain(["unregistered".into()]).map(Value::from).collect());
        }
        Expr::RuleTermsAgree => terms(snapshot, out),
        Expr::OnlyKnownFields => out.push(Change::set(&Way::root().then("colour"), json!("red"))),
        Expr::MetadataWithin(most) => {
            let most = most as usize;
            out.extend([most - 1, most, most + 1].map(Change::Pad));
        }
        Expr::OccurredWithin(ahead, behind) => {
            let moments = [i64::from(ahead), -i64::from(behind)];
            let near =
                moments.into_iter().flat_map(|second| [-1000, -1, 0, 1, 1000].map(|millis| 1000 * second + millis));
            let written = near.map(|millis| time::write(RECEIVED_AT / 1000 + millis));
            at(Field::OccurredAt, written.map(|time| json!(String::from_utf8_lossy(&time))).collect());
        }
        Expr::NoScoreKey => noted(&[("lead_score", "1"), ("Scores", "1"), ("scored", "1")], out),
        Expr::NoBlockedJump => jumps(snapshot, out),
        Expr::NoRawEmail => noted(&[("note", ADDRESS), ("note", "ada at example")], out),
        Expr::NoPersonalKey => noted(&[("phone", "1"), ("first_name", "x"), ("phone_model", "x")], out),
        Expr::NoPersonalValue => noted(&[("note", "4111 1111 1111 1111"), ("note", "219-09-9999")], out),
        Expr::NoSecret => noted(&[("note", "sk_live_abcdefghijklmnop0123456789")], out),
        Expr::OwnUser => at(Field::UserId, texts(&[UUID, "3f2b8c1e-5a4d-4f6b-9c7e-1d2a3b4c5d6e"])),
        Expr::SiteAccepts => {
            at(Field::SiteId, names(snapshot, "sites").into_iter().chain([UUID.into()]).map(Value::from).collect());
        }
        Expr::CategoryAgrees | Expr::PayloadAgrees => {
            at(Field::EventType, names(snapshot, "event_types").into_iter().map(Value::from).collect());
        }
        Expr::Always | Expr::Readable(_) | Expr::TrustedCaller | Expr::NoIdReuse | Expr::NoTwinWithin(_) => {}
    }
}

fn noted(members: &[(&str, &str)], out: &mut Vec<Change>) {
    let metadata = way(Field::Metadata);
    out.extend(members.iter().map(|(key, value)| Change::set(&metadata.then(key), json!(value))));
}

/// Changes of state that a registry blocks or allows.
pub fn jumps(snapshot: &Value, out: &mut Vec<Change>) {
    for state in names(snapshot, "states") {
        for field in [Field::PriorState, Field::NewState] {
            out.push(Change::set(&way(field), json!(state)));
        }
    }
    for jump in snapshot["blocked_jumps"].as_array().into_iter().flatten() {
        let states = json!([{ "prior_state": jump[0], "new_state": jump[1] }]);
        out.push(Change::set(&way(Field::Metadata).then("nested"), states));
    }
}

/// Changes of state as the rules of a registry explain them, and nearly.
pub fn terms(snapshot: &Value, out: &mut Vec<Change>) {
    for terms in snapshot["rule_terms"].as_array().into_iter().flatten() {
        let of = |days: f64| {
            json!({ "rule_id": terms["id"], "prior_state": terms["prior_state"].as_str().unwrap_or("S2"),
                "new_state": terms["new_state"].as_str().unwrap_or("S1"), "inactivity_days": days })
        };
        let days = terms["inactivity_days"].as_f64().unwrap_or(14.0);
        out.extend([-1.0, -0.5, 0.0, 1.0].map(|by| Change::set(&way(Field::Metadata), of(days + by))));
        out.push(Change::set(&way(Field::RuleId), terms["id"].clone()));
        for (field, name) in [(Field::PriorState, "prior_state"), (Field::NewState, "new_state")] {
            out.push(Change::set(&way(field), terms[name].clone()));
        }
    }
    jumps(snapshot, out);
}
