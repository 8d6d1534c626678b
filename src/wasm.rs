//! The boundary to JavaScript, without logic: texts, bytes and numbers in, texts and numbers out.
//!
//! Its other half is `wasm.js`, which the package is entered by. `judge` is what a server calls for every request, so
//! nothing but numbers crosses there: `wasm.js` copies the body into a buffer that lives here and reads a fixed record.

use crate::contract::FINGERPRINT;
use crate::gate::{Caller, Context, Gate, Request, Violations};
use crate::parse::{Reader, WINDOW};
use crate::privacy::{email, redact};
use crate::registry::Registry;
use crate::write::{self, put};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const CONTRACT_TYPES: &str = include_str!("../contract.d.ts");
#[wasm_bindgen(typescript_custom_section)]
const SURFACE_TYPES: &str = include_str!("wasm.d.ts");

/// A quarter of the code of the standard allocator, which the module would carry otherwise.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// What stays between two calls.
struct State {
    registry: Registry,
    gate: Gate,
    terms: Terms,
    /// The seed of a request, and behind it its body.
    input: Vec<u8>,
    /// What [`judge`] came to, in the order that `wasm.js` reads it.
    record: [u32; 7],
}

/// What is told of a request besides its body; it is told again only when it changes.
struct Terms {
    caller: u8,
    caller_id: String,
    origin: Option<String>,
    source_system: String,
    rate: Option<String>,
    pepper: Option<String>,
}

fn caller_of(number: u8, id: &str) -> Caller<'_> {
    match number {
        0 => Caller::Visitor,
        1 => Caller::User(id),
        _ => Caller::Trusted,
    }
}

/// A body with more events is refused whole, so no more are judged.
const MOST_EVENTS: usize = 1000;
const SEED: usize = 16;
const NDJSON: u32 = 1;
const DRY_RUN: u32 = 2;

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State {
        registry: Registry::unloaded(),
        gate: Gate::new(),
        terms: Terms {
            caller: 0,
            caller_id: String::new(),
            origin: None,
            source_system: String::new(),
            rate: None,
            pepper: None,
        },
        input: Vec::new(),
        record: [0; 7],
    }) };
}

/// The place for a seed and a body of so many bytes.
#[wasm_bindgen(js_name = gateInput, skip_typescript)]
pub fn input(length: usize) -> usize {
    STATE.with_borrow_mut(|state| {
        let size = SEED + length + WINDOW;
        if state.input.len() < size {
            state.input.resize(size, 0);
        }
        state.input.as_ptr() as usize
    })
}

/// The place of the record that [`judge`] leaves.
#[wasm_bindgen(js_name = gateRecord, skip_typescript)]
pub fn record() -> usize {
    STATE.with_borrow(|state| state.record.as_ptr() as usize)
}

/// Who sends the bodies to come, and for whom they are judged.
#[wasm_bindgen(js_name = gateTerms, skip_typescript)]
pub fn terms(
    caller: u8,
    caller_id: Option<String>,
    origin: Option<String>,
    source_system: String,
    rate: Option<String>,
    pepper: Option<String>,
) {
    let caller_id = caller_id.unwrap_or_default();
    STATE.with_borrow_mut(|state| state.terms = Terms { caller, caller_id, origin, source_system, rate, pepper });
}

/// Judges the body in the input.
#[wasm_bindgen(js_name = gateJudge, skip_typescript)]
pub fn judge(length: usize, received_at: f64, flags: u32) {
    STATE.with_borrow_mut(|State { registry, gate, terms, input, record }| {
        let Some((seed, text)) = input.split_first_chunk_mut::<SEED>() else {
            return;
        };
        // Of a longer body before. Of a known size it is no call out of the module.
        if let Some(behind) = text.get_mut(length..).and_then(<[u8]>::first_chunk_mut::<WINDOW>) {
            *behind = [0; WINDOW];
        }
        let outcome = gate.judge_padded(
            text.get(..length + WINDOW).unwrap_or_default(),
            length,
            &Request {
                context: Context {
                    caller: caller_of(terms.caller, &terms.caller_id),
                    origin: terms.origin.as_deref(),
                    received_at: received_at as i64 * 1000,
                    registry,
                    pepper: terms.pepper.as_deref().map(str::as_bytes),
                },
                seed: *seed,
                is_ndjson: flags & NDJSON != 0,
                dry_run: flags & DRY_RUN != 0,
                source_system: &terms.source_system,
                rate: terms.rate.as_deref(),
                most_events: MOST_EVENTS,
            },
        );
        *record = [
            outcome.total as u32,
            outcome.accepted as u32,
            outcome.rejected as u32,
            outcome.is_readable as u32,
            gate.output.as_ptr() as u32,
            gate.argument().len() as u32,
            gate.answer().len() as u32,
        ];
    });
}

