//! Judges the events of a file: the lines to write and the counts to add.

use super::arrow::{Fate, Rows};
use super::counts::{Counts, Location, Violation};
use super::input::MOST_EVENT;
use audience_gate::contract::vocabulary::Field;

use audience_gate::gate::rejected::{Rejected, write_end, write_row};
use audience_gate::gate::{Accepted, Context, Verdict, judge};
use audience_gate::parse::{Parser, Reader};

use audience_gate::parse::{space, string};
use audience_gate::{time, write};
use std::io;

/// The source system that audit rows name.
const SOURCE_SYSTEM: &str = "command-line";

/// What stands before the members of an audit row, so that it is an object.
const ROW_START: &[u8] = br#"{"index":0"#;

/// What came of judging events.
#[derive(Debug, Default)]
pub struct Judged {
    /// The accepted events, as lines.
    pub accepted: Vec<u8>,
    /// The audit rows of the rejected ones, as lines.
    pub rejected: Vec<u8>,
    /// Both as batches of an Arrow stream.
    pub rows: Vec<u8>,
    /// The error that kept the batches from being written, if there was one.
    pub trouble: Option<io::Error>,
    /// The counts.
    pub counts: Counts,
}

impl Judged {
    /// Clears everything but keeps the memory.
    pub fn clear(&mut self) {
        self.accepted.clear();
        self.rejected.clear();
        self.rows.clear();
        self.trouble = None;
        self.counts = Counts::default();
    }

    /// Whether it should be written before more is added.
    pub fn is_full(&self) -> bool {
        self.accepted.len() + self.rejected.len() + self.rows.len() > 4 << 20
    }
}

/// How to judge files.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// What events are judged against.
    pub context: Context<'a>,
    /// Judge each event as if it had been received when it occurred, as history must be.
    pub at_occurrence: bool,
    /// Whether the lines are wanted, or only the counts.
    pub write_accepted: bool,
    /// Whether the audit rows are wanted.
    pub write_rejected: bool,
    /// Whether both are wanted as rows of an Arrow stream.
    pub write_rows: bool,
    /// How many workers judge a file; `None` means as many as keep all cores busy.
    pub threads: Option<usize>,
}

/// The file that events are from.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Which of the files, counted from 0.
    pub index: usize,
    /// Its name, as it was given.
    pub name: &'a str,
}

/// Judges events, with buffers that are reused from event to event.
pub struct Judge<'a> {
    order: &'a Order<'a>,
    file: File<'a>,
    parser: Parser,
    rows: Option<Rows>,
    line: Vec<u8>,
    row_end: Vec<u8>,
}

impl<'a> Judge<'a> {
    pub fn new(order: &'a Order<'a>, file: File<'a>) -> Self {
        let rows = order.write_rows.then(Rows::default);
        let mut row_end = Vec::new();
        write_end(&mut row_end, SOURCE_SYSTEM);
        Judge { order, file, parser: Parser::default(), rows, line: Vec::new(), row_end }
    }

    /// Judges the event with that number.
    pub fn one(&mut self, event: &[u8], number: u64, judged: &mut Judged) {
        let line = space::trim(event);
        let fault_at = self.read(line);
        let mut context = self.order.context;
        let is_asked = self.order.at_occurrence || self.order.write_rows;
        let occurred_at =
            is_asked.then(|| time::parse(&string::content(line, self.parser.event.value(Field::OccurredAt))));
        let occurred_at = occurred_at.flatten();
        if let (true, Some(occurred)) = (self.order.at_occurrence, occurred_at) {
            context.received_at = occurred;
        }
        let rejected = match fault_at {
            Some(at) => Rejected::unreadable(line, at),
            None => {
                let Verdict { violations, email_hash } = judge(line, &self.parser.event, &context);
                if violations.is_empty() {
                    let accepted = Accepted { text: line, event: &self.parser.event, email_hash: email_hash.as_ref() };
                    judged.counts.accepted += 1;
                    if self.order.write_accepted {
                        accepted.write_line(&mut judged.accepted, &context);
                    }
                    if let Some(rows) = &mut self.rows {
                        self.line.clear();
                        accepted.write_line(&mut self.line, &context);
                        rows.add(&self.line, &Fate { id: None, occurred_at, number, violations: &[] });
                        if rows.is_full() {
                            self.end_batch(judged);
                        }
                    }
                    return;
                }
                Rejected::event(line, &self.parser.event, violations)
            }
        };
        let at = Location { file: self.file.index, number };
        judged.counts.note(rejected.violations(), context.registry, at);
        if !(self.order.write_rejected || self.rows.is_some() || judged.counts.shows_more()) {
            return;
        }
        self.line.clear();
        self.line.extend_from_slice(ROW_START);
        let findings = write_row(&mut self.line, &rejected, &context, &self.row_end);
        let sent = rejected.id();
        let read = || Violation::read(self.line.get(findings.clone()).unwrap_or_default());
        if judged.counts.shows_more() {
            judged.counts.shown.push((at, read()));
        }
        if self.order.write_rejected {
            let out = &mut judged.rejected;
            out.extend_from_slice(br#"{"file":"#);
            write::text(out, self.file.name.as_bytes());
            out.extend_from_slice(br#","line":"#);
            write::number(out, number as usize);
            out.extend_from_slice(self.line.get(ROW_START.len()..).unwrap_or_default());
            out.push(b'\n');
        }
        if let Some(rows) = &mut self.rows {
            rows.add(&self.line, &Fate { id: sent.as_ref(), occurred_at, number, violations: &read() });
            if rows.is_full() {
                self.end_batch(judged);
            }
        }
    }

    /// Makes a batch of the rows that are in no batch yet.
    pub fn end_batch(&mut self, judged: &mut Judged) {
        if let Some(Err(error)) = self.rows.as_mut().map(|rows| rows.write(&mut judged.rows)) {
            judged.trouble = Some(io::Error::other(error));
        }
    }

    /// Reads a line, and returns the byte where it stops being JSON, if it does. A line that is too long was cut short.
    fn read(&mut self, line: &[u8]) -> Option<usize> {
        if line.len() > MOST_EVENT {
            self.parser.clear();
            return Some(MOST_EVENT);
        }
        let mut reader = Reader::new(line);
        let is_json = reader.event(&mut self.parser).is_ok() && reader.is_done();
        (!is_json).then(|| reader.position())
    }
}
