//! A month of the event log, streamed from the database into Parquet files.

use super::connection;
use super::manifest::Part;
use super::month::moment;
use super::parquet_out::{GROUP_BYTES, GROUP_ROWS, Output};
use super::rows::{COLUMNS, CREATED_AT, Kind, Listed, Rows, Values};
use indicatif::ProgressBar;
use parquet::data_type::ByteArray;
use postgres::Transaction;
use postgres::binary_copy::{BinaryCopyOutIter, BinaryCopyOutRow};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{FromSql, Type};
use std::error::Error;
use std::path::Path;

/// Microseconds from 1970 to 2000, where Postgres begins to count.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// Streams a month from the database into files.
pub fn copy_out(
    snapshot: &mut Transaction,
    condition: &str,
    folder: &Path,
    file_rows: u64,
    bar: &ProgressBar,
) -> Result<Vec<Part>, String> {
    let (selected, types): (Vec<_>, Vec<_>) = selection("e").into_iter().unzip();
    let query = format!(
        "copy (select {} from public.audience_events e where {condition} order by created_at, id) to stdout (format binary)",
        selected.join(", ")
    );
    let reader = snapshot.copy_out(query.as_str()).map_err(|error| connection::explain(&error))?;
    let mut source = BinaryCopyOutIter::new(reader, &types);
    let mut files = Files::new(folder);
    let mut rows = Rows::default();
    while let Some(row) = source.next().map_err(|error| connection::explain(&error))? {
        add(&mut rows, &row).map_err(|error| connection::explain(&error))?;
        let in_file = files.open.as_ref().map_or(0, |file| file.output.rows) + rows.len() as u64;
        if rows.len() == GROUP_ROWS || rows.bytes >= GROUP_BYTES || in_file == file_rows {
            files.write(&rows)?;
            bar.inc(rows.len() as u64);
            rows.clear();
        }
        if in_file == file_rows {
            files.finish()?;
        }
    }
    if rows.len() > 0 {
        files.write(&rows)?;
        bar.inc(rows.len() as u64);
    }
    files.finish()?;
    Ok(files.parts)
}

/// The columns of an event as they are copied out of a table of this name, and their types.
pub fn selection(table: &str) -> Vec<(String, Type)> {
    let column = |column: &Listed| {
        let name = format!("{table}.{}", column.name);
        match column.kind {
            Kind::Id | Kind::Json => (format!("{name}::text"), Type::TEXT),
            Kind::Text => (name, Type::TEXT),
            Kind::Time => (name, Type::TIMESTAMPTZ),
            Kind::Flag => (name, Type::BOOL),
            Kind::Number => (name, Type::INT8),
            Kind::Bytes => (name, Type::BYTEA),
        }
    };
    COLUMNS.iter().map(column).collect()
}

/// Adds a row that the database sent.
pub fn add(rows: &mut Rows, row: &BinaryCopyOutRow) -> Result<(), postgres::Error> {
    for (index, values) in rows.columns.iter_mut().enumerate() {
        match values {
            Values::Text(texts) => {
                let text: Option<&str> = row.try_get(index)?;
                rows.bytes += text.map_or(0, str::len) + size_of::<Option<ByteArray>>();
                texts.push(text.map(|text| ByteArray::from(text.as_bytes().to_vec())));
            }
            Values::Number(times) => times.push(row.try_get::<Option<Micros>>(index)?.map(|time| time.0)),
            Values::Flag(flags) => flags.push(row.try_get(index)?),
        }
    }
    Ok(())
}

/// The files of a month being written.
pub struct Files<'a> {
    folder: &'a Path,
    /// Those that are whole.
    pub parts: Vec<Part>,
    open: Option<OpenFile>,
}

struct OpenFile {
    name: String,
    output: Output,
    first: i64,
    last: i64,
}

impl<'a> Files<'a> {
    /// None yet, in a folder that has none.
    pub fn new(folder: &'a Path) -> Self {
        Files { folder, parts: Vec::new(), open: None }
    }

    /// Writes rows as a row group of the file that is open.
    pub fn write(&mut self, rows: &Rows) -> Result<(), String> {
        let times = rows.times(CREATED_AT);
        let time = |time: Option<&Option<i64>>| time.copied().flatten().unwrap_or_default();
        let (first, last) = (time(times.first()), time(times.last()));
        if self.open.is_none() {
            let name = format!("events-{:05}.parquet", self.parts.len() + 1);
            let output =
                Output::create(&self.folder.join(&name), &COLUMNS).map_err(|error| self.cannot(&name, &error))?;
            self.open = Some(OpenFile { name, output, first, last });
        }
        let folder = self.folder;
        if let Some(file) = &mut self.open {
            file.last = last;
            file.output
                .write(rows)
                .map_err(|error| format!("cannot write {}: {error}", folder.join(&file.name).display()))?;
        }
        Ok(())
    }

    /// Ends the file that is open.
    pub fn finish(&mut self) -> Result<(), String> {
        if let Some(OpenFile { name, output, first, last }) = self.open.take() {
            let rows = output.rows;
            let finished = output.finish().map_err(|error| self.cannot(&name, &error))?;
            let (bytes, sha256) = (finished.bytes, finished.sha256);
            let (first_created_at, last_created_at) = (moment(first), moment(last));
            self.parts.push(Part { name, rows, bytes, sha256, first_created_at, last_created_at });
        }
        Ok(())
    }

    fn cannot(&self, name: &str, error: &dyn std::fmt::Display) -> String {
        format!("cannot write {}: {error}", self.folder.join(name).display())
    }
}

/// A time of the database, in microseconds since 1970.
pub struct Micros(pub i64);

impl<'a> FromSql<'a> for Micros {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Micros(i64::from_be_bytes(raw.try_into()?) + POSTGRES_EPOCH))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}
