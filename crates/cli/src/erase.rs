//! `audience-gate archive erase`: takes a person out of the database and out of its archive.
//!
//! What an erasure does is written in SQL alone. Rows that only the archive has are brought back for as long as the
//! transaction lasts. Changed months are written beside the old ones before it is committed, under the id of the erasure,
//! so that whatever is interrupted can be settled by asking the database whether there is such an erasure.

use super::copy_out::{self, Files, selection};
use super::manifest::{Manifest, SCHEMA_VERSION};
use super::month::Month;
use super::parquet_in::Input;
use super::parquet_out::{GROUP_BYTES, GROUP_ROWS};
use super::rows::{COLUMNS, ContentHash, Rows};
use super::{Done, archive, connection, export, folders, progress, restore, say, seal};
use indicatif::ProgressBar;
use postgres::binary_copy::BinaryCopyOutIter;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Transaction};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The columns that tell which rows may be a person's.
const USER_ID: usize = 2;
const SESSION_ID: usize = 3;
const METADATA: usize = 12;
/// What stands between a month and an erasure in the name of a folder that waits for the erasure.
const ERASED: &str = ".erased-";

/// The arguments of `archive erase`.
#[derive(clap::Args)]
pub struct EraseArgs {
    /// The archive that `archive` wrote.
    archive: PathBuf,
    /// By what the person is known: `user_id`, `session_id` or `email_hash`. The id itself is read from standard input.
    #[arg(value_parser = ["user_id", "session_id", "email_hash"])]
    kind: String,
    /// Why, such as the number of the request; it is kept, so it names nobody.
    #[arg(long)]
    reason: String,
    /// What stays of the person belongs to one pseudonym, or to another one each day.
    #[arg(long, default_value = "pseudonym", value_parser = ["pseudonym", "nothing"])]
    keep: String,
}

/// What the database answers.
#[derive(Deserialize)]
struct Erased {
    erasure: String,
    events: u64,
}

/// Erases a person, writes the seals anew and verifies the archive by them.
pub fn run(args: &EraseArgs) -> Done {
    let subject = export::subject(&args.kind)?;
    let (mut client, database) = archive::open(&args.archive)?;
    settle(&mut client, &args.archive)?;
    let (erased, months) = erase(&mut client, args, &subject, database.as_deref())?;
    settle(&mut client, &args.archive)?;
    say(&format!("erasure {}: {} events, {months} archived months written anew\n", erased.erasure, erased.events))?;
    seal::renew(&mut client, &args.archive)
}

/// Ends what an interrupted run began: months that were written for an erasure take their places if there is such an
/// erasure, and are removed if not.
pub fn settle(client: &mut Client, archive: &Path) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("cannot write {}: {error}", archive.display());
    let entries: Vec<_> = fs::read_dir(archive).map_err(cannot)?.flatten().map(|entry| entry.file_name()).collect();
    for name in entries.iter().filter_map(|name| name.to_str()) {
        if let Some((month, erasure)) = name.split_once(ERASED) {
            let query = "select exists (select from audience_gate.erasures e where e.id::text = $1)";
            let is_done: bool =
                client.query_one(query, &[&erasure]).map_err(|error| connection::explain(&error))?.get(0);
            match is_done {
                true => folders::put(archive, &archive.join(name), month)?,
                false => fs::remove_dir_all(archive.join(name)).map_err(cannot)?,
            }
        }
        if let Some(replaced) = name.strip_suffix(".replaced").filter(|_| archive.join(name).exists())
            && archive.join(replaced).exists()
        {
            fs::remove_dir_all(archive.join(name)).map_err(cannot)?;
        }
    }
    Ok(())
}

