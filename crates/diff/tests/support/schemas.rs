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

/// Schemas of payloads, with what lies deeper than a key.
fn payload_schemas() -> Vec<Value> {
    vec![
        json!({ "required": ["items"], "properties": { "items": { "type": "array", "minItems": 1, "maxItems": 3, "items": {
            "type": "object", "required": ["sku"], "additionalProperties": false, "properties": {
                "sku": { "type": "string", "pattern": "^[a-z]{2,4}$" }, "count": { "type": "integer", "minimum": 1 } } } } } }),
        json!({ "properties": { "place": { "type": "object", "required": ["hall"], "properties": {
            "hall": { "enum": ["north", "south"] }, "row": { "type": "integer", "minimum": 1, "maximum": 40 } } } },
            "additionalProperties": false }),
        json!({ "$defs": { "span": { "type": "object", "required": ["from"], "properties": {
            "from": { "format": "date" }, "to": { "format": "date" } }, "dependentRequired": { "to": ["nights"] } } },
            "required": ["stay"], "properties": { "stay": { "$ref": "#/$defs/span" } } }),
        json!({ "properties": { "kind": { "type": "string" } }, "if": { "required": ["kind"], "properties": { "kind": { "const": "gift" } } },
            "then": { "required": ["gift_note"], "properties": { "gift_note": { "maxLength": 20 } } },
            "else": { "properties": { "gift_note": false } } }),
        json!({ "oneOf": [{ "required": ["sku"] }, { "required": ["bundle"] }], "properties": { "sku": { "type": ["string", "integer"] } } }),
        json!({ "patternProperties": { "^x_": { "type": "array", "contains": { "const": "a" } } }, "maxProperties": 6,
            "propertyNames": { "maxLength": 12 } }),
        json!({ "properties": { "pair": { "prefixItems": [{ "type": "string" }, { "exclusiveMinimum": 0 }], "minItems": 2, "items": false },
            "code": { "not": { "pattern": "^00" } } } }),
    ]
}

/// The registry with a rule and an event type for each of the schemas.
pub fn with_schemas(snapshot: &Value) -> Value {
    let mut snapshot = snapshot.clone();
    let types = payload_schemas().into_iter().enumerate().map(|(place, schema)| {
        json!({ "id": format!("planned_{place}"), "category": "engagement", "payload_schema": schema })
    });
    snapshot["event_types"].as_array_mut().unwrap().extend(types);
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
            "oneOf" => {
                let parts = says.as_array().unwrap().iter().enumerate();
                found.extend(
                    parts
                        .flat_map(|(place, within)| {
                            mistakes(within).into_iter().map(move |(change, part)| (place, change, part))
                        })
                        .map(|(place, change, part)| {
                            let mut changed = says.clone();
                            changed[place] = part;
                            (format!("oneOf/{place}: {change}"), with(changed))
                        }),
                );
                found.push(dropped);
            }
            "if" | "then" | "else" | "items" | "not" | "contains" | "propertyNames" => {
                found.extend(
                    mistakes(says).into_iter().map(|(change, part)| (format!("{keyword}: {change}"), with(part))),
                );
                found.push(dropped);
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "minLength" | "maxLength" | "minItems" | "maxItems"
            | "maxProperties" | "multipleOf" => {
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