/// Takes the registry that events are judged by from now on; else says why not. `wasm.js` makes the exception of it:
/// the machinery for that would be a kilobyte here.
#[wasm_bindgen(js_name = gateRegistry, skip_typescript)]
pub fn load_registry(snapshot: &[u8]) -> Option<String> {
    match Registry::from_json(snapshot) {
        Ok(registry) => STATE.with_borrow_mut(|state| state.registry = registry),
        Err(reason) => return Some(reason),
    }
    None
}

/// Judges one event, by the registry given or else by the one that was loaded; the report is JSON. Else says why the
/// registry is none.
#[wasm_bindgen(js_name = gateCheck, skip_typescript)]
pub fn check_one(
    event: &[u8],
    registry: Option<Vec<u8>>,
    caller: u8,
    caller_id: Option<String>,
    origin: Option<String>,
    received_at: f64,
) -> String {
    let given = match registry.map(|snapshot| Registry::from_json(&snapshot)).transpose() {
        Ok(given) => given,
        Err(reason) => return reason,
    };
    let caller_id = caller_id.unwrap_or_default();
    STATE.with_borrow_mut(|State { registry, gate, .. }| {
        let context = Context {
            caller: caller_of(caller, &caller_id),
            origin: origin.as_deref(),
            received_at: received_at as i64 * 1000,
            registry: given.as_ref().unwrap_or(registry),
            pepper: None,
        };
        report(gate.check(event, &context))
    })
}

fn report(violations: Violations) -> String {
    let mut out = Vec::new();
    put(&mut out, br#"{"accepted":"#);
    put(&mut out, if violations.is_empty() { b"true" } else { b"false" });
    put(&mut out, br#","violations":["#);
    for (index, rule) in violations.rules().enumerate() {
        put(&mut out, if index == 0 { b"" } else { b"," });
        put(&mut out, br#"{"rule_id":"#);
        write::text(&mut out, rule.id.as_bytes());
        put(&mut out, br#","reason":"#);
        write::text(&mut out, rule.reason.as_bytes());
        put(&mut out, br#","path":"#);
        write::text(&mut out, rule.path.as_bytes());
        out.push(b'}');
    }
    put(&mut out, b"]}");
    String::from_utf8(out).unwrap_or_default()
}

/// The hash of an e-mail address, if it is a valid one.
#[wasm_bindgen(js_name = gateHash, skip_typescript)]
pub fn hash_email(address: &str, pepper: Option<String>) -> Option<String> {
    let hash = email::hash(&email::normalise(address.as_bytes())?, pepper.as_deref().map(str::as_bytes));
    String::from_utf8(hash.to_vec()).ok()
}

/// A text, or JSON as text, with everything personal replaced.
#[wasm_bindgen(js_name = gateRedact, skip_typescript)]
pub fn redact_text(value: &str) -> String {
    let mut reader = Reader::new(value.as_bytes());
    let is_composed = matches!(reader.peek(), b'{' | b'[' | b'"');
    let is_read = is_composed && STATE.with_borrow_mut(|state| reader.event(&mut state.gate.parser).is_ok());
    if is_read && reader.is_done() {
        let mut out = Vec::new();
        redact::snapshot(&mut out, value.as_bytes(), false);
        return String::from_utf8(out).unwrap_or_default();
    }
    redact::replacement(value.as_bytes()).unwrap_or(value).to_owned()
}

/// The hash of the contract that this module judges by.
#[wasm_bindgen(js_name = gateFingerprint, skip_typescript)]
pub fn fingerprint() -> String {
    FINGERPRINT.to_owned()
}
