//! Events of history: each judged as if it had been received when it was recorded, and made ready to be stored.

use super::audit;
use super::input::{Form, Input, MOST_EVENT, Piece};
use super::month::moment;
use super::parquet_in;
use super::restore::write_text;
use super::rows::{COLUMNS, CONTRACT, CREATED_AT, Kind, REJECTED, Rows, Values};
use audience_gate::contract::vocabulary::{Field, Kind as ValueKind};

use audience_gate::gate::{Accepted, Context, Verdict, Violations, judge};
use audience_gate::parse::{Event, Parser, Reader, space, string};
use audience_gate::{Registry, ids, time, write};
use indicatif::ProgressBar;
use parquet::data_type::ByteArray;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// The columns without which a Parquet file has no events.
const REQUIRED: [&str; 4] = ["session_id", "event_type", "event_category", "event_source"];
/// The type of the gate's own records of rejections.
const AUDIT: &[u8] = b"event_validation_fail";

/// Why an event is not let in.
pub enum Refusal {
    /// It violates these rules.
    Rules(String),
    /// It is wrongly marked as a rejection, cannot be read, or has no time of its own.
    Because(&'static str),
}

impl Refusal {
    /// The refusal in words.
    pub fn reason(&self) -> String {
        match self {
            Refusal::Because(reason) => (*reason).to_owned(),
            Refusal::Rules(rules) => rules.clone(),
        }
    }
}

/// The ids of violated rules.
fn listed(violations: Violations, registry: &Registry) -> String {
    let own = violations.own_rules(registry).map(|rule| String::from_utf8_lossy(&rule.id));
    violations.rules().map(|rule| rule.id.into()).chain(own).collect::<Vec<_>>().join(", ")
}

/// Receives the number of an event, with its line or the reason why it is refused.
pub type Take<'a> = dyn FnMut(u64, Result<&[u8], Refusal>) -> Result<(), String> + 'a;

/// Judges history.
pub struct Historian<'a> {
    context: Context<'a>,
    /// When those events were recorded that do not say so themselves.
    default_time: Option<i64>,
    /// How many records of rejections of the file were brought up to the contract.
    pub renewed: u64,
    parser: Parser,
    rebuilt: Vec<u8>,
    line: Vec<u8>,
}

impl<'a> Historian<'a> {
    /// A historian who judges by a context whose time is now.
    pub fn new(context: Context<'a>, default_time: Option<i64>) -> Self {
        let (parser, rebuilt, line) = Default::default();
        Historian { context, default_time, renewed: 0, parser, rebuilt, line }
    }

    /// Judges the events of a file in order. Hands on the number of each, with the line to copy into the database after
    /// the load's id, or with the reason why it is refused.
    pub fn read(&mut self, path: &Path, take: &mut Take) -> Result<(), String> {
        self.renewed = 0;
        let cannot = |reason: String| format!("cannot read {}: {reason}", path.display());
        if is_parquet(path) {
            let mut input = parquet_in::Input::open(path, &REQUIRED).map_err(cannot)?;
            let (mut rows, mut json, mut number) = (Rows::default(), Vec::new(), 0);
            while input.next(&mut rows).map_err(cannot)? {
                for row in 0..rows.len() {
                    number += 1;
                    json.clear();
                    write_json(&mut json, &rows, row);
                    let is_audit = matches!(
                        rows.columns.get(REJECTED), Some(Values::Flag(flags)) if flags.get(row) == Some(&Some(true))
                    );
                    let recorded = rows.times(CREATED_AT).get(row).copied().flatten();
                    let ready = self.judge(&json, number, recorded, is_audit);
                    take(number, ready)?;
                }
            }
            return Ok(());
        }
        let mut input =
            Input::open(path, Form::Auto, &ProgressBar::hidden()).map_err(|error| cannot(error.to_string()))?;
        let mut piece = Piece::default();
        while input.next(&mut piece).map_err(|error| cannot(error.to_string()))? {
            piece.split();
            let mut start = 0;
            for &(end, number) in &piece.ends {
                let line = space::trim(piece.bytes.get(start..end).unwrap_or_default());
                start = end;
                let ready = self.line(line, number);
                take(number, ready)?;
            }
        }
        Ok(())
    }

    /// Judges a line of JSON, which may also say when it was recorded and whether it records a rejection.
    fn line(&mut self, line: &[u8], number: u64) -> Result<&[u8], Refusal> {
        let names_columns = [&b"\"created_at\""[..], b"\"rejected\"", b"\"contract\""]
            .iter()
            .any(|key| memchr::memmem::find(line, key).is_some());
        if !names_columns || line.len() > MOST_EVENT {
            return self.judge(line, number, None, false);
        }
        // Something that is not an event is refused as such, not for the members that are taken out below.
        let mut reader = Reader::new(line);
        let is_whole = reader.event(&mut self.parser).is_ok() && reader.is_done();
        let Some(mut members) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(line)
            .ok()
            .filter(|_| is_whole && self.parser.event.faults().is_empty())
        else {
            return self.judge(line, number, None, false);
        };
        let recorded = match members.remove("created_at").map(RawValue::get) {
            None | Some("null") => None,
            Some(quoted) => {
                let time = time::parse(quoted.trim_matches('"').as_bytes());
                Some(time.ok_or(Refusal::Because("its created_at is not an RFC 3339 time"))?)
            }
        };
        // The history is judged anew, whoever judged it before.
        members.remove("contract");
        let is_audit = match members.remove("rejected").map(RawValue::get) {
            None | Some("null" | "false") => false,
            Some("true") => true,
            Some(_) => return Err(Refusal::Because("its `rejected` is neither true nor false")),
        };
        let mut rebuilt = std::mem::take(&mut self.rebuilt);
        rebuilt.clear();
        for (index, (key, value)) in members.iter().enumerate() {
            rebuilt.push(if index == 0 { b'{' } else { b',' });
            write::text(&mut rebuilt, key.as_bytes());
            rebuilt.push(b':');
            rebuilt.extend_from_slice(value.get().as_bytes());
        }
        rebuilt.extend_from_slice(if members.is_empty() { b"{}" } else { b"}" });
        let judged = self.judge(&rebuilt, number, recorded, is_audit).map(|_| ());
        self.rebuilt = rebuilt;
        judged.map(|()| self.line.as_slice())
    }

