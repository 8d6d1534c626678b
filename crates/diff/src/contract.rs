//! A contract as data: its rules, the words and numbers that they judge by, and a registry.

use crate::rules::{Foreign, rule};
use audience_gate::contract::FINGERPRINT;
use audience_gate::contract::rule::Rule;
use audience_gate::registry::{Registry, taxonomy};
use audience_gate_emit::meaning;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One of the two contracts that are compared.
#[derive(Debug)]
pub struct Contract {
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// The operators by which a rule is judged that this program judges otherwise, by its id.
    pub foreign: BTreeMap<&'static str, Foreign>,
    /// The words and numbers that stand in no rule, by their name.
    pub words: BTreeMap<String, Value>,
    /// The registry's snapshot.
    pub snapshot: Value,
    /// The same, to judge by.
    pub registry: Registry,
}

impl Contract {
    /// Reads a contract. It can be the meaning of one (`supabase/contract/meaning.ndjson`), `contract.json` or what the
    /// function answers at `/contract`, the record of a release, or a registry snapshot. What a form does not hold is as
    /// it ships with this program.
    pub fn read(text: &[u8]) -> Result<Contract, String> {
        let text = str::from_utf8(text).map_err(|_| "it is not UTF-8")?;
        if text.trim_start().starts_with('[') {
            return Contract::of(&lines(text)?, shipped());
        }
        let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut snapshot = shipped();
        if document["event_types"].is_array() && document["default_site"].is_string() {
            return Contract::of(&lines(&meaning::render())?, document);
        }
        if let Value::Object(taxonomy) = &document["taxonomy"] {
            snapshot = taxonomy::snapshot_of(&Value::Object(taxonomy.clone()));
        }
        if document["own_rules"].is_array() {
            snapshot["own_rules"] = document["own_rules"].clone();
        }
        let lines = match &document["meaning"] {
            Value::Array(said) => {
                let said: Vec<&str> = said.iter().filter_map(Value::as_str).collect();
                lines(&said.join("\n"))?
            }
            _ if document["fingerprint"] == FINGERPRINT => lines(&meaning::render())?,
            _ => {
                return Err("it does not say what its rules mean: give the contract.json of its release, its \
                    supabase/contract/meaning.ndjson, the record of a release or a registry snapshot"
                    .into());
            }
        };
        Contract::of(&lines, snapshot)
    }

    /// The contract with these lines of meaning and this snapshot.
    pub fn of(lines: &[Value], snapshot: Value) -> Result<Contract, String> {
        let registry = registry(&snapshot)?;
        let mut contract =
            Contract { rules: Vec::new(), foreign: BTreeMap::new(), words: BTreeMap::new(), snapshot, registry };
        for line in lines {
            let parts = line.as_array().map(Vec::as_slice).unwrap_or_default();
            if parts.first().is_some_and(|kind| kind == "rule") {
                let (rule, foreign) = rule(parts)?;
                if !foreign.is_empty() {
                    contract.foreign.insert(rule.id, foreign);
                }
                contract.rules.push(rule);
                continue;
            }
            let [kind, rest @ ..] = parts else { return Err("a line of its meaning is no list".into()) };
            let kind = kind.as_str().unwrap_or_default();
            let (name, says) = match (kind, rest) {
                ("constant" | "personal words", [name, says @ ..]) => {
                    (format!("{kind}, {}", name.as_str().unwrap_or_default()), says)
                }
                _ => (kind.to_owned(), rest),
            };
            contract.words.insert(name, json!(says));
        }
        Ok(contract)
    }
}

/// The registry of a snapshot; it is an error if this program cannot judge by all of it.
pub fn registry(snapshot: &Value) -> Result<Registry, String> {
    let registry = Registry::from_json(snapshot.to_string().as_bytes())?;
    match registry.faults.as_slice() {
        [] => Ok(registry),
        faults => Err(faults.join("; ")),
    }
}

fn shipped() -> Value {
    serde_json::from_str(&taxonomy::snapshot()).unwrap_or_else(|_| Value::Object(Map::new()))
}

fn lines(text: &str) -> Result<Vec<Value>, String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).map_err(|error| error.to_string())).collect()
}
