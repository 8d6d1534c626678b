//! audience-gate lets in only the audience events that satisfy one validation contract.
//!
//! ```
//! use audience_gate::{Caller, Context, Gate, registry::taxonomy};
//! let registry = taxonomy::registry();
//! let context = Context::new(&registry, Caller::Trusted, 1_795_262_400_000_000);
//! let mut gate = Gate::default();
//! let view = br#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/pricing"}}"#;
//! assert!(gate.check(view, &context).is_empty());
//! let like = br#"{"session_id":"session-0001","event_type":"post_like","event_category":"advocacy","event_source":"web","metadata":{}}"#;
//! assert!(gate.check(like, &context).rules().any(|rule| rule.id == "advocacy.not_like"));
//! ```
//!
//! The modules, each of which builds on those before it:
//!
//! - [`contract`] is the table of rules: the one place where a rule is written.
//! - [`parse`] reads bytes into an event, in one pass that copies nothing.
//! - [`privacy`] finds personal data, hashes it and replaces it.
//! - [`registry`] is what an install has registered: event types with their payload schemas, states, sites.
//! - [`gate`] applies the rules, and judges a whole body: rows for the store, and an answer for every event.
//!
//! Nothing here does input or output, or knows the time; errors are data. The command line and the generators of SQL,
//! documents and types are separate crates, `audience-gate-cli` and `audience-gate-emit`.

// An `inline` is here for one of three reasons, each of them measured: a question asked of every block, character or
// text, where a call costs more than the answer (without the hints the gate takes a thirtieth longer); `always`, where a
// value has to stay in registers, because handed on it stands in memory, where the module's engine checks each access;
// `never`, where a copy in every caller makes the module larger, and the reader's loop with it slower, for what is seldom
// asked.
mod block;
mod short;

pub mod digest;
pub mod ids;
pub mod time;
pub mod write;

pub mod contract;
pub mod gate;
pub mod parse;
pub mod privacy;
pub mod registry;

pub use gate::{Caller, Context, Gate, Outcome, Request, Violations};
pub use registry::Registry;

#[cfg(target_arch = "wasm32")]
mod wasm;
