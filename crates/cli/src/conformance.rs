//! `audience-gate conformance`: the native gate as an engine of the conformance suite, a line in and a line out.

use super::Done;
use audience_gate::gate::{Caller, Context, Gate};
use audience_gate::registry::Registry;
use audience_gate::time;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{self, BufRead, Write};

/// A registry, or an event to judge.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Registry { registry: Value },
    Case(Case),
}

#[derive(Deserialize)]
struct Case {
    case: u64,
    event: String,
    caller: String,
    caller_id: Option<String>,
    origin: Option<String>,
    received_at: String,
}

/// Answers every line of standard input.
pub fn run() -> Done {
    let mut registry = Registry::unloaded();
    let mut gate = Gate::new();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("cannot read standard input: {error}"))?;
        let line = serde_json::from_str(&line).map_err(|error| format!("a line is no question: {error}"))?;
        let answer = match line {
            Line::Registry { registry: snapshot } => {
                registry = Registry::from_json(snapshot.to_string().as_bytes())?;
                json!({ "registry": registry.version })
            }
            Line::Case(case) => judged(&case, &registry, &mut gate)?,
        };
        let told = writeln!(out, "{answer}").and_then(|()| out.flush());
        told.map_err(|error| format!("cannot write: {error}"))?;
    }
    Ok(0)
}

fn judged(case: &Case, registry: &Registry, gate: &mut Gate) -> Result<Value, String> {
    let caller = match case.caller.as_str() {
        "trusted" => Caller::Trusted,
        "visitor" => Caller::Visitor,
        "user" => Caller::User(case.caller_id.as_deref().unwrap_or_default()),
        other => return Err(format!("nobody is called {other}: send trusted, visitor or user")),
    };
    let received_at = time::parse(case.received_at.as_bytes()).ok_or("`received_at` is no time")?;
    let context = Context { origin: case.origin.as_deref(), ..Context::new(registry, caller, received_at) };
    let found = gate.check(case.event.as_bytes(), &context);
    let own = found.own_rules(registry).map(|rule| String::from_utf8_lossy(&rule.id).into_owned());
    let violates: Vec<String> = found.rules().map(|rule| rule.id.to_owned()).chain(own).collect();
    Ok(json!({ "case": case.case, "violates": violates }))
}
