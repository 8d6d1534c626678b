//! A request: what comes with a body, what its events are judged against, and what came of it.

use crate::registry::Registry;

/// Who sends the event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller<'a> {
    /// Somebody unknown, with a publishable key.
    Visitor,
    /// A signed-in user, by id.
    User(&'a str),
    /// A back end, with a secret key.
    Trusted,
}

/// What an event is judged against.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who sends it.
    pub caller: Caller<'a>,
    /// The page that a browser's call came from.
    pub origin: Option<&'a str>,
    /// When it was received, in microseconds since 1970.
    pub received_at: i64,
    /// What the install has registered.
    pub registry: &'a Registry,
    /// The key under which the hash of an e-mail address is hashed again.
    pub pepper: Option<&'a [u8]>,
}

impl<'a> Context<'a> {
    /// What a caller's events are judged against if nothing else is known but the time of receipt, in microseconds
    /// since 1970.
    pub const fn new(registry: &'a Registry, caller: Caller<'a>, received_at: i64) -> Self {
        Context { caller, origin: None, received_at, registry, pepper: None }
    }
}

/// What comes with a body.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What its events are judged against.
    pub context: Context<'a>,
    /// Random bytes for the ids that are minted.
    pub seed: [u8; 16],
    /// Whether the body is one event per line, instead of one JSON text.
    pub is_ndjson: bool,
    /// Whether the store is asked to record nothing.
    pub dry_run: bool,
    /// The name of the system that judges.
    pub source_system: &'a str,
    /// What the store needs to count for its rate limits, as JSON.
    pub rate: Option<&'a str>,
    /// Events beyond this number are counted, but not judged.
    pub most_events: usize,
}

/// The result of judging a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// How many events it held.
    pub total: usize,
    /// How many of them are accepted.
    pub accepted: usize,
    /// How many of them are rejected.
    pub rejected: usize,
    /// Whether it was JSON at all.
    pub is_readable: bool,
}

impl Outcome {
    /// Nothing yet.
    pub(super) const NONE: Outcome = Outcome { total: 0, accepted: 0, rejected: 0, is_readable: true };
}
