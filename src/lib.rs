//! audience-gate lets in only the audience events that satisfy one validation contract.
//!
//! The contract on one page:
//!
//! - [`event`] is the vocabulary: the fields of an event and the kinds of value they hold.
//! - [`rule`] is what a rule is, and [`rules`] the table of all of them: the one place where a rule is written.
//! - [`parse`] reads bytes to an event, in one pass that copies nothing.
//! - [`check`] is what the rules mean: an event, its caller, the registry and a time, to violations.
//! - [`gate`] judges a whole body: rows for the store, and an answer for every event.
//!
//! Nothing here does any input or output or knows the time; errors are data. The command line and the generators of SQL,
//! documents and types are crates of their own, `audience-gate-cli` and `audience-gate-emit`.

mod contract;
pub use contract::{event, rule, rules};

pub mod known_keys;
mod names;

mod block;
pub mod number;
pub mod parse;
pub mod reading;
pub mod text;
pub mod time;
pub mod write;

pub mod check;
pub mod email;
pub mod fingerprint;
pub mod json;
pub mod keys;
pub mod payload;
pub mod privacy;
pub mod registry;

pub mod accepted;
pub mod gate;
mod head;
pub mod ids;
pub mod redact;
pub mod rejection;

#[cfg(not(target_arch = "wasm32"))]
pub mod taxonomy;

#[cfg(target_arch = "wasm32")]
mod wasm;