/// Erases the person in one transaction, at the end of which the changed months wait beside the old ones.
fn erase(
    client: &mut Client,
    args: &EraseArgs,
    subject: &str,
    database: Option<&str>,
) -> Result<(Erased, usize), String> {
    let explain = |error: postgres::Error| connection::explain(&error);
    let manifests = Manifest::all(&args.archive)?;
    let mut work = client.transaction().map_err(explain)?;
    let query = "select audience_gate.known_subject($1, $2)";
    let known: String = work.query_one(query, &[&args.kind, &subject]).map_err(explain)?.get(0);
    let mut dropped = Vec::new();
    for manifest in &manifests {
        if is_dropped(&mut work, &manifest.month)? {
            dropped.push(manifest);
        }
    }
    if !dropped.is_empty() {
        bring_back(&mut work, args, &known, &dropped)?;
    }
    // It acts as the owner of the gate, whose rows are those that policies let through.
    work.batch_execute("set local row_security = on").map_err(explain)?;
    let done: String = work
        .query_one(
            "select audience_gate.erase_subject($1, $2, $3, $4)::text",
            &[&args.kind, &known, &args.reason, &args.keep],
        )
        .map_err(explain)?
        .get(0);
    work.batch_execute("set local row_security = off").map_err(explain)?;
    let erased: Erased = serde_json::from_str(&done).map_err(|error| format!("the answer cannot be read: {error}"))?;
    let mut count = 0;
    for manifest in manifests {
        let manifest = Manifest { database: database.map(str::to_owned), ..manifest };
        count += usize::from(rewrite(&mut work, &args.archive, manifest, &erased.erasure)?);
    }
    work.execute("select audience_gate.end_archive_erasure()", &[]).map_err(explain)?;
    work.commit().map_err(explain)?;
    Ok((erased, count))
}

/// Whether only the archive has the rows of a month.
fn is_dropped(work: &mut Transaction, month: &str) -> Result<bool, String> {
    let query = "select audience_gate.is_detached($1::text::date)
        and to_regclass('audience_gate_partitions.audience_events_' || $2 || '_detached') is null";
    let row = work
        .query_one(query, &[&format!("{month}-01"), &month.replace('-', "_")])
        .map_err(|error| connection::explain(&error))?;
    Ok(row.get(0))
}

/// Copies whatever may be the person's into a table of the database, which then decides: the rows that name them, and all
/// of every session that does.
fn bring_back(work: &mut Transaction, args: &EraseArgs, known: &str, dropped: &[&Manifest]) -> Result<(), String> {
    let explain = |error: postgres::Error| connection::explain(&error);
    let query = "select unnest(audience_gate.subject_sessions(t, $1, $2)) from audience_gate.event_tables() t";
    let found = work.query(query, &[&args.kind, &known]).map_err(explain)?;
    let mut sessions: HashSet<Vec<u8>> = found.iter().map(|row| row.get::<_, String>(0).into_bytes()).collect();
    // As JSON writes it, which may be another way than it is.
    let quoted = serde_json::to_string(known).map_err(|error| error.to_string())?;
    let quoted = quoted.trim_matches('"').to_ascii_lowercase();
    let names = |rows: &Rows, row: usize| {
        let metadata = rows.text(METADATA, row).unwrap_or_default().to_ascii_lowercase();
        rows.text(USER_ID, row) == Some(known.as_bytes())
            || memchr::memmem::find(&metadata, quoted.as_bytes()).is_some()
    };
    let paths: Vec<PathBuf> = dropped.iter().flat_map(|manifest| manifest.paths(&args.archive)).collect();
    let required: Vec<_> = COLUMNS.iter().map(|column| column.name).filter(|name| *name != "contract").collect();
    let mut rows = Rows::default();
    for path in &paths {
        let cannot = |reason: String| format!("cannot read {}: {reason}", path.display());
        let mut input = Input::open(path, &required).map_err(cannot)?;
        while input.next(&mut rows).map_err(cannot)? {
            let named = (0..rows.len()).filter(|&row| names(&rows, row));
            sessions.extend(named.filter_map(|row| rows.text(SESSION_ID, row)).map(<[u8]>::to_vec));
        }
    }
    let table: String = work.query_one("select audience_gate.begin_archive_erasure()", &[]).map_err(explain)?.get(0);
    let of_session = |rows: &Rows, row| rows.text(SESSION_ID, row).is_some_and(|session| sessions.contains(session));
    for path in &paths {
        let is_wanted = |rows: &Rows, row: usize| of_session(rows, row) || names(rows, row);
        restore::copy_in(work, &table, path, &is_wanted, &ProgressBar::hidden())?;
    }
    Ok(())
}

