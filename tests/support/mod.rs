//! What the tests share: the default registry, the moment of receipt, and one way to judge a text.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "each test uses its own part, and says where it cannot go on"
)]

use audience_gate::gate::{Caller, Context, Gate, Request};
use audience_gate::registry::{Registry, taxonomy};
use serde_json::Value;

/// 2026-11-21T12:00:00Z.
pub const RECEIVED_AT: i64 = 1_795_262_400_000_000;

/// The registry that ships.
pub fn registry() -> Registry {
    taxonomy::registry()
}

/// A request as most tests send it.
pub fn request<'a>(registry: &'a Registry, caller: Caller<'a>) -> Request<'a> {
    Request {
        context: Context::new(registry, caller, RECEIVED_AT),
        seed: *b"0123456789abcdef",
        is_ndjson: false,
        dry_run: false,
        source_system: "test",
        rate: None,
        most_events: usize::MAX,
    }
}

/// The answer to the sender of a body.
pub fn answer(body: &[u8], request: &Request) -> Value {
    let mut gate = Gate::default();
    gate.judge(body, request);
    read(gate.answer())
}

/// What the gate wrote, as a tree.
pub fn read(json: &[u8]) -> Value {
    serde_json::from_slice(json)
        .unwrap_or_else(|error| panic!("the gate wrote no JSON: {error}\n{}", String::from_utf8_lossy(json)))
}

/// The entries of one list of the taxonomy that ships.
pub fn listed(list: &str) -> Vec<Value> {
    read(taxonomy::TAXONOMY.as_bytes())[list].as_array().cloned().unwrap_or_default()
}

/// The ids in the answer for one event.
pub fn violations(answer: &Value) -> Vec<String> {
    rule_ids(&answer["results"][0]["violations"])
}

/// The ids in a list of violations.
pub fn rule_ids(violations: &Value) -> Vec<String> {
    let found = violations.as_array().into_iter().flatten();
    found.filter_map(|violation| violation["rule_id"].as_str().map(String::from)).collect()
}
