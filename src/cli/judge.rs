//! One piece of a file, judged: the lines to write and the counts to add.

use super::input::Piece;
use crate::check::{Context, check};
use crate::event::Field;
use crate::gate::{Ids, write_line, write_number};
use crate::parse::{Broken, Reader};
use crate::reading::Event;
use crate::rejection::{Refused, write_row};
use crate::rules::RULES;
use crate::{text, time};

/// Whom a judgement is told about.
pub const SOURCE_SYSTEM: &str = "command-line";

/// What a piece came to.
#[derive(Debug, Default)]
pub struct Judged {
    /// The accepted events, as lines.
    pub accepted: Vec<u8>,
    /// The audit rows of the rejected ones, as lines.
    pub rejected: Vec<u8>,
    /// The counts.
    pub counts: Counts,
}

/// How many events came to what.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Accepted events.
    pub accepted: u64,
    /// Rejected events.
    pub rejected: u64,
    /// For every rule: how many events violate it first, how many at all, and where the first of them stands.
    pub rules: Vec<(u64, u64, u64)>,
}

impl Default for Counts {
    fn default() -> Self {
        Counts { accepted: 0, rejected: 0, rules: vec![(0, 0, 0); RULES.len()] }
    }
}

impl Counts {
    /// Adds those of a later piece.
    pub fn add(&mut self, later: &Counts) {
        self.accepted += later.accepted;
        self.rejected += later.rejected;
        for (sum, more) in self.rules.iter_mut().zip(&later.rules) {
            *sum = (sum.0 + more.0, sum.1 + more.1, if sum.2 == 0 { more.2 } else { sum.2 });
        }
    }

    fn note(&mut self, refused: &Refused, number: u64) {
        self.rejected += 1;
        let mut left = refused.violations().0;
        let first = left.trailing_zeros();
        while left != 0 {
            let index = left.trailing_zeros();
            left &= left - 1;
            if let Some(rule) = self.rules.get_mut(index as usize) {
                rule.0 += u64::from(index == first);
                rule.1 += 1;
                rule.2 = if rule.2 == 0 { number } else { rule.2 };
            }
        }
    }
}

/// How to judge a file.
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

/// Judges a piece.
pub fn judge(piece: &Piece, order: &Order, ids: &mut Ids, event: &mut Event) -> Judged {
    let mut judged = Judged::default();
    let mut start = 0;
    for &(end, number) in &piece.ends {
        let line = piece.bytes.get(start..end).unwrap_or_default().trim_ascii();
        start = end;
        one(line, number, order, ids, event, &mut judged);
    }
    judged
}

fn one(line: &[u8], number: u64, order: &Order, ids: &mut Ids, event: &mut Event, judged: &mut Judged) {
    let mut reader = Reader::new(line);
    let broken_at = match reader.event(event) {
        Ok(()) if reader.is_done() => None,
        Ok(()) => Some(reader.position()),
        Err(Broken) => Some(reader.position()),
    };
    let mut context = order.context;
    if order.at_occurrence
        && let Some(occurred) = time::parse(&text::content(line, event.value(Field::OccurredAt)))
    {
        context.received_at = occurred;
    }
    let refused = match broken_at {
        Some(at) => Refused::unreadable(line, at),
        None => {
            let verdict = check(line, event, &context);
            if verdict.violations.is_empty() {
                judged.counts.accepted += 1;
                if order.write_accepted {
                    write_line(&mut judged.accepted, line, event, &verdict, &context);
                }
                return;
            }
            Refused::event(line, event, verdict.violations)
        }
    };
    judged.counts.note(&refused, number);
    if order.write_rejected {
        let id = refused.id().unwrap_or_else(|| ids.mint());
        let out = &mut judged.rejected;
        out.extend_from_slice(br#"{"line":"#);
        write_number(out, number as usize);
        write_row(out, &refused, &id, &context, SOURCE_SYSTEM);
        out.push(b'\n');
    }
}
