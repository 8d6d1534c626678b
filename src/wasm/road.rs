//! The module's end of `judge`, which a server calls for every request, and of `check`, which a page calls for every event:
//! only numbers cross here, and the bytes lie in a buffer that `crates/js/judge.js` writes to.

use super::{STATE, Sender, State, read_registry};
use crate::contract::limits::REQUEST_EVENTS;
use crate::gate::{Context, Request};
use crate::parse::WINDOW;
use crate::registry::Registry;
use crate::write::put;
use audience_gate_js::text;
use js_sys::{Object, Reflect, TypeError};
use wasm_bindgen::prelude::*;

/// What stays between two bodies.
pub struct Road {
    terms: Terms,
    /// The seed of a request, and after it the body.
    input: Vec<u8>,
    /// What the last body came to, in the slots below.
    record: [u32; SLOTS],
    /// The registry that one event is checked by instead of the loaded one.
    given: Option<Registry>,
    /// What the last check came to, as JSON.
    report: Vec<u8>,
}

/// What a request says other than its body; it is passed on only when it changes.
struct Terms {
    sender: Sender,
    caller_id: Option<String>,
    origin: Option<String>,
    source_system: Option<String>,
    rate: Option<String>,
    pepper: Option<String>,
}

impl Road {
    pub const fn new() -> Road {
        let terms = Terms {
            sender: Sender::Visitor,
            caller_id: None,
            origin: None,
            source_system: None,
            rate: None,
            pepper: None,
        };
        Road { terms, input: Vec::new(), record: [0; SLOTS], given: None, report: Vec::new() }
    }
}

const SEED: usize = 16;
const SLOTS: usize = 7;

/// A flag: one event a line, instead of one JSON text.
const NDJSON: u32 = 1;
/// A flag: the store is asked to record nothing.
const DRY_RUN: u32 = 2;

const TOTAL: usize = 0;
const ACCEPTED: usize = 1;
const REJECTED: usize = 2;
const READABLE: usize = 3;
/// Where the argument begins, with the answer right after it.
const OUTPUT: usize = 4;
/// How long the argument is.
const ARGUMENT: usize = 5;
/// How long the answer is.
const ANSWER: usize = 6;

/// What `judge.js` has to know of all this, by the names it has there.
const LAYOUT: [(&str, u32); 10] = [
    ("seed", SEED as u32),
    ("ndjson", NDJSON),
    ("dry_run", DRY_RUN),
    ("total", TOTAL as u32),
    ("accepted", ACCEPTED as u32),
    ("rejected", REJECTED as u32),
    ("readable", READABLE as u32),
    ("output", OUTPUT as u32),
    ("argument", ARGUMENT as u32),
    ("answer", ANSWER as u32),
];

#[wasm_bindgen(start, private)]
fn start() {
    let layout = Object::new();
    for (name, number) in LAYOUT {
        // Nothing forbids a new object a member.
        let _ = Reflect::set(&layout, &name.into(), &number.into());
    }
    audience_gate_js::connect(&wasm_bindgen::exports(), &layout);
}

/// Never made and not exported: a name under which `judge.js` finds what it calls among the exports of the module.
#[wasm_bindgen(js_name = road, private, skip_typescript)]
pub struct Exports;

#[wasm_bindgen(js_class = road)]
impl Exports {
    /// The place for a seed and a body of this length.
    #[wasm_bindgen(skip_typescript)]
    pub fn input(length: usize) -> usize {
        STATE.with_borrow_mut(|State { road, .. }| {
            let size = SEED + length + WINDOW;
            if road.input.len() < size {
                road.input.resize(size, 0);
            }
            road.input.as_ptr() as usize
        })
    }

    /// The place of the record.
    #[wasm_bindgen(skip_typescript)]
    pub fn record() -> usize {
        STATE.with_borrow(|State { road, .. }| road.record.as_ptr() as usize)
    }