    /// Judges an event as of when it was recorded or, where that is unknown, when it occurred. A record of a rejection that
    /// an older contract let be is brought up to this one first.
    fn judge(&mut self, json: &[u8], number: u64, recorded: Option<i64>, is_audit: bool) -> Result<&[u8], Refusal> {
        let done = self.prepare(json, number, recorded, is_audit);
        if is_audit && (matches!(done, Err(Refusal::Rules(_))) || audit::is_outdated(json)) {
            self.prepare(&audit::renewed(json, self.context.registry), number, recorded, is_audit)?;
            self.renewed += 1;
        } else {
            done?;
        }
        Ok(&self.line)
    }

    /// Makes the line of an event, unless it is refused.
    fn prepare(&mut self, json: &[u8], number: u64, recorded: Option<i64>, is_audit: bool) -> Result<(), Refusal> {
        let now = self.context.received_at;
        let mut reader = Reader::new(json);
        if json.len() > MOST_EVENT || reader.event(&mut self.parser).is_err() || !reader.is_done() {
            return Err(Refusal::Because("parse.json"));
        }
        let field = |event: &Event, field: Field| string::content(json, event.value(field)).into_owned();
        let occurred = time::parse(&field(&self.parser.event, Field::OccurredAt));
        let recorded = recorded.or(occurred).or(self.default_time);
        let context = Context { received_at: recorded.unwrap_or(now), ..self.context };
        let Verdict { violations, email_hash } = judge(json, &self.parser.event, &context);
        if !violations.is_empty() {
            return Err(Refusal::Rules(listed(violations, self.context.registry)));
        }
        let recorded = recorded.ok_or(Refusal::Because(
            "it has neither created_at nor occurred_at; --at TIME says when such events were recorded",
        ))?;
        if recorded > now {
            return Err(Refusal::Because("it was recorded in the future"));
        }
        if is_audit != (field(&self.parser.event, Field::EventType) == AUDIT) {
            return Err(Refusal::Because("only the gate's records of rejections are `rejected`, and all of them are"));
        }
        let id = match self.parser.event.value(Field::Id).kind() {
            ValueKind::Text => String::from_utf8_lossy(&field(&self.parser.event, Field::Id)).into_owned(),
            _ => derived_id(json, number),
        };
        let mut accepted = Vec::new();
        let event = Accepted { text: json, event: &self.parser.event, email_hash: email_hash.as_ref() };
        event.write_line(&mut accepted, &context);
        let flag = if is_audit { 't' } else { 'f' };
        self.line.clear();
        self.line.extend_from_slice(format!("{number}\t{id}\t{}\t{flag}\t", moment(recorded)).as_bytes());
        write_text(&mut self.line, space::trim(&accepted));
        self.line.push(b'\n');
        Ok(())
    }
}

/// Whether a file is Parquet, by its name.
pub fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

/// An id for an event without one, derived from what it says and where, so that it is the same whenever the file is
/// read.
fn derived_id(json: &[u8], number: u64) -> String {
    let mut digest = Sha256::new();
    digest.update(format!("audience-gate load {number}\n"));
    digest.update(json);
    let digest = digest.finalize();
    let mut bits = digest.iter().take(16).fold(0u128, |bits, &byte| bits << 8 | u128::from(byte));
    // UUID version 8: what its bits mean is up to whoever made it.
    bits = bits & !(0xf << 76) | 0x8 << 76;
    bits = bits & !(0x3 << 62) | 0x2 << 62;
    String::from_utf8_lossy(&ids::written((bits >> 64) as u64, bits as u64)).into_owned()
}

/// Writes a row as the event that was sent.
fn write_json(out: &mut Vec<u8>, rows: &Rows, row: usize) {
    for (index, (column, values)) in COLUMNS.iter().zip(&rows.columns).enumerate() {
        let key = |out: &mut Vec<u8>| {
            out.push(if out.is_empty() { b'{' } else { b',' });
            write::text(out, column.name.as_bytes());
            out.push(b':');
        };
        match values {
            Values::Text(texts) if index != CONTRACT => {
                let Some(text) = texts.get(row).and_then(Option::as_ref).map(ByteArray::data) else {
                    continue;
                };
                key(out);
                if column.kind == Kind::Json {
                    out.extend_from_slice(text);
                } else {
                    write::text(out, text);
                }
            }
            Values::Number(times) if index != CREATED_AT => {
                if let Some(micros) = times.get(row).copied().flatten() {
                    key(out);
                    write::text(out, moment(micros).as_bytes());
                }
            }
            _ => {}
        }
    }
    out.extend_from_slice(if out.is_empty() { b"{}" } else { b"}" });
}
