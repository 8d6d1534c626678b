//! What an event can hold at the edge of a schema: values that its keywords name, and those just beside them.

use crate::change::{Change, Way};
use crate::pattern;
use serde_json::{Map, Value, json};

/// How deep a schema is followed.
const MOST_DEPTH: usize = 6;
/// How many values of a part are tried.
const MOST_VALUES: usize = 60;
/// The longest text and list that is made.
const MOST_LENGTH: u64 = 9000;
const MOST_ITEMS: u64 = 130;

/// Values of every type.
pub fn any() -> [Value; 12] {
    [
        json!(null),
        json!(""),
        json!(" "),
        json!("x"),
        json!(0),
        json!(-1),
        json!(1),
        json!(1.5),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
    ]
}

const FORMATS: [(&str, &[&str]); 8] = [
    ("date", &["2026-11-21", "2026-02-29", "21.11.2026"]),
    ("date-time", &["2026-11-21T09:30:00Z", "2026-11-21 09:30"]),
    ("time", &["09:30:00Z", "09:30"]),
    ("uuid", &["3f2b8c1e-5a4d-4f6b-9c7e-1d2a3b4c5d6e", "3f2b8c1e"]),
    ("hostname", &["example.com", "-x-.com"]),
    ("ipv4", &["192.0.2.1", "192.0.2.256"]),
    ("ipv6", &["2001:db8::1", "2001:db8::g"]),
    ("uri", &["https://example.com/x", "/x"]),
];

/// A schema, and the whole that its references are into.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The whole.
    pub root: &'a Value,
    /// The part.
    pub schema: &'a Value,
}

impl<'a> Part<'a> {
    fn of(self, schema: &'a Value) -> Part<'a> {
        Part { schema, ..self }
    }

    fn get(self, keyword: &str) -> Option<&'a Value> {
        self.schema.get(keyword)
    }

    fn members(self, keyword: &str) -> impl Iterator<Item = (&'a String, Part<'a>)> {
        let members = self.get(keyword).and_then(Value::as_object).into_iter().flatten();
        members.map(move |(name, schema)| (name, self.of(schema)))
    }

