//! The gate: a body and who sent it, to the rows to store and an answer for every event.
//!
//! An accepted event is passed on as the bytes that were received; only what the gate adds or replaces is written.

use crate::accepted;
use crate::check::{Context, Violations, check};
use crate::event::Field;
use crate::fingerprint::contract;
use crate::head::Head;
use crate::ids::{Id, Ids};
use crate::parse::{Broken, Reader};
use crate::reading::Event;
use crate::rejection::{self, Refused};
use crate::text;
use crate::time;
use crate::write::{self, put, separate};

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
    const NONE: Outcome = Outcome { total: 0, accepted: 0, rejected: 0, is_readable: true };
}

/// A gate, with the buffers that it uses again from body to body.
#[derive(Debug)]
pub struct Gate {
    /// What [`Gate::argument`] and [`Gate::answer`] are, one behind the other, so that both are copied at once.
    pub output: Vec<u8>,
    /// Where in it the answer begins.
    pub answer_start: usize,
    head: Head,
    ids: Ids,
    outcome: Outcome,
    rejected: Vec<u8>,
    results: Vec<u8>,
    /// The event that was read last. Whatever else reads one in the module reads it here, so that its place is known when
    /// the module is compiled: that is a thirtieth of its time.
    pub event: Event,
}

impl Default for Gate {
    fn default() -> Self {
        Gate::new()
    }
}

impl Gate {
    /// A gate with empty buffers.
    pub const fn new() -> Self {
        Gate {
            output: Vec::new(),
            answer_start: 0,
            head: Head::NONE,
            ids: Ids::new([0; 16], 0),
            outcome: Outcome::NONE,
            rejected: Vec::new(),
            results: Vec::new(),
            event: Event::new(),
        }
    }

    /// The argument of the store's function for the last body: `{"batch": …}`.
    pub fn argument(&self) -> &[u8] {
        self.output.get(..self.answer_start).unwrap_or_default()
    }

    /// The answer to the sender of the last body, if the store takes everything.
    pub fn answer(&self) -> &[u8] {
        self.output.get(self.answer_start..).unwrap_or_default()
    }

    /// Judges a body.
    pub fn judge(&mut self, body: &[u8], request: &Request) -> Outcome {
        self.judge_in_front(body, body.len(), request)
    }

    /// Judges a body of so many bytes with [zeros behind it](Reader::in_front).
    pub fn judge_in_front(&mut self, text: &[u8], length: usize, request: &Request) -> Outcome {
        let body = text.get(..length).unwrap_or(text);
        self.begin(request);
        let header = self.output.len();
        if request.is_ndjson {
            self.lines(body, request);
        } else if let Err(at) = self.document(text, body.len(), header, request) {
            self.forget(header);
            self.outcome.total = 1;
            self.unreadable(body, at, request);
        }
        self.end();
        self.outcome
    }

    /// Takes back everything that was written behind the header.
    fn forget(&mut self, header: usize) {
        self.output.truncate(header);
        self.outcome = Outcome::NONE;
        self.rejected.clear();
        self.results.clear();
    }

