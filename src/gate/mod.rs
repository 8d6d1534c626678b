//! The gate: from a body and who sent it to the rows to store and an answer for every event.
//!
//! An accepted event is passed on as the bytes that were received; only what the gate adds or replaces is written.

mod accepted;
mod frame;
mod hashing;
mod judge;
pub mod places;
pub mod rejected;
mod request;
mod shown;
mod values;
mod violations;

use crate::contract::fingerprint::contract;
use crate::contract::vocabulary::Field;
use crate::digest::Hash;
use crate::ids::{Id, Ids};
use crate::parse::json::Json;
use crate::parse::{NotJson, Parser, Reader, space, string};
use crate::time;
use crate::write::{self, put, separate};
use frame::Frame;
use places::Judged;
use rejected::Rejected;
use std::cell::OnceCell;

pub use accepted::Accepted;
#[cfg(not(target_arch = "wasm32"))]
pub use judge::interpret::violated;
pub use judge::judge;
pub use request::{Caller, Context, Outcome, Request};
pub use violations::{Verdict, Violations};

/// A gate, with buffers that it reuses from body to body.
#[derive(Debug)]
pub struct Gate {
    /// [`Gate::argument`] and then [`Gate::answer`], in one buffer, so that both can be copied at once.
    pub output: Vec<u8>,
    /// Where the answer begins in it.
    pub answer_start: usize,
    frame: Frame,
    ids: Ids,
    outcome: Outcome,
    rejected: Vec<u8>,
    results: Vec<u8>,
    /// The parser of the events. Everything in the module that reads an event uses this one, because its address is
    /// then known when the module is compiled, which saves a thirtieth of the time.
    pub parser: Parser,
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
            frame: Frame::NONE,
            ids: Ids::new([0; 16], 0),
            outcome: Outcome::NONE,
            rejected: Vec::new(),
            results: Vec::new(),
            parser: Parser::new(),
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

    /// Judges one event; a text that is not exactly one event violates `parse.json`.
    pub fn check(&mut self, text: &[u8], context: &Context) -> Violations {
        let mut reader = Reader::new(text);
        match reader.event(&mut self.parser) {
            Ok(()) if reader.is_done() => judge(text, &self.parser.event, context).violations,
            _ => Violations::UNREADABLE,
        }
    }

    /// Appends what the last [check](Gate::check) found: each violated rule with its reason and its place, as a list.
    pub fn write_report(&self, out: &mut Vec<u8>, text: &[u8], context: &Context, violations: Violations) {
        let event = &self.parser.event;
        // What cannot be read has no tree.
        let tree = if violations == Violations::UNREADABLE { OnceCell::from(Json::Null) } else { OnceCell::new() };
        Judged { text, event, tree: &tree, context }.write(out, violations, true);
    }

    /// Judges a body.
    pub fn judge(&mut self, body: &[u8], request: &Request) -> Outcome {
        self.judge_padded(body, body.len(), request)
    }

    /// Judges the first `length` bytes of a text as a body; [zeros follow it](Reader::padded).
    pub fn judge_padded(&mut self, text: &[u8], length: usize, request: &Request) -> Outcome {
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

    /// Takes back everything that was written after the header.
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
        put(out, self.frame.opening(request));
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
        for line in body.split(|&byte| byte == b'\n').map(space::trim).filter(|line| !line.is_empty()) {
            self.outcome.total += 1;
            if self.outcome.total > request.most_events {
                continue;
            }
            let mut reader = Reader::new(line);
            match reader.event(&mut self.parser) {
                Ok(()) if reader.is_done() => self.settle(line, request),
                Ok(()) => self.unreadable(line, reader.position(), request),
                Err(NotJson) => self.unreadable(line, reader.position(), request),
            }
        }
    }

    /// Reads one event, an array of them, or an object whose only member is such an array under `events`.
    fn document(&mut self, body: &[u8], length: usize, header: usize, request: &Request) -> Result<(), usize> {
        let mut reader = Reader::padded(body, length);
        if reader.enter_wrapper() {
            if self.list(&mut reader, body, request).is_ok() && reader.take(b'}') && reader.is_done() {
                return Ok(());
            }
            // An object that only begins like a wrapper is an event like any other.
            self.forget(header);
            reader = Reader::padded(body, length);
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
        reader.event(&mut self.parser).map_err(|NotJson| reader.position())?;
        self.outcome.total += 1;
        if self.outcome.total <= request.most_events {
            self.settle(body, request);
        }
        Ok(())
    }

    /// Judges the event that was read, and writes its row and its answer.
    #[inline]
    fn settle(&mut self, body: &[u8], request: &Request) {
        let Verdict { violations, email_hash } = judge(body, &self.parser.event, &request.context);
        if violations.is_empty() {
            self.accept(body, email_hash.as_ref(), request);
        } else {
            self.reject(body, Ok(violations), request);
        }
    }

    #[cold]
    #[inline(never)]
    fn unreadable(&mut self, body: &[u8], at: usize, request: &Request) {
        self.reject(body, Err(at), request);
        self.outcome.is_readable = request.is_ndjson && self.outcome.total > self.outcome.rejected;
    }

    fn accept(&mut self, body: &[u8], email_hash: Option<&Hash>, request: &Request) {
        let Parser { event, .. } = &self.parser;
        self.outcome.accepted += 1;
        let index = self.outcome.total - 1;
        let minted = if event.is_given(Field::Id) { None } else { Some(self.ids.mint()) };
        let accepted = Accepted { text: body, event, email_hash };
        accepted.write_row(&mut self.output, index, minted.as_ref(), &request.context);
        let out = &mut self.results;
        begin_result(out, index);
        out.push(b'"');
        let sent = event.value(Field::Id);
        match (&minted, <&Id>::try_from(sent.raw(body))) {
            (Some(id), _) | (None, Ok(id)) => out.extend_from_slice(id),
            (None, Err(_)) => put(out, &string::content(body, sent)),
        }
        out.extend_from_slice(br#"","status":"accepted"}"#);
    }

    /// Writes the row and the answer for an event that violates rules, or for a text that stops being JSON.
    #[inline(never)]
    fn reject(&mut self, body: &[u8], found: Result<Violations, usize>, request: &Request) {
        let Gate { outcome, frame, rejected: rows, results, parser, .. } = self;
        outcome.rejected += 1;
        let index = outcome.total - 1;
        let rejection = match found {
            Ok(violations) => Rejected::event(body, &parser.event, violations),
            Err(at) => Rejected::unreadable(body, at),
        };
        separate(rows);
        put(rows, br#"{"index":"#);
        write::number(rows, index);
        let findings = rejected::write_row(rows, &rejection, &request.context, &frame.end_of_rejection);
        begin_result(results, index);
        // The id that the sender gave, if it is one; the record has its own.
        match rejection.id() {
            Some(id) => put(results, &[b"\"", id.as_slice(), b"\""].concat()),
            None => put(results, b"null"),
        }
        put(results, br#","status":"rejected","rule_id":""#);
        put(results, rejection.first_rule(request.context.registry).0);
        put(results, br#"","reason":"#);
        put(results, rows.get(findings).unwrap_or_default());
        results.push(b'}');
    }
}

fn begin_result(out: &mut Vec<u8>, index: usize) {
    separate(out);
    out.extend_from_slice(br#"{"index":"#);
    write::number(out, index);
    out.extend_from_slice(br#","id":"#);
}
