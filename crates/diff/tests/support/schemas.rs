//! Mistakes in the schemas of a registry.

use serde_json::{Value, json};

/// Schemas of rules of an install's own, between them with most keywords.
fn own_schemas() -> Vec<Value> {
    vec![
        json!({ "properties": { "metadata": { "properties": { "page_path": { "pattern": "^/[a-z]{2,4}/" } } } } }),
        json!({ "properties": { "utm_source": { "enum": ["news", "ads", "friends"] } } }),
        json!({ "properties": { "metadata": { "required": ["plan"], "properties":
            { "plan": { "type": "string", "minLength": 3, "maxLength": 12 } }, "dependentRequired": { "seats": ["plan"] } } } }),
        json!({ "properties": { "metadata": { "properties": { "price": { "exclusiveMinimum": 0, "multipleOf": 5 },
            "day": { "format": "date" } } } } }),
        json!({ "properties": { "metadata": { "properties": { "tags": { "type": "array", "items": { "type": "string" },
            "maxItems": 3, "uniqueItems": true } } } } }),
        json!({ "$defs": { "step": { "type": "integer", "minimum": 1, "maximum": 9 } }, "properties":
            { "metadata": { "properties": { "step": { "$ref": "#/$defs/step" } } } } }),
        json!({ "properties": { "metadata": { "if": { "required": ["coupon"] }, "then":
            { "properties": { "coupon": { "pattern": "^[A-Z0-9]+$" } }, "required": ["cart"] } } } }),
        json!({ "properties": { "metadata": { "patternProperties": { "^x_": { "type": "number" } }, "maxProperties": 8 } } }),
        json!({ "properties": { "metadata": { "properties": { "size": { "anyOf": [{ "const": "S" }, { "const": "M" }] } } } } }),
    ]
}

/// The registry with a rule for each of the schemas.
pub fn with_own_rules(snapshot: &Value) -> Value {
    let mut snapshot = snapshot.clone();
    let rules = own_schemas().into_iter().enumerate().map(|(place, schema)| {
        json!({ "id": format!("own.r{place}"), "category": null, "event_type": "page_view", "site_id": null,
            "mode": "enforce", "schema": schema, "reasons": { "en": "no" } })
    });
    snapshot["own_rules"] = rules.collect();
    snapshot
}

/// A mistake in a schema of a registry.
pub struct Mutant {
    /// What it is.
    pub name: String,
    list: &'static str,
    place: usize,
    keyword: &'static str,
    schema: Value,
}

impl Mutant {
    /// The registry with the mistake.
    pub fn of(&self, before: &Value) -> Value {
        let mut after = before.clone();
        after[self.list][self.place][self.keyword].clone_from(&self.schema);
        after
    }
}

/// Every mistake in the schemas of a registry.
pub fn mutants(before: &Value) -> Vec<Mutant> {
    let mut found = Vec::new();
    for (list, keyword) in [("event_types", "payload_schema"), ("own_rules", "schema")] {
        for (place, entry) in before[list].as_array().unwrap().iter().enumerate() {
            for (change, schema) in mistakes(&entry[keyword]) {
                if !is_no_mistake(&entry[keyword], &change) {
                    let name = format!("{}: {change}", entry["id"]);
                    found.push(Mutant { name, list, place, keyword, schema });
                }
            }
        }
    }
    found
}

/// Whether the change of a payload schema changes no verdict: a text that is required is not blank, so that its least length
/// of 1 says nothing, and what is one of a list of texts is a text.
fn is_no_mistake(schema: &Value, change: &str) -> bool {
    let key = change.split([':', '/']).nth(1).unwrap_or_default();
    let is_required = schema["required"].as_array().is_some_and(|names| names.iter().any(|name| name == key));
    let has_choices = schema["properties"][key]["enum"].is_array();
    is_required && (change.ends_with("minLength becomes 0") || change.ends_with("minLength is dropped"))
        || has_choices && change.ends_with("type is dropped")
}

/// Every mistake in a schema, with the whole that results.
fn mistakes(schema: &Value) -> Vec<(String, Value)> {
    let Some(members) = schema.as_object() else { return Vec::new() };
    let mut found = Vec::new();
    for (keyword, says) in members {
        let with = |value: Value| {
            let mut changed = members.clone();
            changed.insert(keyword.clone(), value);
            Value::Object(changed)
        };
        let mut without = members.clone();
        without.remove(keyword);
        let dropped = (format!("{keyword} is dropped"), Value::Object(without));
        let nested = |key: &str, within: &Value| -> Vec<(String, Value)> {
            mistakes(within)
                .into_iter()
                .map(|(change, part)| {
                    let mut changed = says.clone();
                    changed[key] = part;
                    (format!("{keyword}/{key}: {change}"), with(changed))
                })
                .collect()
        };
        match keyword.as_str() {
            "properties" | "$defs" | "patternProperties" => {
                found.extend(says.as_object().unwrap().iter().flat_map(|(key, within)| nested(key, within)));
            }
            "if" | "then" | "items" => {
                found.extend(
                    mistakes(says).into_iter().map(|(change, part)| (format!("{keyword}: {change}"), with(part))),
                );
                found.push(dropped);
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "minLength" | "maxLength" | "maxItems" | "maxProperties"
            | "multipleOf" => {
                let bound = says.as_i64().unwrap();
                found.extend(
                    [bound + 1, bound - 1]
                        .into_iter()
                        .filter(|bound| *bound >= 0)
                        .map(|bound| (format!("{keyword} becomes {bound}"), with(json!(bound)))),
                );
                found.push(dropped);
            }
            "pattern" => {
                let source = says.as_str().unwrap();
                let others = [source.replace("2,4", "2,5"), source.replace("0-9", "0-8"), source.replace("a-z", "b-z")];
                let others = others.into_iter().filter(|other| other != source);
                found.extend(others.map(|other| (format!("pattern becomes {other}"), with(json!(other)))));
                found.push(dropped);
            }
            "enum" | "anyOf" | "required" => {
                let items = says.as_array().unwrap();
                for place in 0..items.len() {
                    let mut fewer = items.clone();
                    let item = fewer.remove(place);
                    if !fewer.is_empty() || keyword == "required" {
                        found.push((format!("{keyword} loses {item}"), with(json!(fewer))));
                    }
                }
            }
            "description" | "personal" | "$ref" => {}
            _ => found.push(dropped),
        }
    }
    found
}
