//! What is hashed of a row, as Postgres writes it (`20261101006510_seal_forms.sql`).

use super::tree::Hash;
use crate::rows::hex;
use sha2::{Digest, Sha256};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// A row as the tree knows it.
pub enum Row<'a> {
    /// An event.
    Event(Event<'a>),
    /// A change of state.
    Change(Change<'a>),
    /// An erasure.
    Erasure(Erasure<'a>),
}

/// A row of `public.audience_events`.
#[allow(missing_docs, reason = "the columns of the table")]
pub struct Event<'a> {
    pub id: &'a str,
    pub created_at: i64,
    pub user_id: Option<&'a str>,
    pub session_id: &'a str,
    pub event_type: &'a str,
    pub event_category: &'a str,
    pub event_source: &'a str,
    /// Source, medium, campaign, content and term.
    pub utm: [Option<&'a str>; 5],
    pub metadata: &'a str,
    pub site_id: &'a str,
    pub occurred_at: Option<i64>,
    pub rejected: bool,
    pub contract: Option<&'a str>,
}

/// A row of `public.audience_state_events`.
#[allow(missing_docs, reason = "the columns of the table")]
pub struct Change<'a> {
    pub id: i64,
    pub site_id: Option<&'a str>,
    pub user_id: &'a str,
    pub from_state: Option<&'a str>,
    pub to_state: &'a str,
    pub changed_by: &'a str,
    pub changed_at: i64,
    pub effective_at: i64,
    pub rule_id: &'a str,
    pub notes: Option<&'a str>,
    pub event_id: Option<&'a str>,
}

/// A row of `audience_gate.erasures`, with what it changed.
#[allow(missing_docs, reason = "the columns of the table")]
pub struct Erasure<'a> {
    pub id: &'a str,
    pub erased_at: i64,
    pub subject_kind: &'a str,
    pub keep: &'a str,
    pub reason: &'a str,
    pub erased_by: &'a str,
    /// The digest of the rows that it changed.
    pub rows: &'a str,
}

/// Values as they are written for hashing: each text after its length.
struct Parts(String);

impl Parts {
    /// What stands before the values.
    fn of(kind: &str) -> Self {
        let mut written = String::with_capacity(256);
        written.push_str(kind);
        Parts(written)
    }

    fn text(mut self, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.digits(value.len() as u64);
        }
        self.0.push(':');
        self.0.push_str(value.unwrap_or_default());
        self
    }

    fn number(mut self, value: Option<i64>) -> Self {
        let Some(value) = value else { return self.text(None) };
        let size = value.unsigned_abs();
        self.digits(u64::from(value < 0) + size.checked_ilog10().map_or(1, |log| u64::from(log) + 1));
        self.0.push_str(if value < 0 { ":-" } else { ":" });
        self.digits(size);
        self
    }

    /// The digits of a number. Every value has some, and formatting them would take longer than hashing.
    fn digits(&mut self, mut number: u64) {
        let (mut written, mut first) = ([0; 20], 20);
        for digit in written.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            first -= 1;
            if number == 0 {
                break;
            }
        }
        self.0.extend(written.iter().skip(first).map(|digit| char::from(*digit)));
    }

    /// A time, of which Postgres has two that are no number.
    fn time(self, micros: Option<i64>) -> Self {
        match micros {
            Some(i64::MAX) => self.text(Some("infinity")),
            Some(i64::MIN) => self.text(Some("-infinity")),
            micros => self.number(micros),
        }
    }
}

impl Row<'_> {
    /// What can tell a person in it.
    pub fn contents(&self) -> String {
        let Parts(contents) = match self {
            Row::Event(event) => event
                .utm
                .iter()
                .fold(Parts::of("").text(event.user_id).text(Some(event.session_id)), |parts, utm| parts.text(*utm))
                .time(event.occurred_at)
                .text(Some(event.metadata)),
            Row::Change(change) => Parts::of("")
                .text(Some(change.user_id))
                .text(Some(change.changed_by))
                .text(change.notes)
                .text(change.event_id),
            Row::Erasure(erasure) => Parts::of("").text(Some(erasure.reason)),
        };
        contents
    }

    /// The rest of it.
    pub fn entry(&self) -> String {
        let Parts(entry) = match self {
            Row::Event(event) => {
                let happened = event.occurred_at.unwrap_or(event.created_at);
                let day = (happened != i64::MAX && happened != i64::MIN).then(|| happened.div_euclid(DAY));
                Parts::of("event")
                    .text(Some(event.id))
                    .time(Some(event.created_at))
                    .text(Some(event.site_id))
                    .text(Some(if event.rejected { "t" } else { "f" }))
                    .text(Some(event.event_type))
                    .text(Some(event.event_category))
                    .text(Some(event.event_source))
                    .text(event.contract)
                    .number(day)
            }
            Row::Change(change) => Parts::of("change")
                .number(Some(change.id))
                .text(change.site_id)
                .text(change.from_state)
                .text(Some(change.to_state))
                .time(Some(change.changed_at))
                .time(Some(change.effective_at))
                .text(Some(change.rule_id)),
            Row::Erasure(erasure) => Parts::of("erasure")
                .text(Some(erasure.id))
                .time(Some(erasure.erased_at))
                .text(Some(erasure.subject_kind))
                .text(Some(erasure.keep))
                .text(Some(erasure.erased_by))
                .text(Some(erasure.rows)),
        };
        entry
    }
}

/// The values of an entry of this kind, in the order in which they were written; `None` if it is another's.
pub fn values<'a>(entry: &'a str, kind: &str) -> Option<Vec<&'a str>> {
    let (mut rest, mut values) = (entry.strip_prefix(kind)?, Vec::new());
    while !rest.is_empty() {
        let (length, after) = rest.split_once(':')?;
        let (value, after) = after.split_at_checked(if length.is_empty() { 0 } else { length.parse().ok()? })?;
        values.push(value);
        rest = after;
    }
    Some(values)
}

/// A row that an erasure changed, as its digest holds it.
pub fn erased_row(event: Option<&str>, change: Option<i64>, commitment: &[u8]) -> String {
    let Parts(row) = Parts::of("").text(event).number(change).text(Some(&hex(commitment)));
    row
}

/// The commitment to what can tell a person in a row.
pub fn commitment(salt: &[u8], contents: &str) -> Hash {
    Sha256::new().chain_update(salt).chain_update(contents).finalize().into()
}

/// The hash of a row as a leaf.
pub fn leaf(entry: &str, commitment: &Hash) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).chain_update(commitment).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[test]
    fn numbers_are_written_as_any_other_text() {
        for number in [0, 1, 9, 10, 99, 100, -1, -10, 946_684_800_000_000, i64::MAX, i64::MIN] {
            let Parts(written) = Parts::of("").number(Some(number));
            let Parts(as_text) = Parts::of("").text(Some(&number.to_string()));
            assert_eq!(written, as_text);
        }
        assert_eq!(Parts::of("event").number(None).text(Some("")).text(None).0, "event:0::");
    }
}