    fn begin(&mut self, request: &Request) {
        self.ids = Ids::new(request.seed, request.context.received_at / 1000);
        self.outcome = Outcome::NONE;
        self.rejected.clear();
        self.results.clear();
        let out = &mut self.output;
        out.clear();
        put(out, self.head.of(request));
        put(out, br#","received_at":""#);
        put(out, &time::write(request.context.received_at / 1000));
        put(
            out,
            if request.dry_run { br#"","dry_run":true,"accepted":["# } else { br#"","dry_run":false,"accepted":["# },
        );
    }

    fn end(&mut self) {
        let Gate { output: out, outcome, .. } = self;
        put(out, br#"],"rejected":["#);
        put(out, &self.rejected);
        put(out, b"]}}");
        self.answer_start = out.len();
        put(out, br#"{"accepted":"#);
        write::number(out, outcome.accepted);
        put(out, br#","replayed":0,"rejected":"#);
        write::number(out, outcome.rejected);
        put(out, concat!(r#","contract":""#, contract!(), r#"","results":["#).as_bytes());
        put(out, &self.results);
        put(out, b"]}");
    }

    fn lines(&mut self, body: &[u8], request: &Request) {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        for line in body.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
            self.outcome.total += 1;
            if self.outcome.total > request.most_events {
                continue;
            }
            let mut reader = Reader::new(line);
            match reader.event(&mut self.event) {
                Ok(()) if reader.is_done() => self.settle(line, request),
                Ok(()) => self.unreadable(line, reader.position(), request),
                Err(Broken) => self.unreadable(line, reader.position(), request),
            }
        }
    }

    /// Reads one event, an array of them, or an object whose only member is such an array under `events`.
    fn document(&mut self, body: &[u8], length: usize, header: usize, request: &Request) -> Result<(), usize> {
        let mut reader = Reader::in_front(body, length);
        if reader.enter_wrapper() {
            if self.list(&mut reader, body, request).is_ok() && reader.take(b'}') && reader.is_done() {
                return Ok(());
            }
            // An object that only begins like a wrapper is an event like any other.
            self.forget(header);
            reader = Reader::in_front(body, length);
        }
        if reader.peek() == b'[' {
            self.list(&mut reader, body, request)?;
        } else {
            self.one(&mut reader, body, request)?;
        }
        if reader.is_done() { Ok(()) } else { Err(reader.position()) }
    }

    #[inline(never)]
    fn list(&mut self, reader: &mut Reader, body: &[u8], request: &Request) -> Result<(), usize> {
        reader.take(b'[');
        let mut more = !reader.take(b']');
        while more {
            self.one(reader, body, request)?;
            more = reader.take(b',');
            if !more && !reader.take(b']') {
                return Err(reader.position());
            }
        }
        Ok(())
    }

    #[inline]
    fn one(&mut self, reader: &mut Reader, body: &[u8], request: &Request) -> Result<(), usize> {
        reader.event(&mut self.event).map_err(|Broken| reader.position())?;
        self.outcome.total += 1;
        if self.outcome.total <= request.most_events {
            self.settle(body, request);
        }
        Ok(())
    }

    /// Judges the event that was read, and writes its row and its answer.
    #[inline]
    fn settle(&mut self, body: &[u8], request: &Request) {
        let violations = check(body, &mut self.event, &request.context);
        if violations.is_empty() { self.accept(body, request) } else { self.reject(body, Ok(violations), request) }
    }

    #[cold]
    #[inline(never)]
    fn unreadable(&mut self, body: &[u8], at: usize, request: &Request) {
        self.reject(body, Err(at), request);
        self.outcome.is_readable = request.is_ndjson && self.outcome.total > self.outcome.rejected;
    }

    fn accept(&mut self, body: &[u8], request: &Request) {
        self.outcome.accepted += 1;
        let index = self.outcome.total - 1;
        let minted = if self.event.is_given(Field::Id) { None } else { Some(self.ids.mint()) };
        accepted::write_row(&mut self.output, body, &self.event, index, minted.as_ref(), &request.context);
        let out = &mut self.results;
        begin_result(out, index);
        let sent = self.event.value(Field::Id);
        match (&minted, <&Id>::try_from(sent.raw(body))) {
            (Some(id), _) | (None, Ok(id)) => out.extend_from_slice(id),
            (None, Err(_)) => put(out, &text::content(body, sent)),
        }
        out.extend_from_slice(br#"","status":"accepted"}"#);
    }

    /// Writes the row and the answer of what violates rules, or is not JSON from a byte on.
    #[inline(never)]
    fn reject(&mut self, body: &[u8], found: Result<Violations, usize>, request: &Request) {
        let Gate { outcome, ids, head, rejected: rows, results, event, .. } = self;
        outcome.rejected += 1;
        let index = outcome.total - 1;
        let refused = match found {
            Ok(violations) => Refused::event(body, event, violations),
            Err(at) => Refused::unreadable(body, at),
        };
        let id = refused.id().unwrap_or_else(|| ids.mint());
        separate(rows);
        put(rows, br#"{"index":"#);
        write::number(rows, index);
        let findings = rejection::write_row(rows, &refused, &id, &request.context, &head.end);
        begin_result(results, index);
        put(results, &id);
        put(results, br#"","status":"rejected","rule_id":""#);
        put(results, refused.first_rule().id.as_bytes());
        put(results, br#"","reason":"#);
        put(results, rows.get(findings).unwrap_or_default());
        results.push(b'}');
    }
}

fn begin_result(out: &mut Vec<u8>, index: usize) {
    separate(out);
    out.extend_from_slice(br#"{"index":"#);
    write::number(out, index);
    out.extend_from_slice(br#","id":""#);
}
