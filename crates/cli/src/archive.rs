//! `audience-gate archive`: closed months of the event log to Parquet, each read back and compared before it counts.

use super::copy_out::{Micros, copy_out};
use super::manifest::{Manifest, SCHEMA_VERSION, file_hash};
use super::month::{Month, moment};
use super::parquet_in::Input;
use super::rows::{COLUMNS, ContentHash, Rows};
use super::{Done, connection, erase, folders, progress, say, seal};
use indicatif::ProgressBar;
use postgres::{Client, IsolationLevel, Transaction};
use std::fs;
use std::path::{Path, PathBuf};

/// The arguments of `archive`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ArchiveArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    months: MonthArgs,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Erase a person from the database and from its archive.
    #[command(after_help = ERASE_HELP)]
    Erase(erase::EraseArgs),
}

/// Which months are archived, and where to.
#[derive(clap::Args)]
struct MonthArgs {
    /// The archive: a folder, with one folder per month.
    #[arg(required = true)]
    archive: Option<PathBuf>,
    /// Only this month, such as 2026-01; may be given more than once. Without it, every closed month.
    #[arg(long, value_name = "MONTH")]
    month: Vec<Month>,
    /// Leave out this many of the latest closed months.
    #[arg(long, value_name = "MONTHS", default_value_t = 0)]
    keep: usize,
    /// Write again the months that have changed in the database since they were archived.
    #[arg(long)]
    again: bool,
    /// Compare months that are already archived value by value, not only by their number of rows.
    #[arg(long)]
    verify: bool,
    /// Begin a new file after this many rows.
    #[arg(long, value_name = "ROWS", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    file_rows: u64,
}

const ERASE_HELP: &str = "The id is read from standard input, because every user of the machine can read arguments. It does what audience_gate.erase_subject() does, and takes the person out of the archived months too, in one transaction; then it writes the seals anew and verifies the archive by them. If it is interrupted, run it again.\n\nThe database is the one of DATABASE_URL, directly or through a pooler in session mode.\n\nExit codes: 0 the person is erased, 1 they are, and the archive is not as it was sealed, 2 the database, the archive or an argument cannot be used.";

impl MonthArgs {
    fn archive(&self) -> &Path {
        self.archive.as_deref().unwrap_or(Path::new("."))
    }
}

/// What became of a month.
enum Outcome {
    Written,
    Unchanged,
    /// It is archived, and no longer in the database.
    Detached,
    Differs(String),
}

/// Archives months, or erases a person from them.
pub fn run(args: &ArchiveArgs) -> Done {
    match &args.action {
        Some(Action::Erase(args)) => erase::run(args),
        None => archive(&args.months),
    }
}

/// Archives the months that are not archived yet.
fn archive(args: &MonthArgs) -> Done {
    let (mut client, database) = open(args.archive())?;
    let months = chosen(&mut client, args)?;
    fs::create_dir_all(args.archive())
        .map_err(|error| format!("cannot write {}: {error}", args.archive().display()))?;
    erase::settle(&mut client, args.archive())?;
    let mut differing = 0;
    for month in months {
        let (outcome, manifest) = settle(&mut client, args, month, database.as_deref())?;
        let word = match outcome {
            Outcome::Written => "archived",
            Outcome::Unchanged => "is archived",
            Outcome::Detached => "is archived, and no longer in the database",
            Outcome::Differs(ref reason) => {
                differing += 1;
                eprintln!("audience-gate: {month} {reason}");
                continue;
            }
        };
        let bytes: u64 = manifest.files.iter().map(|part| part.bytes).sum();
        let size = indicatif::HumanBytes(bytes);
        say(&format!("{month} {word}: {} rows in {} files, {size}\n", manifest.rows, manifest.files.len()))?;
    }
    if let Some(leaves) = seal::archive(&mut client, args.archive())? {
        say(&format!("{leaves} seals written beside them, for `audience-gate seal verify --archive`\n"))?;
    }
    Ok(u8::from(differing > 0))
}

/// A connection for one writer of an archive at a time, and the install that it leads to. What an erasure that was
/// interrupted has left is only known once its transaction has ended, and an archive of another database is not touched.
pub fn open(archive: &Path) -> Result<(Client, Option<String>), String> {
    let mut client = connection::connect()?;
    let explain = |error: postgres::Error| connection::explain(&error);
    // A role from which row level security hides rows gets an error, instead of an archive of some of them.
    client
        .batch_execute("set row_security = off; select pg_advisory_lock(hashtextextended('audience_gate.archive', 0))")
        .map_err(explain)?;
    let query = "select to_regprocedure('audience_gate.install_id()') is not null";
    let is_named: bool = client.query_one(query, &[]).map_err(explain)?.get(0);
    let database = match is_named {
        true => client.query_one("select audience_gate.install_id()", &[]).map_err(explain)?.get(0),
        false => None,
    };
    Manifest::refuse_foreign(archive, database.as_deref())?;
    Ok((client, database))
}

/// The months to archive: the closed ones that were asked for.
fn chosen(client: &mut Client, args: &MonthArgs) -> Result<Vec<Month>, String> {
    let found = client
        .query("select to_char(month, 'YYYY-MM'), closed from audience_gate.event_months()", &[])
        .map_err(|error| connection::explain(&error))?;
    let found = found.iter().map(|row| row.get::<_, String>(0).parse().map(|month: Month| (month, row.get(1))));
    let found: Vec<(Month, bool)> = found.collect::<Result<_, _>>()?;
    let mut months: Vec<_> = found.iter().filter(|(_, closed)| *closed).map(|(month, _)| *month).collect();
    months.truncate(months.len().saturating_sub(args.keep));
    if args.month.is_empty() {
        return Ok(months);
    }
    for month in &args.month {
        if found.contains(&(*month, false)) {
            return Err(format!("{month} is open: events are still recorded in it; archive it an hour after its end"));
        }
        if !months.contains(month) && Manifest::read(args.archive(), *month)?.is_none() {
            return Err(format!("the database has no events of {month}, or --keep leaves it out"));
        }
    }
    Ok(args.month.clone())
}