    /// The schemas that the same value has to satisfy, or not.
    fn alternatives(self) -> Vec<Part<'a>> {
        let mut found = Vec::new();
        for keyword in ["allOf", "anyOf", "oneOf"] {
            found.extend(self.get(keyword).and_then(Value::as_array).into_iter().flatten().map(|one| self.of(one)));
        }
        found.extend(
            ["not", "if", "then", "else"].into_iter().filter_map(|keyword| self.get(keyword)).map(|one| self.of(one)),
        );
        found.extend(self.members("dependentSchemas").map(|(_, part)| part));
        let target = self.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        found.extend(target.and_then(|pointer| self.root.pointer(pointer)).map(|target| self.of(target)));
        found
    }

    /// Changes of what stands at a place of an event that the schema is about.
    pub fn changes(self, way: &Way, depth: usize, out: &mut Vec<Change>) {
        if depth > MOST_DEPTH {
            return;
        }
        out.extend(self.values(depth).into_iter().map(|value| Change::set(way, value)));
        for (key, part) in self.members("properties") {
            let way = way.then(key);
            out.push(Change::remove(&way));
            part.changes(&way, depth + 1, out);
        }
        for key in self.names() {
            let way = way.then(&key);
            out.push(Change::remove(&way));
            out.extend(any().into_iter().map(|value| Change::set(&way, value)));
        }
        for (part, keys) in self.others() {
            for key in keys {
                let way = way.then(&key);
                out.push(Change::remove(&way));
                out.extend(any().into_iter().map(|value| Change::set(&way, value)));
                part.changes(&way, depth + 1, out);
            }
        }
        for part in self.alternatives() {
            part.changes(way, depth + 1, out);
        }
    }

    /// Keys that keywords name without a schema.
    fn names(self) -> Vec<String> {
        let texts = |value: &'a Value| value.as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut names: Vec<String> = self.get("required").into_iter().flat_map(texts).map(String::from).collect();
        for (key, part) in self.members("dependentRequired").chain(self.members("dependentSchemas")) {
            names.push(key.clone());
            names.extend(texts(part.schema).map(String::from));
        }
        names
    }

    /// The schemas of members that are not named, each with keys that it may be for.
    fn others(self) -> Vec<(Part<'a>, Vec<String>)> {
        let patterned = self.members("patternProperties").map(|(source, part)| {
            (part, pattern::texts(source).into_iter().filter(|key| !key.is_empty()).take(8).collect())
        });
        let mut found: Vec<(Part<'a>, Vec<String>)> = patterned.collect();
        found.extend(self.get("additionalProperties").map(|schema| (self.of(schema), vec!["zz".into()])));
        if let Some(names) = self.get("propertyNames") {
            let keys = self.of(names).values(MOST_DEPTH - 1).into_iter();
            let keys = keys.filter_map(|key| key.as_str().filter(|key| !key.is_empty()).map(String::from));
            found.push((self.of(&Value::Bool(true)), keys.take(12).collect()));
        }
        for (keyword, more) in [("minProperties", 0), ("maxProperties", 1)] {
            let count = self.get(keyword).and_then(Value::as_u64).unwrap_or_default();
            found.push((self.of(&Value::Bool(true)), (0..(count + more).min(20)).map(|n| format!("z{n}")).collect()));
        }
        found
    }

    /// Values at the edge of the schema.
    pub fn values(self, depth: usize) -> Vec<Value> {
        let mut values = Vec::new();
        if depth <= MOST_DEPTH && self.schema.is_object() {
            let list = self.get("enum").and_then(Value::as_array).into_iter().flatten();
            values.extend(list.chain(self.get("const")).cloned());
            self.numbers(&mut values);
            self.texts(&mut values);
            self.lists(depth, &mut values);
            for part in self.alternatives() {
                values.extend(part.values(depth + 1));
            }
            values.extend(self.object(depth));
        }
        values.extend(any());
        let mut kept: Vec<Value> = Vec::new();
        for value in values {
            if kept.len() < MOST_VALUES && !kept.contains(&value) {
                kept.push(value);
            }
        }
        kept
    }

    fn numbers(self, values: &mut Vec<Value>) {
        for keyword in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
            let Some(bound) = self.get(keyword).and_then(Value::as_f64) else { continue };
            // The first of them fits, wherever one does.
            let inwards = if keyword.ends_with("aximum") { -1.0 } else { 1.0 };
            let first = if keyword.starts_with("exclusive") { inwards } else { 0.0 };
            values.extend([first, 0.0, 1.0, -1.0, 0.5, -0.5].map(|by| number(bound + by)));
        }
        if let Some(step) = self.get("multipleOf").and_then(Value::as_f64) {
            values.extend([step, 2.0 * step, 7.0 * step, step + 1.0, step / 2.0, step * 1.5].map(number));
        }
    }

    fn texts(self, values: &mut Vec<Value>) {
        let source = self.get("pattern").and_then(Value::as_str);
        values.extend(source.into_iter().flat_map(pattern::texts).take(40).map(Value::from));
        for keyword in ["minLength", "maxLength"] {
            let Some(length) = self.get(keyword).and_then(Value::as_u64).filter(|length| *length < MOST_LENGTH) else {
                continue;
            };
            let lengths = [length, length.saturating_sub(1), length + 1];
            values.extend(lengths.map(|length| Value::from("x".repeat(length as usize))));
        }
        let format = self.get("format").and_then(Value::as_str);
        let examples = FORMATS.iter().find(|(name, _)| Some(*name) == format);
        values.extend(examples.into_iter().flat_map(|(_, texts)| texts.iter().map(|text| json!(text))));
    }

    fn lists(self, depth: usize, values: &mut Vec<Value>) {
        let keywords = ["items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"];
        if keywords.iter().all(|keyword| self.get(keyword).is_none()) {
            return;
        }
        let of = |schema| self.of(schema).values(depth + 1);
        let firsts: Vec<Vec<Value>> =
            self.get("prefixItems").and_then(Value::as_array).into_iter().flatten().map(of).collect();
        let mut items: Vec<Value> =
            ["contains", "items"].into_iter().filter_map(|name| self.get(name)).flat_map(of).collect();
        items.extend(any());
        let begun: Vec<Value> = firsts.iter().filter_map(|values| values.first().cloned()).collect();
        for item in items.iter().take(24) {
            let mut counts = vec![1, 2];
            for keyword in ["minItems", "maxItems", "minContains", "maxContains"] {
                let count = self.get(keyword).and_then(Value::as_u64).filter(|count| *count < MOST_ITEMS);
                counts.extend(count.into_iter().flat_map(|count| [count.saturating_sub(1), count, count + 1]));
            }
            for count in counts {
                let alike = vec![item.clone(); count as usize];
                let differing = (0..count).map(|place| if place == 0 { item.clone() } else { json!(place) }).collect();
                values.extend([Value::Array(alike), Value::Array(differing)]);
            }
            values.push(Value::Array(begun.iter().chain([item]).cloned().collect()));
        }
        for (place, choices) in firsts.iter().enumerate() {
            for choice in choices.iter().take(12) {
                let mut list = begun.clone();
                if let Some(at) = list.get_mut(place) {
                    *at = choice.clone();
                }
                values.push(Value::Array(list));
            }
        }
        values.push(Value::Array(begun));
    }

    /// An object with a member for each name.
    fn object(self, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        for name in self.names() {
            members.insert(name, json!("x"));
        }
        for (key, part) in self.members("properties") {
            members.insert(key.clone(), part.values(depth + 1).into_iter().next().unwrap_or_default());
        }
        (!members.is_empty()).then_some(Value::Object(members))
    }
}

/// A number, without a point where it needs none.
fn number(value: f64) -> Value {
    let is_whole = value.fract() == 0.0 && value.abs() < 9e15;
    if is_whole { json!(value as i64) } else { json!(value) }
}
