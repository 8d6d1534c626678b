//! Examples made as small as they can be.

use crate::search::{Direction, Example, Pair};
use serde_json::Value;

/// The smallest event that shows the same, as far as leaving things out and shortening texts leads.
pub fn smallest(pair: &Pair, mut example: Example, direction: Direction) -> Example {
    // Text that is not JSON, or that the tree cannot hold, is left as it is.
    while let Ok(event) = serde_json::from_str::<Value>(&example.event) {
        let shows = |event: &Value| {
            let found = pair.example(&event.to_string(), example.sender, direction)?;
            let is_better = found.event.len() < example.event.len();
            (is_better && found.is_decisive >= example.is_decisive).then_some(found)
        };
        let Some(smaller) = smaller(&event).iter().find_map(shows) else { break };
        example = smaller;
    }
    example
}

/// The value with one thing left out or shortened, in every way.
fn smaller(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(members) => {
            let mut found = Vec::new();
            for (key, part) in members {
                let mut without = members.clone();
                without.remove(key);
                found.push(Value::Object(without));
                found.extend(smaller(part).into_iter().map(|part| {
                    let mut changed = members.clone();
                    changed.insert(key.clone(), part);
                    Value::Object(changed)
                }));
            }
            found
        }
        Value::Array(items) => {
            let mut found = Vec::new();
            for (place, part) in items.iter().enumerate() {
                let mut without = items.clone();
                without.remove(place);
                found.push(Value::Array(without));
                found.extend(smaller(part).into_iter().map(|part| {
                    let mut changed = items.clone();
                    if let Some(at) = changed.get_mut(place) {
                        *at = part;
                    }
                    Value::Array(changed)
                }));
            }
            found
        }
        Value::String(text) => {
            let length = text.chars().count();
            let lengths = [0, 1, length / 2, length.saturating_sub(1)];
            let first = |short: usize| Value::String(text.chars().take(short).collect());
            lengths.into_iter().filter(|short| *short < length).map(first).collect()
        }
        _ => Vec::new(),
    }
}