/// Archives a month, unless it is archived already.
fn settle(
    client: &mut Client,
    args: &MonthArgs,
    month: Month,
    database: Option<&str>,
) -> Result<(Outcome, Manifest), String> {
    let mut snapshot = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .map_err(|error| connection::explain(&error))?;
    let Some(manifest) = Manifest::read(args.archive(), month)? else {
        return Ok((Outcome::Written, write(&mut snapshot, args, month, database)?));
    };
    if let Err(reason) = manifest.check_files(args.archive()) {
        if !args.again {
            return Ok((Outcome::Differs(format!("is damaged: {reason}")), manifest));
        }
        return Ok((Outcome::Written, write(&mut snapshot, args, month, database)?));
    }
    let rows = count(&mut snapshot, month)?;
    if rows == 0 {
        return Ok((Outcome::Detached, manifest));
    }
    let is_same =
        rows == manifest.rows && (!args.verify || hash(&mut snapshot, month)?.content_hash == manifest.content_hash);
    if is_same {
        return Ok((Outcome::Unchanged, manifest));
    }
    if !args.again {
        let reason = format!(
            "has changed since it was archived (it had {} rows then, and has {rows} now); --again archives it anew",
            manifest.rows
        );
        return Ok((Outcome::Differs(reason), manifest));
    }
    Ok((Outcome::Written, write(&mut snapshot, args, month, database)?))
}

/// The condition of the rows of a month.
pub fn within(month: Month) -> String {
    format!(
        "created_at >= timestamptz '{} 00:00Z' and created_at < timestamptz '{} 00:00Z'",
        month.day(),
        month.next().day()
    )
}

fn count(snapshot: &mut Transaction, month: Month) -> Result<u64, String> {
    let query = format!("select count(*) from public.audience_events where {}", within(month));
    let row = snapshot.query_one(&query, &[]).map_err(|error| connection::explain(&error))?;
    Ok(row.get::<_, i64>(0) as u64)
}

/// What the database says about a month.
struct Hashed {
    rows: u64,
    first: i64,
    last: i64,
    content_hash: String,
}

fn hash(snapshot: &mut Transaction, month: Month) -> Result<Hashed, String> {
    let query = format!(
        "select events, first_created_at, last_created_at, content_hash from audience_gate.hash_events('public.audience_events', '{} 00:00Z', '{} 00:00Z')",
        month.day(),
        month.next().day()
    );
    let row = snapshot.query_one(&query, &[]).map_err(|error| connection::explain(&error))?;
    let time = |index: usize| row.get::<_, Option<Micros>>(index).map_or(0, |time| time.0);
    Ok(Hashed { rows: row.get::<_, i64>(0) as u64, first: time(1), last: time(2), content_hash: row.get(3) })
}

/// Writes a month into a folder with a temporary name, compares it with the database, then gives the folder its name.
fn write(
    snapshot: &mut Transaction,
    args: &MonthArgs,
    month: Month,
    database: Option<&str>,
) -> Result<Manifest, String> {
    let wanted = hash(snapshot, month)?;
    let contract: String = snapshot
        .query_one("select audience_gate.contract_fingerprint()", &[])
        .map_err(|error| connection::explain(&error))?
        .get(0);
    let partial = folders::begin(args.archive(), &month.to_string())?;
    let bar = progress::rows(&format!("{month} writing"), wanted.rows);
    let files = copy_out(snapshot, &within(month), &partial, args.file_rows, &bar)?;
    let manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        month: month.to_string(),
        contract,
        rows: files.iter().map(|part| part.rows).sum(),
        first_created_at: moment(wanted.first),
        last_created_at: moment(wanted.last),
        content_hash: wanted.content_hash,
        database: database.map(str::to_owned),
        files,
    };
    bar.set_message(format!("{month} comparing"));
    bar.set_position(0);
    read_back(&manifest, &partial, &bar)?;
    bar.finish_and_clear();
    manifest.write(&partial)?;
    folders::put(args.archive(), &partial, &month.to_string())?;
    Ok(manifest)
}

/// Reads files back from the disk, and compares what they hold with what the database holds.
pub fn read_back(manifest: &Manifest, folder: &Path, bar: &ProgressBar) -> Result<(), String> {
    let mut found = ContentHash::default();
    for part in &manifest.files {
        let path = folder.join(&part.name);
        let cannot = |error: String| format!("cannot read {}: {error}", path.display());
        if file_hash(&path).map_err(|error| cannot(error.to_string()))? != part.sha256 {
            return Err(format!("{} is not what was written; look at the disk", path.display()));
        }
        hash_file(&path, &mut found, bar).map_err(cannot)?;
    }
    if found.rows == manifest.rows && found.value() == manifest.content_hash {
        return Ok(());
    }
    Err(format!(
        "{} was written, but does not hold what the database holds ({} rows of it, {} in the database); nothing was archived",
        folder.display(),
        found.rows,
        manifest.rows
    ))
}

/// Adds the rows of a file to a hash.
pub fn hash_file(path: &Path, found: &mut ContentHash, bar: &ProgressBar) -> Result<(), String> {
    let names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
    let mut input = Input::open(path, &names)?;
    let mut rows = Rows::default();
    while input.next(&mut rows)? {
        found.add(&rows);
        bar.inc(rows.len() as u64);
    }
    Ok(())
}
