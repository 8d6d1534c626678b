//! Events of a file, judged: the lines to write and the counts to add.

use super::counts::{Counts, Place};
use super::input::MOST_EVENT;
use crate::accepted::write_line;
use crate::check::{Context, check};
use crate::event::Field;
use crate::ids::Ids;
use crate::parse::Reader;
use crate::reading::Event;
use crate::rejection::{Refused, write_row};
use crate::text::write_number;
use crate::{text, time};

/// Whom a judgement is told about.
pub const SOURCE_SYSTEM: &str = "command-line";

/// What events came to.
#[derive(Debug, Default)]
pub struct Judged {
    /// The accepted events, as lines.
    pub accepted: Vec<u8>,
    /// The audit rows of the rejected ones, as lines.
    pub rejected: Vec<u8>,
    /// The counts.
    pub counts: Counts,
}

impl Judged {
    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.accepted.clear();
        self.rejected.clear();
        self.counts = Counts::default();
    }

    /// Whether it should be written before more is added.
    pub fn is_full(&self) -> bool {
        self.accepted.len() + self.rejected.len() > 4 << 20
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
}

/// The file that events are from.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Which of the files, counted from 0.
    pub index: usize,
    /// As it was named.
    pub name: &'a str,
}

/// One who judges, with the buffers that are used again from event to event.
pub struct Judge<'a> {
    order: &'a Order<'a>,
    file: File<'a>,
    ids: Ids,
    event: Event,
}

impl<'a> Judge<'a> {
    pub fn new(order: &'a Order<'a>, file: File<'a>, seed: [u8; 16]) -> Self {
        Judge { order, file, ids: Ids::new(seed, order.context.received_at / 1000), event: Event::default() }
    }

    /// Judges the event with that number.
    pub fn one(&mut self, event: &[u8], number: u64, judged: &mut Judged) {
        let line = event.trim_ascii();
        let broken_at = self.read(line);
        let mut context = self.order.context;
        if self.order.at_occurrence
            && let Some(occurred) = time::parse(&text::content(line, self.event.value(Field::OccurredAt)))
        {
            context.received_at = occurred;
        }
        let refused = match broken_at {
            Some(at) => Refused::unreadable(line, at),
            None => {
                let verdict = check(line, &self.event, &context);
                if verdict.violations.is_empty() {
                    judged.counts.accepted += 1;
                    if self.order.write_accepted {
                        write_line(&mut judged.accepted, line, &self.event, &verdict, &context);
                    }
                    return;
                }
                Refused::event(line, &self.event, verdict.violations)
            }
        };
        judged.counts.note(refused.violations(), Place { file: self.file.index, number });
        if self.order.write_rejected {
            let id = refused.id().unwrap_or_else(|| self.ids.mint());
            let out = &mut judged.rejected;
            out.extend_from_slice(br#"{"file":"#);
            text::write(out, self.file.name.as_bytes());
            out.extend_from_slice(br#","line":"#);
            write_number(out, number as usize);
            write_row(out, &refused, &id, &context, SOURCE_SYSTEM);
            out.push(b'\n');
        }
    }

    /// Reads a line; the byte from which it is no JSON, if there is one. One that is too long was not kept to its end.
    fn read(&mut self, line: &[u8]) -> Option<usize> {
        if line.len() > MOST_EVENT {
            self.event.clear();
            return Some(MOST_EVENT);
        }
        let mut reader = Reader::new(line);
        let is_json = reader.event(&mut self.event).is_ok() && reader.is_done();
        (!is_json).then(|| reader.position())
    }
}
