//! `audience-gate restore`: brings a detached month back into the event log, from its archive.

use super::manifest::Manifest;
use super::month::Month;
use super::parquet_in::Input;
use super::rows::{COLUMNS, Kind, Rows, Values};
use super::{Done, connection, progress, say};
use indicatif::ProgressBar;
use parquet::data_type::ByteArray;
use postgres::Transaction;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The arguments of `restore`.
#[derive(clap::Args)]
pub struct RestoreArgs {
    /// The archive that `archive` wrote.
    archive: PathBuf,
    /// The month, such as 2026-01.
    month: Month,
}

/// Restores a month, in one transaction.
pub fn run(args: &RestoreArgs) -> Done {
    let manifest = Manifest::expected(&args.archive, args.month)?;
    manifest.check_files(&args.archive)?;
    let mut client = connection::connect()?;
    let mut transaction = client.transaction().map_err(|error| connection::explain(&error))?;
    let (day, count) = (args.month.day(), manifest.rows as i64);
    let table: String = transaction
        .query_one(
            "select audience_gate.begin_restore($1::text::date, $2, $3)",
            &[&day, &count, &manifest.content_hash],
        )
        .map_err(|error| connection::explain(&error))?
        .get(0);
    let bar = progress::rows(&format!("{} copying", args.month), manifest.rows);
    for path in manifest.paths(&args.archive) {
        copy_in(&mut transaction, &table, &path, &|_, _| true, &bar)?;
    }
    bar.set_message(format!("{} comparing and attaching", args.month));
    transaction
        .execute("select audience_gate.finish_restore($1::text::date, $2, $3)", &[&day, &count, &manifest.content_hash])
        .and_then(|_| transaction.commit())
        .map_err(|error| connection::explain(&error))?;
    bar.finish_and_clear();
    say(&format!("{} restored: {} rows\n", args.month, manifest.rows))
}

/// Copies rows of a file into a table.
pub fn copy_in(
    transaction: &mut Transaction,
    table: &str,
    path: &Path,
    is_wanted: &dyn Fn(&Rows, usize) -> bool,
    bar: &ProgressBar,
) -> Result<(), String> {
    let cannot = |reason: String| format!("cannot read {}: {reason}", path.display());
    let names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
    let required: Vec<_> = names.iter().copied().filter(|name| *name != "contract").collect();
    let mut input = Input::open(path, &required).map_err(cannot)?;
    let copy = format!("copy {table} ({}) from stdin", names.join(", "));
    let mut writer = transaction.copy_in(copy.as_str()).map_err(|error| connection::explain(&error))?;
    let (mut rows, mut lines) = (Rows::default(), Vec::new());
    while input.next(&mut rows).map_err(cannot)? {
        lines.clear();
        (0..rows.len()).filter(|&row| is_wanted(&rows, row)).for_each(|row| write_line(&mut lines, &rows, row));
        writer.write_all(&lines).map_err(|error| format!("the connection to the database failed: {error}"))?;
        bar.inc(rows.len() as u64);
    }
    writer.finish().map_err(|error| connection::explain(&error))?;
    Ok(())
}

/// Appends a row as COPY reads it.
fn write_line(out: &mut Vec<u8>, rows: &Rows, row: usize) {
    for (index, (column, values)) in COLUMNS.iter().zip(&rows.columns).enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        match values {
            Values::Text(texts) => match texts.get(row).and_then(Option::as_ref).map(ByteArray::data) {
                Some(text) if column.kind == Kind::Id => out.extend_from_slice(text),
                Some(text) => write_text(out, text),
                None => out.extend_from_slice(b"\\N"),
            },
            Values::Number(times) => match times.get(row).copied().flatten() {
                Some(micros) => out.extend_from_slice(super::month::moment(micros).as_bytes()),
                None => out.extend_from_slice(b"\\N"),
            },
            Values::Flag(flags) => out.push(if flags.get(row) == Some(&Some(true)) { b't' } else { b'f' }),
        }
    }
    out.push(b'\n');
}

/// Appends a text as COPY reads it.
pub fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => out.push(byte),
        }
    }
}
