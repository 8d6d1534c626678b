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
#[derive(Default)]
struct Parts(String);

impl Parts {
    fn text(mut self, value: Option<&str>) -> Self {
        let length = value.map(|value| value.len().to_string()).unwrap_or_default();
        [length.as_str(), ":", value.unwrap_or_default()].iter().for_each(|part| self.0.push_str(part));
        self
    }

    fn number(self, value: Option<i64>) -> Self {
        self.text(value.map(|value| value.to_string()).as_deref())
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
                .fold(Parts::default().text(event.user_id).text(Some(event.session_id)), |parts, utm| parts.text(*utm))
                .time(event.occurred_at)
                .text(Some(event.metadata)),
            Row::Change(change) => Parts::default()
                .text(Some(change.user_id))
                .text(Some(change.changed_by))
                .text(change.notes)
                .text(change.event_id),
            Row::Erasure(erasure) => Parts::default().text(Some(erasure.reason)),
        };
        contents
    }

    /// The rest of it.
    pub fn entry(&self) -> String {
        match self {
            Row::Event(event) => {
                let happened = event.occurred_at.unwrap_or(event.created_at);
                let day = (happened != i64::MAX && happened != i64::MIN).then(|| happened.div_euclid(DAY));
                let Parts(rest) = Parts::default()
                    .text(Some(event.id))
                    .time(Some(event.created_at))
                    .text(Some(event.site_id))
                    .text(Some(if event.rejected { "t" } else { "f" }))
                    .text(Some(event.event_type))
                    .text(Some(event.event_category))
                    .text(Some(event.event_source))
                    .text(event.contract)
                    .number(day);
                format!("event{rest}")
            }
            Row::Change(change) => {
                let Parts(rest) = Parts::default()
                    .number(Some(change.id))
                    .text(change.site_id)
                    .text(change.from_state)
                    .text(Some(change.to_state))
                    .time(Some(change.changed_at))
                    .time(Some(change.effective_at))
                    .text(Some(change.rule_id));
                format!("change{rest}")
            }
            Row::Erasure(erasure) => {
                let Parts(rest) = Parts::default()
                    .text(Some(erasure.id))
                    .time(Some(erasure.erased_at))
                    .text(Some(erasure.subject_kind))
                    .text(Some(erasure.keep))
                    .text(Some(erasure.erased_by))
                    .text(Some(erasure.rows));
                format!("erasure{rest}")
            }
        }
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
    let Parts(row) = Parts::default().text(event).number(change).text(Some(&hex(commitment)));
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
