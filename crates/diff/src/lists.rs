//! What differs between two registries, entry by entry.

use crate::change::{Change, Way};
use crate::contract::{Contract, registry};
use crate::differences::{Difference, MOST_BASES, Search, changed, distinct, known, unseen, whole};
use crate::fields::{self, way};
use crate::schema::Part;
use crate::search::{Field, Pair, Sender, World, search};
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::Field as Place;
use serde_json::{Value, json};

/// A list of the registry: its name, what an entry is called, and the list that says more of each.
struct List {
    name: &'static str,
    kind: &'static str,
    more: Option<&'static str>,
}

const LISTS: [List; 7] = [
    List { name: "event_types", kind: "event type", more: None },
    List { name: "rules", kind: "rule of states", more: Some("rule_terms") },
    List { name: "states", kind: "state", more: None },
    List { name: "blocked_jumps", kind: "blocked jump", more: None },
    List { name: "personal_words", kind: "personal words", more: None },
    List { name: "sites", kind: "site", more: None },
    List { name: "own_rules", kind: "own rule", more: None },
];

/// The entries of a list, each by its name.
fn entries(snapshot: &Value, list: &str) -> Vec<(String, Value)> {
    let name = |entry: &Value| match entry {
        Value::String(name) => name.clone(),
        Value::Array(pair) => pair.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" to "),
        entry => entry["id"].as_str().unwrap_or_default().to_owned(),
    };
    snapshot[list].as_array().into_iter().flatten().map(|entry| (name(entry), entry.clone())).collect()
}

/// Everything that differs between two registries.
pub fn differences(old: &Contract, new: &Contract, how: &Search) -> Result<Vec<Difference>, String> {
    let mut found = Vec::new();
    for list in LISTS {
        found.extend(of_list(&list, old, new, how)?);
    }
    Ok(found)
}

fn of_list(list: &List, old: &Contract, new: &Contract, how: &Search) -> Result<Vec<Difference>, String> {
    let said = |contract: &Contract| -> Vec<(String, (Value, Value))> {
        let more = list.more.map(|more| entries(&contract.snapshot, more)).unwrap_or_default();
        let of = |name: &str| more.iter().find(|(known, _)| known == name).map(|(_, says)| says.clone());
        let listed = entries(&contract.snapshot, list.name).into_iter();
        listed
            .filter(|(_, entry)| is_judged(entry))
            .map(|(name, entry)| {
                let more = of(&name).unwrap_or_default();
                (name, (judged(entry), more))
            })
            .collect()
    };
    let (before, after) = (said(old), said(new));
    let mut found = Vec::new();
    for (name, change) in changed(&before, &after, |left, right| left == right) {
        let mut changed = old.snapshot.clone();
        for part in [Some(list.name), list.more].into_iter().flatten() {
            let mut entries: Vec<(String, Value)> = entries(&changed, part);
            let now = self::entries(&new.snapshot, part).into_iter().find(|(known, _)| *known == name);
            let place = entries.iter().position(|(known, _)| *known == name);
            match (place.and_then(|place| entries.get_mut(place)), now) {
                (Some(entry), Some(now)) => *entry = now,
                (None, Some(now)) => entries.push(now),
                (Some(_), None) => entries.retain(|(known, _)| *known != name),
                (None, None) => {}
            }
            changed[part] = entries.into_iter().map(|(_, entry)| entry).collect();
        }
        let changed_registry = registry(&changed)?;
        let part = [&old.registry, &changed_registry].map(|registry| World { rules: &old.rules, registry });
        let snapshots = [&old.snapshot, &changed];
        let field = Field {
            texts: &known(how),
            bases: bases(list, &name, snapshots),
            changes: distinct(edges(list, &name, snapshots)),
            senders: if list.name == "sites" { &Sender::ALL } else { &Sender::ALL[..1] },
            most: how.most,
        };
        let [loosened, tightened] = search(&Pair::new(whole(old, new), part), &field);
        let undecided = unseen(&loosened, &tightened);
        found.push(Difference { kind: list.kind, name, change, loosened, tightened, undecided });
    }
    Ok(found)
}

/// Whether an entry refuses anything: a rule that only observes does not.
fn is_judged(entry: &Value) -> bool {
    !entry["mode"].is_string() || entry["mode"] == "enforce"
}

/// What of an entry a verdict depends on.
fn judged(mut entry: Value) -> Value {
    if let Some(members) = entry.as_object_mut() {
        members.remove("reasons");
    }
    entry
}

