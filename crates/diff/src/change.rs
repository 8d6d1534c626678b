//! Changes of an event: a value at a place, or none.

use serde_json::{Map, Value, json};

/// The way to a place in an event, key by key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Way(Vec<String>);

impl Way {
    /// The event itself.
    pub fn root() -> Way {
        Way::default()
    }

    /// A place in this one.
    pub fn then(&self, key: &str) -> Way {
        Way(self.0.iter().cloned().chain([key.to_owned()]).collect())
    }
}

/// One change.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// This value at this place.
    Set(Way, Value),
    /// Nothing at this place.
    Remove(Way),
    /// So much in metadata that its canonical text has this many bytes.
    Pad(usize),
}

impl Change {
    /// This value at this place.
    pub fn set(way: &Way, value: Value) -> Change {
        Change::Set(way.clone(), value)
    }

    /// Nothing at this place.
    pub fn remove(way: &Way) -> Change {
        Change::Remove(way.clone())
    }

    /// Makes the change.
    pub fn make(&self, event: &mut Value) {
        match self {
            Change::Set(Way(keys), value) => {
                let Some((last, before)) = keys.split_last() else {
                    event.clone_from(value);
                    return;
                };
                let mut at = event;
                for key in before {
                    if !at.is_object() {
                        *at = Value::Object(Map::new());
                    }
                    at = &mut at[key];
                }
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at[last] = value.clone();
            }
            Change::Remove(Way(keys)) => {
                let Some((last, before)) = keys.split_last() else { return };
                let at = before.iter().try_fold(event, |at, key| at.get_mut(key));
                at.and_then(Value::as_object_mut).map(|members| members.remove(last));
            }
            Change::Pad(size) => {
                let Some(metadata) = event.get_mut("metadata").filter(|metadata| metadata.is_object()) else { return };
                metadata["padding"] = json!("");
                metadata["padding"] = json!("x".repeat(size.saturating_sub(stored(metadata))));
            }
        }
    }
}

/// How many bytes the text of a value has as Postgres writes it.
fn stored(value: &Value) -> usize {
    let apart = |count: usize| 2 * count.max(1);
    match value {
        Value::Array(items) => apart(items.len()) + items.iter().map(stored).sum::<usize>(),
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| json!(key).to_string().len() + 2 + stored(value);
            apart(members.len()) + members.iter().map(member).sum::<usize>()
        }
        scalar => scalar.to_string().len(),
    }
}
