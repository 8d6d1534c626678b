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
    /// A number.
    Number,
    /// Bytes, such as a hash.
    Bytes,
}

/// A column of a table: of `public.audience_events`, or of the seals of an archive.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// Its name, in the table and in files.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether every row has it.
    pub is_required: bool,
}

/// Lists a column.
pub const fn listed(name: &'static str, kind: Kind, is_required: bool) -> Listed {
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
    /// Ids, texts, JSON and bytes.
    Text(Vec<Option<ByteArray>>),
    /// Times and numbers.
    Number(Vec<Option<i64>>),
    /// Flags.
    Flag(Vec<Option<bool>>),
}

/// Some rows, column by column.
#[derive(Debug)]
pub struct Rows {
    /// The values, in the order of the columns.
    pub columns: Vec<Values>,
    /// About how many bytes they take.
    pub bytes: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Rows::of(&COLUMNS)
    }
}

impl Rows {
    /// No rows of a table with these columns.
    pub fn of(columns: &[Listed]) -> Self {
        let columns = columns.iter().map(|column| match column.kind {
            Kind::Id | Kind::Text | Kind::Json | Kind::Bytes => Values::Text(Vec::new()),
            Kind::Time | Kind::Number => Values::Number(Vec::new()),
            Kind::Flag => Values::Flag(Vec::new()),
        });
        Rows { columns: columns.collect(), bytes: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self.columns.first() {
            Some(Values::Text(values)) => values.len(),
            Some(Values::Number(values)) => values.len(),
            Some(Values::Flag(values)) => values.len(),
            None => 0,
        }
    }

    /// A text, an id, JSON or bytes; `None` if the row has none there.
    pub fn text(&self, column: usize, row: usize) -> Option<&[u8]> {
        match self.columns.get(column) {
            Some(Values::Text(texts)) => texts.get(row)?.as_ref().map(ByteArray::data),
            _ => None,
        }
    }

    /// A number or a time; `None` if the row has none there.
    pub fn number(&self, column: usize, row: usize) -> Option<i64> {
        match self.columns.get(column) {
            Some(Values::Number(numbers)) => *numbers.get(row)?,
            _ => None,
        }
    }

    /// Adds a row of others.
    pub fn push(&mut self, from: &Rows, row: usize) {
        for (values, source) in self.columns.iter_mut().zip(&from.columns) {
            match (values, source) {
                (Values::Text(values), Values::Text(source)) => {
                    let text = source.get(row).cloned().flatten();
                    self.bytes += text.as_ref().map_or(0, ByteArray::len) + size_of::<Option<ByteArray>>();
                    values.push(text);
                }
                (Values::Number(values), Values::Number(source)) => values.push(source.get(row).copied().flatten()),
                (Values::Flag(values), Values::Flag(source)) => values.push(source.get(row).copied().flatten()),
                _ => {}
            }
        }
    }

    /// Whether a row is the same as one of others.
    pub fn is_same(&self, row: usize, others: &Rows, place: usize) -> bool {
        self.columns.iter().zip(&others.columns).all(|columns| match columns {
            (Values::Text(values), Values::Text(others)) => values.get(row) == others.get(place),
            (Values::Number(values), Values::Number(others)) => values.get(row) == others.get(place),
            (Values::Flag(values), Values::Flag(others)) => values.get(row) == others.get(place),
            _ => false,
        })
    }

    /// Whether a flag is set.
    pub fn flag(&self, column: usize, row: usize) -> bool {
        matches!(self.columns.get(column), Some(Values::Flag(flags)) if flags.get(row) == Some(&Some(true)))
    }

    /// Clears the rows but keeps the memory.
    pub fn clear(&mut self) {
        for values in &mut self.columns {
            match values {
                Values::Text(values) => values.clear(),
                Values::Number(values) => values.clear(),
                Values::Flag(values) => values.clear(),
            }
        }
        self.bytes = 0;
    }

    /// The times of a column that holds times.
    pub fn times(&self, column: usize) -> &[Option<i64>] {
        match self.columns.get(column) {
            Some(Values::Number(times)) => times,
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
            Values::Number(times) => {
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