/// The entry of a list in both snapshots.
fn both<'a>(list: &str, name: &str, snapshots: [&'a Value; 2]) -> Vec<&'a Value> {
    let of = |snapshot: &'a Value| snapshot[list].as_array().into_iter().flatten();
    let entries = snapshots.into_iter().flat_map(of);
    entries.filter(|entry| entry["id"] == name).collect()
}

/// Events that an entry is about.
fn bases(list: &List, name: &str, snapshots: [&Value; 2]) -> Vec<Value> {
    let types = |snapshot: &Value| snapshot["event_types"].as_array().cloned().unwrap_or_default();
    let all: Vec<Value> = snapshots.into_iter().flat_map(types).collect();
    let mut bases: Vec<Value> = match list.name {
        "event_types" => both(list.name, name, snapshots).into_iter().flat_map(of_type).collect(),
        "own_rules" => {
            let rules = both(list.name, name, snapshots);
            let is_bound = |entry: &Value| {
                let is = |rule: &Value, key: &str, id: &str| rule[key].is_null() || rule[key] == entry[id];
                rules.iter().any(|rule| is(rule, "event_type", "id") && is(rule, "category", "category"))
            };
            let of_site = |mut event: Value| {
                if let Some(site) = rules.iter().find_map(|rule| rule["site_id"].as_str()) {
                    event["site_id"] = json!(site);
                }
                event
            };
            all.iter().filter(|entry| is_bound(entry)).flat_map(of_type).map(of_site).take(MOST_BASES).collect()
        }
        _ => Vec::new(),
    };
    if bases.is_empty() {
        bases = RULES.iter().filter_map(|rule| serde_json::from_str(rule.accepts).ok()).collect();
        bases.dedup();
    }
    bases
}

/// Accepted events of a type, as far as can be told.
fn of_type(entry: &Value) -> Vec<Value> {
    let examples = RULES.iter().filter_map(|rule| serde_json::from_str::<Value>(rule.accepts).ok());
    let of_category: Vec<Value> = examples.filter(|event| event["event_category"] == entry["category"]).collect();
    let own = of_category.iter().filter(|event| event["event_type"] == entry["id"]);
    let mut bases: Vec<Value> = own.chain(&of_category).take(3).cloned().collect();
    let schema = &entry["payload_schema"];
    for event in &mut bases {
        event["event_type"] = entry["id"].clone();
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if event["metadata"][key].is_null() {
                let part = Part { root: schema, schema: &schema["properties"][key] };
                event["metadata"][key] = fit(&part);
            }
        }
    }
    bases
}

/// A value that a property most likely takes.
fn fit(part: &Part) -> Value {
    let values = part.values(0);
    let is_of_type = |value: &&Value| match part.schema["type"].as_str() {
        Some("string") | None => value.as_str().is_some_and(|text| !text.trim().is_empty()),
        Some("number" | "integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        Some("object") => value.is_object(),
        Some(_) => value.is_array(),
    };
    values.iter().find(is_of_type).or(values.first()).cloned().unwrap_or_default()
}

/// Changes at the edge of an entry.
fn edges(list: &List, name: &str, snapshots: [&Value; 2]) -> Vec<Change> {
    let mut changes = Vec::new();
    let metadata = way(Place::Metadata);
    for entry in both(list.name, name, snapshots) {
        match list.name {
            "event_types" => {
                let schema = &entry["payload_schema"];
                Part { root: schema, schema }.changes(&metadata, 0, &mut changes);
                changes.push(Change::set(&metadata.then("zz"), json!("x")));
                changes.push(Change::set(&way(Place::EventCategory), entry["category"].clone()));
                let says = schema["properties"].as_object().into_iter().flatten();
                changes.extend(says.map(|(key, _)| Change::set(&metadata.then(key), json!("x"))));
            }
            "own_rules" => {
                let schema = &entry["schema"];
                Part { root: schema, schema }.changes(&Way::root(), 0, &mut changes);
                let bound =
                    [("site_id", Place::SiteId), ("event_type", Place::EventType), ("category", Place::EventCategory)];
                for (key, place) in bound.into_iter().filter(|(key, _)| entry[*key].is_string()) {
                    changes.push(Change::set(&way(place), entry[key].clone()));
                }
            }
            "sites" => changes.push(Change::set(&way(Place::SiteId), entry["id"].clone())),
            _ => {}
        }
    }
    for snapshot in snapshots {
        match list.name {
            "rules" => fields::terms(snapshot, &mut changes),
            "states" | "blocked_jumps" => fields::jumps(snapshot, &mut changes),
            "personal_words" => {
                changes.push(Change::set(&metadata.then(&name.replace(' ', "_")), json!("x")));
            }
            _ => {}
        }
    }
    changes
}
