//! The gate: a body and who sent it, to the rows to store and an answer for every event.
//!
//! An accepted event is passed on as the bytes that were received; only what the gate adds or replaces is written.

use crate::check::{Caller, Context, Verdict, check};
use crate::event::{Field, Kind};
use crate::fingerprint::FINGERPRINT;
use crate::names::KEYS;
use crate::parse::{Broken, Reader};
use crate::reading::{Event, Value};
use crate::rejection::{self, Refused};
use crate::rules::VERSION;
use crate::text::put;
use crate::{email, text, time};

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
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

/// A gate, with the buffers that it uses again from body to body.
#[derive(Debug)]
pub struct Gate {
    /// The argument of the store's function for the last body: `{"batch": …}`.
    pub argument: Vec<u8>,
    /// The answer to the sender of the last body, if the store takes everything.
    pub answer: Vec<u8>,
    rejected: Vec<u8>,
    results: Vec<u8>,
    event: Event,
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
            argument: Vec::new(),
            answer: Vec::new(),
            rejected: Vec::new(),
            results: Vec::new(),
            event: Event::new(),
        }
    }

    /// Judges a body.
    pub fn judge(&mut self, body: &[u8], request: &Request) -> Outcome {
        let mut ids = Ids::new(request.seed, request.context.received_at / 1000);
        self.begin(request);
        let header = self.argument.len();
        let mut outcome = Outcome { is_readable: true, ..Outcome::default() };
        if request.is_ndjson {
            self.lines(body, request, &mut ids, &mut outcome);
        } else if let Err(at) = self.document(body, header, request, &mut ids, &mut outcome) {
            self.forget(header);
            outcome = Outcome { total: 1, ..Outcome::default() };
            self.unreadable(body, at, request, &mut ids, &mut outcome);
        }
        self.end(&outcome);
        outcome
    }

    /// Takes back everything that was written behind the header.
    fn forget(&mut self, header: usize) {
        self.argument.truncate(header);
        self.rejected.clear();
        self.results.clear();
    }

    fn begin(&mut self, request: &Request) {
        let Context { caller, origin, received_at, registry, .. } = request.context;
        self.rejected.clear();
        self.results.clear();
        let out = &mut self.argument;
        out.clear();
        put(out, br#"{"batch":{"contract":""#);
        put(out, FINGERPRINT.as_bytes());
        put(out, br#"","registry":"#);
        write_optional(out, registry.is_loaded.then_some(&registry.version));
        put(out, br#","source_system":"#);
        text::write(out, request.source_system.as_bytes());
        let (name, id) = match caller {
            Caller::Visitor => ("visitor", None),
            Caller::User(id) => ("user", Some(id)),
            Caller::Trusted => ("trusted", None),
        };
        put(out, br#","caller":"#);
        text::write(out, name.as_bytes());
        put(out, br#","caller_id":"#);
        write_optional(out, id);
        put(out, br#","origin":"#);
        write_optional(out, origin);
        put(out, br#","received_at":"#);
        text::write(out, &time::write(received_at / 1000));
        put(out, if request.dry_run { br#","dry_run":true,"rate":"# } else { br#","dry_run":false,"rate":"# });
        put(out, request.rate.unwrap_or("null").as_bytes());
        put(out, br#","accepted":["#);
    }

    fn end(&mut self, outcome: &Outcome) {
        put(&mut self.argument, br#"],"rejected":["#);
        put(&mut self.argument, &self.rejected);
        put(&mut self.argument, b"]}}");
        let out = &mut self.answer;
        out.clear();
        put(out, br#"{"accepted":"#);
        write_number(out, outcome.accepted);
        put(out, br#","replayed":0,"rejected":"#);
        write_number(out, outcome.rejected);
        put(out, br#","contract":""#);
        write_contract(out);
        put(out, br#"","results":["#);
        put(out, &self.results);
        put(out, b"]}");
    }

    fn lines(&mut self, body: &[u8], request: &Request, ids: &mut Ids, outcome: &mut Outcome) {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        for line in body.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
            outcome.total += 1;
            if outcome.total > request.most_events {
                continue;
            }
            let mut reader = Reader::new(line);
            match reader.event(&mut self.event) {
                Ok(()) if reader.is_done() => self.settle(line, request, ids, outcome),
                Ok(()) => self.unreadable(line, reader.position(), request, ids, outcome),
                Err(Broken) => self.unreadable(line, reader.position(), request, ids, outcome),
            }
        }
    }

    /// Reads one event, an array of them, or an object whose only member is such an array under `events`.
    fn document(
        &mut self,
        body: &[u8],
        header: usize,
        request: &Request,
        ids: &mut Ids,
        outcome: &mut Outcome,
    ) -> Result<(), usize> {
        let mut reader = Reader::new(body);
        if reader.enter_wrapper() {
            if self.list(&mut reader, body, request, ids, outcome).is_ok() && reader.take(b'}') && reader.is_done() {
                return Ok(());
            }
            // An object that only begins like a wrapper is an event like any other.
            self.forget(header);
            *outcome = Outcome { is_readable: true, ..Outcome::default() };
            reader = Reader::new(body);
        }
        if reader.peek() == b'[' {
            self.list(&mut reader, body, request, ids, outcome)?;
        } else {
            self.one(&mut reader, body, request, ids, outcome)?;
        }
        if reader.is_done() { Ok(()) } else { Err(reader.position()) }
    }

    #[inline(never)]
    fn list(
        &mut self,
        reader: &mut Reader,
        body: &[u8],
        request: &Request,
        ids: &mut Ids,
        outcome: &mut Outcome,
    ) -> Result<(), usize> {
        reader.take(b'[');
        let mut more = !reader.take(b']');
        while more {
            self.one(reader, body, request, ids, outcome)?;
            more = reader.take(b',');
            if !more && !reader.take(b']') {
                return Err(reader.position());
            }
        }
        Ok(())
    }

    #[inline]
    fn one(
        &mut self,
        reader: &mut Reader,
        body: &[u8],
        request: &Request,
        ids: &mut Ids,
        outcome: &mut Outcome,
    ) -> Result<(), usize> {
        reader.event(&mut self.event).map_err(|Broken| reader.position())?;
        outcome.total += 1;
        if outcome.total <= request.most_events {
            self.settle(body, request, ids, outcome);
        }
        Ok(())
    }

    /// Judges the event that was read, and writes its row and its answer.
    #[inline]
    fn settle(&mut self, body: &[u8], request: &Request, ids: &mut Ids, outcome: &mut Outcome) {
        let verdict = check(body, &self.event, &request.context);
        let index = outcome.total - 1;
        if verdict.violations.is_empty() {
            outcome.accepted += 1;
            self.accept(body, index, &verdict, request, ids);
        } else {
            outcome.rejected += 1;
            let refused = Refused::event(body, &self.event, verdict.violations);
            reject(&mut self.rejected, &mut self.results, &refused, index, request, ids);
        }
    }

    #[cold]
    #[inline(never)]
    fn unreadable(&mut self, body: &[u8], at: usize, request: &Request, ids: &mut Ids, outcome: &mut Outcome) {
        outcome.rejected += 1;
        outcome.is_readable = request.is_ndjson && outcome.total > outcome.rejected;
        let refused = Refused::unreadable(body, at);
        reject(&mut self.rejected, &mut self.results, &refused, outcome.total - 1, request, ids);
    }

    fn accept(&mut self, body: &[u8], index: usize, verdict: &Verdict, request: &Request, ids: &mut Ids) {
        let sent_id = self.event.value(Field::Id);
        let minted = if self.event.is_given(Field::Id) { None } else { Some(ids.mint()) };
        write_accepted(&mut self.argument, body, &self.event, index, minted.as_ref(), verdict, &request.context);
        let out = &mut self.results;
        begin_result(out, index);
        match &minted {
            Some(id) => put(out, id),
            None => put(out, &text::content(body, sent_id)),
        }
        put(out, br#"","status":"accepted"}"#);
    }
}

fn reject(
    rows: &mut Vec<u8>,
    results: &mut Vec<u8>,
    refused: &Refused,
    index: usize,
    request: &Request,
    ids: &mut Ids,
) {
    let id = refused.id().unwrap_or_else(|| ids.mint());
    separate(rows);
    put(rows, br#"{"index":"#);
    write_number(rows, index);
    rejection::write_row(rows, refused, &id, &request.context, request.source_system);
    begin_result(results, index);
    put(results, &id);
    put(results, br#"","status":"rejected","#);
    rejection::write_findings(results, refused, "rule_id", "reason");
    results.push(b'}');
}

fn begin_result(out: &mut Vec<u8>, index: usize) {
    separate(out);
    put(out, br#"{"index":"#);
    write_number(out, index);
    put(out, br#","id":""#);
}

/// Writes a comma unless the list has only just begun.
fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'[')) {
        out.push(b',');
    }
}

/// Appends the row of an accepted event: its own bytes, behind what the gate adds.
fn write_accepted(
    out: &mut Vec<u8>,
    body: &[u8],
    event: &Event,
    index: usize,
    minted: Option<&Id>,
    verdict: &Verdict,
    context: &Context,
) {
    separate(out);
    put(out, br#"{"index":"#);
    write_number(out, index);
    write_own(out, event, minted, context);
    write_sent(out, body, event, verdict, context);
}

/// Appends an accepted event as a line of its own.
pub fn write_line(out: &mut Vec<u8>, body: &[u8], event: &Event, verdict: &Verdict, context: &Context) {
    let start = out.len();
    out.push(b'{');
    write_sent(out, body, event, verdict, context);
    out.remove(start + 1);
    out.push(b'\n');
}

/// Appends the members that were sent, each behind a comma, and the closing brace.
#[inline]
fn write_sent(out: &mut Vec<u8>, body: &[u8], event: &Event, verdict: &Verdict, context: &Context) {
    if must_be_rewritten(event) {
        return rewrite(out, body, event, verdict, context);
    }
    out.push(b',');
    put(out, body.get(event.start + 1..event.end).unwrap_or_default());
}

/// What the gate adds of its own: the id that it minted, and the user whose token came with the request.
fn write_own(out: &mut Vec<u8>, event: &Event, minted: Option<&Id>, context: &Context) {
    if let Some(id) = minted {
        put(out, br#","id":""#);
        put(out, id);
        out.push(b'"');
    }
    if let Caller::User(id) = context.caller
        && event.value(Field::UserId).kind == Kind::Absent
    {
        put(out, br#","user_id":"#);
        text::write(out, id.as_bytes());
    }
}

/// Whether the event holds an e-mail address, or a field that says nothing and that the store could not read.
#[inline]
fn must_be_rewritten(event: &Event) -> bool {
    let says_nothing = |field: Field| event.value(field).kind != Kind::Absent && !event.is_given(field);
    event.value(Field::Email).kind != Kind::Absent
        || event.value(Field::Metadata).kind == Kind::Null
        || [Field::Id, Field::OccurredAt, Field::UserId, Field::SiteId].into_iter().any(says_nothing)
}

fn rewrite(out: &mut Vec<u8>, body: &[u8], event: &Event, verdict: &Verdict, context: &Context) {
    for &(field, key) in &KEYS {
        let value = event.value(field);
        let is_column = !field.in_metadata() && !matches!(field, Field::Email | Field::Metadata);
        if is_column && (event.is_given(field) || field == Field::UserId && value.kind != Kind::Absent) {
            put(out, br#",""#);
            put(out, key.as_bytes());
            put(out, br#"":"#);
            if event.is_given(field) {
                put(out, with_quotes(body, value));
            } else {
                put(out, b"null");
            }
        }
    }
    put(out, br#","metadata":"#);
    let metadata = event.value(Field::Metadata).raw(body);
    let metadata = if metadata.first() == Some(&b'{') { metadata } else { b"{}" };
    match verdict.email_hash.filter(|_| !event.is_given(Field::EmailHash)) {
        None => put(out, metadata),
        Some(hash) => {
            let members = metadata.strip_suffix(b"}").unwrap_or(metadata);
            put(out, members);
            let is_empty = members.get(1..).unwrap_or_default().trim_ascii().is_empty();
            put(out, if is_empty { br#""email_hash":""# } else { br#","email_hash":""# });
            put(out, &hash);
            put(out, br#"","email_hash_kind":""#);
            put(out, email::hash_kind(context.pepper).as_bytes());
            put(out, br#""}"#);
        }
    }
    out.push(b'}');
}

fn with_quotes(body: &[u8], value: Value) -> &[u8] {
    match value.kind {
        Kind::Text => body.get(value.start as usize - 1..value.end as usize + 1).unwrap_or_default(),
        _ => value.raw(body),
    }
}

/// Appends the version and fingerprint of the contract.
pub fn write_contract(out: &mut Vec<u8>) {
    put(out, VERSION.as_bytes());
    out.push(b'+');
    put(out, FINGERPRINT.as_bytes());
}

fn write_optional(out: &mut Vec<u8>, value: Option<impl AsRef<str>>) {
    match value {
        Some(value) => text::write(out, value.as_ref().as_bytes()),
        None => put(out, b"null"),
    }
}

/// Appends a number in decimal.
pub fn write_number(out: &mut Vec<u8>, number: usize) {
    if number >= 10 {
        write_number(out, number / 10);
    }
    out.push(b'0' + (number % 10) as u8);
}

/// A UUID as it is written.
pub type Id = [u8; 36];

/// A source of ids of UUID version 7: they begin with the time, so the primary key grows at its end.
#[derive(Debug)]
pub struct Ids {
    millis: u64,
    state: u64,
    step: u64,
}

impl Ids {
    /// Starts from random bytes and the time in milliseconds since 1970.
    pub fn new(seed: [u8; 16], millis: i64) -> Self {
        let seed = u128::from_le_bytes(seed);
        Ids { millis: millis.max(0) as u64, state: seed as u64, step: (seed >> 64) as u64 | 1 }
    }

    /// The next id.
    pub fn mint(&mut self) -> Id {
        let (a, b) = (self.random(), self.random());
        let high = self.millis << 16 | 0x7000 | a >> 52;
        let low = 0x8000_0000_0000_0000 | b >> 2;
        let mut out = [b'-'; 36];
        let mut nibbles = (0..32).map(|index| {
            let word = if index < 16 { high } else { low };
            text::hex_digit((word >> (60 - 4 * (index % 16)) & 15) as u8)
        });
        for (at, slot) in out.iter_mut().enumerate() {
            if !matches!(at, 8 | 13 | 18 | 23) {
                *slot = nibbles.next().unwrap_or(b'0');
            }
        }
        out
    }

    /// SplitMix64, whose increment is seeded too: 127 bits decide the sequence.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(self.step);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}