    /// Who sends the bodies to come, and for whom they are judged; says what is wrong with it.
    #[wasm_bindgen(skip_typescript)]
    pub fn terms(context: &JsValue) -> Option<TypeError> {
        match Terms::read(context) {
            Ok(terms) => STATE.with_borrow_mut(|State { road, .. }| road.terms = terms),
            Err(fault) => return Some(fault),
        }
        None
    }

    /// Judges the body in the input.
    #[wasm_bindgen(skip_typescript)]
    pub fn judge(length: usize, received_at: f64, flags: u32) {
        STATE.with_borrow_mut(|State { registry, gate, road }| {
            let Road { terms, input, record, .. } = road;
            let Some((seed, text)) = input.split_first_chunk_mut::<SEED>() else {
                return;
            };
            // A longer body may have left something there. Of a known size, this is no call out of the module.
            if let Some(after) = text.get_mut(length..).and_then(<[u8]>::first_chunk_mut::<WINDOW>) {
                *after = [0; WINDOW];
            }
            let outcome = gate.judge_padded(
                text.get(..length + WINDOW).unwrap_or_default(),
                length,
                &Request {
                    context: terms.context(received_at, registry),
                    seed: *seed,
                    is_ndjson: flags & NDJSON != 0,
                    dry_run: flags & DRY_RUN != 0,
                    source_system: terms.source_system.as_deref().unwrap_or("edge-function"),
                    rate: terms.rate.as_deref(),
                    // A body with more events is refused whole, so no more are judged.
                    most_events: REQUEST_EVENTS,
                },
            );
            record[TOTAL] = outcome.total as u32;
            record[ACCEPTED] = outcome.accepted as u32;
            record[REJECTED] = outcome.rejected as u32;
            record[READABLE] = outcome.is_readable as u32;
            record[OUTPUT] = gate.output.as_ptr() as u32;
            record[ARGUMENT] = gate.argument().len() as u32;
            record[ANSWER] = gate.answer().len() as u32;
        });
    }

    /// Takes the registry that the next event is checked by; says what is wrong with it.
    #[wasm_bindgen(skip_typescript)]
    pub fn given(registry: &JsValue) -> Option<TypeError> {
        match read_registry(registry) {
            Ok(registry) => STATE.with_borrow_mut(|State { road, .. }| road.given = Some(registry)),
            Err(fault) => return Some(fault),
        }
        None
    }

    /// Checks the event in the input.
    #[wasm_bindgen(skip_typescript)]
    pub fn check(length: usize, received_at: f64) {
        STATE.with_borrow_mut(|State { registry, gate, road }| {
            let Road { terms, input, record, given, report } = road;
            let given = given.take();
            let event = input.get(SEED..SEED + length).unwrap_or_default();
            let context = terms.context(received_at, given.as_ref().unwrap_or(registry));
            let context = Context { pepper: None, ..context };
            let violations = gate.check(event, &context);
            report.clear();
            put(report, br#"{"accepted":"#);
            put(report, if violations.is_empty() { b"true" } else { b"false" });
            put(report, br#","violations":"#);
            gate.write_report(report, event, &context, violations);
            report.push(b'}');
            record[OUTPUT] = report.as_ptr() as u32;
            record[ARGUMENT] = report.len() as u32;
        });
    }
}

impl Terms {
    fn context<'a>(&'a self, received_at: f64, registry: &'a Registry) -> Context<'a> {
        Context {
            caller: self.sender.with(self.caller_id.as_deref()),
            origin: self.origin.as_deref(),
            received_at: received_at as i64 * 1000,
            registry,
            pepper: self.pepper.as_deref().map(str::as_bytes),
        }
    }

    fn read(context: &JsValue) -> Result<Terms, TypeError> {
        Ok(Terms {
            sender: Sender::named(&text(context, "caller")?.unwrap_or_default())?,
            caller_id: text(context, "callerId")?,
            origin: text(context, "origin")?,
            source_system: text(context, "sourceSystem")?,
            rate: text(context, "rate")?,
            pepper: text(context, "pepper")?,
        })
    }
}