/// The rows of a month that were erased, whenever that was, by their ids.
fn erased_rows(work: &mut Transaction, month: Month) -> Result<(Rows, HashMap<Vec<u8>, usize>), String> {
    let explain = |error: postgres::Error| connection::explain(&error);
    let tables = work.query("select t::text from audience_gate.event_tables() t", &[]).map_err(explain)?;
    let (selected, types): (Vec<_>, Vec<_>) = selection("e").into_iter().unzip();
    let mut rows = Rows::default();
    for table in &tables {
        let query = format!(
            "copy (select {} from audience_gate.erased_rows r join {} e on e.id = r.event_id
              where r.salt is not null and {}) to stdout (format binary)",
            selected.join(", "),
            table.get::<_, &str>(0),
            archive::within(month)
        );
        let reader = work.copy_out(query.as_str()).map_err(explain)?;
        let mut source = BinaryCopyOutIter::new(reader, &types);
        while let Some(row) = source.next().map_err(explain)? {
            copy_out::add(&mut rows, &row).map_err(explain)?;
        }
    }
    let ids = (0..rows.len()).map(|row| (rows.text(0, row).unwrap_or_default().to_vec(), row)).collect();
    Ok((rows, ids))
}

/// Writes a month anew beside the old one, with the erased rows as the database has them. Says whether any of them was
/// still there.
fn rewrite(work: &mut Transaction, archive: &Path, old: Manifest, erasure: &str) -> Result<bool, String> {
    let (erased, ids) = erased_rows(work, old.month.parse()?)?;
    if ids.is_empty() {
        return Ok(false);
    }
    old.check_files(archive)?;
    let folder = archive.join(format!("{}{ERASED}{erasure}", old.month));
    fs::create_dir(&folder).map_err(|error| format!("cannot write {}: {error}", folder.display()))?;
    let required: Vec<_> = COLUMNS.iter().map(|column| column.name).filter(|name| *name != "contract").collect();
    let (mut read, mut out) = (Rows::default(), Rows::default());
    let (mut files, mut found, mut changed) = (Files::new(&folder), ContentHash::default(), 0u64);
    let bar = progress::rows(&format!("{} erasing", old.month), old.rows);
    for path in old.paths(archive) {
        let cannot = |reason: String| format!("cannot read {}: {reason}", path.display());
        let mut input = Input::open(&path, &required).map_err(cannot)?;
        while input.next(&mut read).map_err(cannot)? {
            for row in 0..read.len() {
                let left = read.text(0, row).and_then(|id| ids.get(id)).map(|&place| (&erased, place));
                let left = left.filter(|(erased, place)| !read.is_same(row, erased, *place));
                changed += u64::from(left.is_some());
                let (from, place) = left.unwrap_or((&read, row));
                out.push(from, place);
                if out.len() == GROUP_ROWS || out.bytes >= GROUP_BYTES {
                    write(&mut files, &mut found, &mut out)?;
                }
            }
            bar.inc(read.len() as u64);
        }
        write(&mut files, &mut found, &mut out)?;
        files.finish()?;
    }
    bar.finish_and_clear();
    if changed == 0 {
        return fs::remove_dir_all(&folder)
            .map(|()| false)
            .map_err(|error| format!("cannot write {}: {error}", folder.display()));
    }
    let manifest = Manifest { schema_version: SCHEMA_VERSION, content_hash: found.value(), files: files.parts, ..old };
    archive::read_back(&manifest, &folder, &ProgressBar::hidden())?;
    manifest.write(&folder)?;
    work.execute(
        "select audience_gate.note_erased_month($1::text::date, $2, $3)",
        &[&format!("{}-01", manifest.month), &(manifest.rows as i64), &manifest.content_hash],
    )
    .map_err(|error| connection::explain(&error))?;
    Ok(true)
}

fn write(files: &mut Files, found: &mut ContentHash, rows: &mut Rows) -> Result<(), String> {
    if rows.len() > 0 {
        files.write(rows)?;
        found.add(rows);
        rows.clear();
    }
    Ok(())
}
