//! Rows of the event log outside the database: their columns, and the hash of what they hold.

use parquet::data_type::ByteArray;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A UUID, as text.
    Id,
    /// Text.
    Text,
    /// JSON, as text.
    Json,
    /// Microseconds since 1970.
    Time,
    /// True or false.
    Flag,
}

/// A column of `public.audience_events`.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// Its name, in the table and in files.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether every row has it.
    pub is_required: bool,
}

const fn listed(name: &'static str, kind: Kind, is_required: bool) -> Listed {
    Listed { name, kind, is_required }
}

/// The columns, in the table's order.
pub const COLUMNS: [Listed; 17] = [
    listed("id", Kind::Id, true),
    listed("created_at", Kind::Time, true),
    listed("user_id", Kind::Id, false),
    listed("session_id", Kind::Text, true),
    listed("event_type", Kind::Text, true),
    listed("event_category", Kind::Text, true),
    listed("event_source", Kind::Text, true),
    listed("utm_source", Kind::Text, false),
    listed("utm_medium", Kind::Text, false),
    listed("utm_campaign", Kind::Text, false),
    listed("utm_content", Kind::Text, false),
    listed("utm_term", Kind::Text, false),
    listed("metadata", Kind::Json, true),
    listed("site_id", Kind::Id, true),
    listed("occurred_at", Kind::Time, false),
    listed("rejected", Kind::Flag, true),
    listed("contract", Kind::Text, false),
];

/// The index of `created_at`.
pub const CREATED_AT: usize = 1;
/// The index of `rejected`.
pub const REJECTED: usize = 15;
/// The index of `contract`.
pub const CONTRACT: usize = 16;

/// The contract of the first release, whose archives have no column for it. Rows that it judged are hashed as they were
/// then, so that those archives still prove what they proved.
pub const FIRST_CONTRACT: &str = "41d8b79ac76c9fef";

/// The values of a column, one for each row.
#[derive(Debug)]
pub enum Values {
    /// Ids, texts and JSON.
    Text(Vec<Option<ByteArray>>),
    /// Times.
    Time(Vec<Option<i64>>),
    /// Flags.
    Flag(Vec<Option<bool>>),
}

/// Some rows, column by column.
#[derive(Debug)]
pub struct Rows {
    /// The values, in the order of [`COLUMNS`].
    pub columns: Vec<Values>,
    /// About how many bytes they take.
    pub bytes: usize,
}

impl Default for Rows {
    fn default() -> Self {
        let columns = COLUMNS.iter().map(|column| match column.kind {
            Kind::Id | Kind::Text | Kind::Json => Values::Text(Vec::new()),
            Kind::Time => Values::Time(Vec::new()),
            Kind::Flag => Values::Flag(Vec::new()),
        });
        Rows { columns: columns.collect(), bytes: 0 }
    }
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.times(CREATED_AT).len()
    }

    /// Clears the rows but keeps the memory.
    pub fn clear(&mut self) {
        for values in &mut self.columns {
            match values {
                Values::Text(values) => values.clear(),
                Values::Time(values) => values.clear(),
                Values::Flag(values) => values.clear(),
            }
        }
        self.bytes = 0;
    }

    /// The times of a column that holds times.
    pub fn times(&self, column: usize) -> &[Option<i64>] {
        match self.columns.get(column) {
            Some(Values::Time(times)) => times,
            _ => &[],
        }
    }
}

/// A hash of what rows hold, computed as the database computes it (`audience_gate.hash_events`). The order of the rows
/// makes no difference: the same rows always have the same hash, and different rows a different one.
#[derive(Debug, Default)]
pub struct ContentHash {
    /// How many rows it covers.
    pub rows: u64,
    sums: [i128; 2],
    written: Vec<u8>,
}

impl ContentHash {
    /// Adds rows.
    pub fn add(&mut self, rows: &Rows) {
        for row in 0..rows.len() {
            self.written.clear();
            write_row(&mut self.written, rows, row);
            let digest = Sha256::digest(&self.written);
            for (sum, lane) in self.sums.iter_mut().zip(digest.as_chunks::<8>().0) {
                *sum += i128::from(i64::from_be_bytes(*lane));
            }
        }
        self.rows += rows.len() as u64;
    }

    /// The hash as hex.
    pub fn value(&self) -> String {
        let [first, second] = self.sums;
        hex(&Sha256::digest(format!("{}:{first}:{second}", self.rows)))
    }
}

/// A row as it is hashed. Each text follows its length, so that no two rows are written alike; metadata is last.
fn write_row(out: &mut Vec<u8>, rows: &Rows, row: usize) {
    let mut metadata: &[u8] = b"";
    for (index, (column, values)) in COLUMNS.iter().zip(&rows.columns).enumerate() {
        match values {
            Values::Text(texts) if index == CONTRACT => {
                let contract = texts.get(row).and_then(Option::as_ref).map_or(&b"-"[..], ByteArray::data);
                if contract == FIRST_CONTRACT.as_bytes() {
                    continue;
                }
                out.extend_from_slice(contract);
            }
            Values::Text(texts) => {
                let text = texts.get(row).and_then(Option::as_ref).map(ByteArray::data);
                match column.kind {
                    Kind::Json => {
                        metadata = text.unwrap_or_default();
                        continue;
                    }
                    Kind::Text => {
                        if let Some(text) = text {
                            out.extend_from_slice(text.len().to_string().as_bytes());
                        }
                        out.push(b':');
                    }
                    _ => {}
                }
                out.extend_from_slice(text.unwrap_or_default());
            }
            Values::Time(times) => {
                if let Some(Some(micros)) = times.get(row) {
                    out.extend_from_slice(micros.to_string().as_bytes());
                }
            }
            Values::Flag(flags) => match flags.get(row) {
                Some(Some(true)) => out.push(b't'),
                Some(Some(false)) => out.push(b'f'),
                _ => {}
            },
        }
        out.push(b',');
    }
    out.extend_from_slice(metadata);
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").ok();
        out
    })
}
