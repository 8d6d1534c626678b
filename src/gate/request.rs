//! A request: what comes with a body, and what its events are judged against; and what it came to.

use crate::registry::Registry;

/// Who sends the event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller<'a> {
    /// Nobody known: a publishable key.
    Visitor,
    /// A signed-in user, by id.
    User(&'a str),
    /// A back end: a secret key.
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
    /// The key of the e-mail hash.
    pub pepper: Option<&'a [u8]>,
}

impl<'a> Context<'a> {
    /// What a caller's events are judged against where nothing is known but the time they were received, in microseconds
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
    /// Randomness for the ids that are minted.
    pub seed: [u8; 16],
    /// One event a line, instead of one JSON text.
    pub is_ndjson: bool,
    /// Asks the store to record nothing.
    pub dry_run: bool,
    /// Which system judges.
    pub source_system: &'a str,
    /// What the store needs to count for its rate limits, as JSON.
    pub rate: Option<&'a str>,
    /// Events beyond this number are counted, but not judged.
    pub most_events: usize,
}

/// What a body came to.
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
