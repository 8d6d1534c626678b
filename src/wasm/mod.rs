//! The boundary to JavaScript, without logic: values of JavaScript in, values of JavaScript out.
//!
//! Everything here is exported by wasm-bindgen, so that every target of wasm-pack has the same surface; its types are in
//! `surface.d.ts`. [`road`] is the module's end of `judge` and `check`, whose other end is `crates/js/judge.js`.
//!
//! Objects become bytes of JSON before they come here. Read by serde-wasm-bindgen, a single one of six texts made the
//! module 55 KB as it is sent, instead of 40.

mod road;

use crate::gate::{Caller, Gate};
use crate::parse::Reader;
use crate::parse::json::Json;
use crate::privacy::email;
use crate::privacy::redact::{self, Extent};
use crate::registry::Registry;
use audience_gate_js::bytes;
use js_sys::TypeError;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const CONTRACT_TYPES: &str = include_str!("../../contract.d.ts");
#[wasm_bindgen(typescript_custom_section)]
const SURFACE_TYPES: &str = include_str!("surface.d.ts");

/// A quarter of the code of the standard allocator, which the module would carry otherwise.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// What stays between two calls.
struct State {
    registry: Registry,
    gate: Gate,
    road: road::Road,
}

thread_local! {
    static STATE: RefCell<State> = const {
        RefCell::new(State { registry: Registry::unloaded(), gate: Gate::new(), road: road::Road::new() })
    };
}

/// Takes the registry that events are judged by from now on. Says what of it this module cannot judge by, if anything.
#[wasm_bindgen(js_name = loadRegistry, skip_typescript)]
pub fn load_registry(registry: &JsValue) -> Result<Option<String>, TypeError> {
    let registry = read_registry(registry)?;
    let faults = (!registry.faults.is_empty()).then(|| registry.faults.join("; "));
    STATE.with_borrow_mut(|state| state.registry = registry);
    Ok(faults)
}

fn read_registry(registry: &JsValue) -> Result<Registry, TypeError> {
    let json = bytes(registry, "registry")?;
    let read = STATE.with_borrow_mut(|state| Registry::read(&json, &mut state.gate.parser));
    read.map_err(|reason| TypeError::new(&reason))
}

/// Who sends, without the id of a user.
#[derive(Clone, Copy)]
enum Sender {
    Visitor,
    User,
    Trusted,
}

impl Sender {
    fn named(name: &str) -> Result<Sender, TypeError> {
        match name {
            "visitor" => Ok(Sender::Visitor),
            "user" => Ok(Sender::User),
            "trusted" => Ok(Sender::Trusted),
            _ => Err(TypeError::new("caller is not one of visitor, user and trusted")),
        }
    }

    fn with(self, id: Option<&str>) -> Caller<'_> {
        match self {
            Sender::Visitor => Caller::Visitor,
            Sender::User => Caller::User(id.unwrap_or_default()),
            Sender::Trusted => Caller::Trusted,
        }
    }
}

/// The hash of an e-mail address, if it is a valid one.
#[wasm_bindgen(js_name = hashEmail, skip_typescript)]
pub fn hash_email(address: &str, pepper: Option<String>) -> Option<String> {
    let hash = email::hash(&email::normalise(address.as_bytes())?, pepper.as_deref().map(str::as_bytes));
    String::from_utf8(hash.to_vec()).ok()
}

/// A text, or JSON as text, with everything personal replaced.
#[wasm_bindgen(js_name = redact, skip_typescript)]
pub fn redact_text(value: &str) -> String {
    let mut reader = Reader::new(value.as_bytes());
    let is_composed = matches!(reader.peek(), b'{' | b'[' | b'"');
    let is_read = is_composed && STATE.with_borrow_mut(|state| reader.event(&mut state.gate.parser).is_ok());
    if is_read && reader.is_done() {
        let mut out = Vec::new();
        let tree = Json::event(value.as_bytes());
        STATE.with_borrow(|State { registry, .. }| {
            redact::redacted(tree, false, Extent::Whole, registry).write(&mut out);
        });
        return String::from_utf8(out).unwrap_or_default();
    }
    redact::replacement(b"", value.as_bytes()).unwrap_or(value).to_owned()
}
