//! `audience-gate load`: loads history into the event log with its own times, in batches; each batch is stored together
//! with how far the load has come.

use super::history::{Historian, is_parquet};
use super::manifest::file_hash;
use super::{Done, connection, pepper, progress, say};
use audience_gate::contract::FINGERPRINT;
use audience_gate::gate::{Caller, Context};
use audience_gate::registry::Registry;
use audience_gate::time;
use indicatif::ProgressBar;
use postgres::{Client, Transaction};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many rows are stored at once, at most.
const BATCH_ROWS: u64 = 10_000;
/// About how many bytes are stored at once.
const BATCH_BYTES: usize = 16 << 20;
/// How many refused events of a file are reported, at most.
const MOST_TOLD: usize = 5;
/// The endings of the files that are taken from a folder.
const ENDINGS: [&str; 5] = [".parquet", ".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz"];

/// The arguments of `load`.
#[derive(clap::Args)]
pub struct LoadArgs {
    /// Files as `check --accepted`, `archive` or Spark write them: NDJSON, JSON, CSV or Parquet; of a folder, every
    /// NDJSON and Parquet file within.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// When the events that have neither created_at nor occurred_at were recorded (RFC 3339).
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Where some events of a file are refused, load the others.
    #[arg(long)]
    skip_refused: bool,
}

/// How many events were stored, and how.
#[derive(Default)]
struct Tally {
    accepted: i64,
    replayed: i64,
    repeated: i64,
    refused: u64,
}

/// Loads the files in the order given.
pub fn run(args: &LoadArgs) -> Done {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64);
    let default_time = match &args.at {
        None => None,
        Some(text) => Some(
            time::parse(text.as_bytes())
                .ok_or_else(|| format!("--at {text}: send a time such as 2026-01-31T09:30:00Z"))?,
        ),
    };
    let mut files = Vec::new();
    for path in &args.files {
        find(path, &mut files).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    }
    if files.is_empty() {
        return Err(format!("there is no file to load; from a folder, files named {} are taken", ENDINGS.join(", ")));
    }
    let mut client = connection::connect()?;
    let (contract, snapshot) = terms(&mut client)?;
    if contract != FINGERPRINT {
        return Err(format!(
            "this command judges by contract {FINGERPRINT}, and the database by {contract}; use the release whose migrations are applied"
        ));
    }
    let registry = Registry::from_json(snapshot.as_bytes())?;
    if !registry.faults.is_empty() {
        return Err(registry.faults.join("; "));
    }
    let pepper = pepper();
    let context = Context {
        caller: Caller::Trusted,
        origin: None,
        received_at: now,
        registry: &registry,
        pepper: pepper.as_ref().map(|pepper| pepper.as_bytes()),
    };
    let mut load = Load { client, historian: Historian::new(context, default_time), registry: &registry.version };
    let mut is_complete = true;
    for path in &files {
        is_complete &= load.file(path, args.skip_refused)?;
    }
    load.client.execute("select audience_gate.finish_load()", &[]).map_err(|error| connection::explain(&error))?;
    Ok(u8::from(!is_complete))
}

/// Finds the files that a path stands for, in the order of their names. As in Spark, names that begin with a dot or an
/// underscore are left out, and so is a month that is still being archived.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut inside: Vec<_> =
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    inside.sort();
    for path in inside {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_meant = !name.starts_with(['.', '_']) && !name.ends_with(".partial") && !name.ends_with(".replaced");
        if is_meant && (path.is_dir() || ENDINGS.iter().any(|ending| name.ends_with(ending))) {
            find(&path, files)?;
        }
    }
    Ok(())
}

/// The database's contract and registry. From here on, no other load can begin.
fn terms(client: &mut Client) -> Result<(String, String), String> {
    let row = client
        .query_one(
            "select audience_gate.begin_load(), audience_gate.contract_fingerprint(), audience_gate.registry()::text",
            &[],
        )
        .map_err(|error| connection::explain(&error))?;
    Ok((row.get(1), row.get(2)))
}

struct Load<'a> {
    client: Client,
    historian: Historian<'a>,
    registry: &'a str,
}

impl Load<'_> {
    /// Loads a file unless it was loaded before, and returns whether no event of it was left out.
    fn file(&mut self, path: &Path, skips_refused: bool) -> Result<bool, String> {
        let name = path.display();
        let sha256 = file_hash(path).map_err(|error| format!("cannot read {name}: {error}"))?;
        let (total, refused) = self.judge(path)?;
        if refused > 0 && !skips_refused {
            eprintln!(
                "audience-gate: {name}: nothing of it was loaded, because {refused} of its {total} events are refused; mend them, or leave them out with --skip-refused"
            );
            return Ok(false);
        }
        let claimed = self
            .client
            .query_one("select through, finished from audience_gate.claim_file($1)", &[&sha256])
            .map_err(|error| connection::explain(&error))?;
        let (through, finished): (i64, bool) = (claimed.get(0), claimed.get(1));
        if finished {
            say(&format!("{name}: was loaded before\n"))?;
            return Ok(true);
        }
        let bar = progress::rows(&name.to_string(), total);
        let tally = self.store(path, &sha256, through as u64, &bar)?;
        bar.finish_and_clear();
        let renewed = match self.historian.renewed {
            0 => String::new(),
            records => format!(", {records} records of rejections brought up to this contract"),
        };
        let going_on = if through > 0 { format!(", going on after event {through}") } else { String::new() };
        say(&format!(
            "{name}: {} loaded, {} recorded before, {} repeats rejected, {} refused{renewed}{going_on}\n",
            tally.accepted, tally.replayed, tally.repeated, tally.refused
        ))?;
        Ok(tally.refused == 0)
    }

    /// Judges a file before any of it is stored, and returns how many events it has and how many are refused.
    fn judge(&mut self, path: &Path) -> Result<(u64, u64), String> {
        let (mut total, mut refused) = (0, 0);
        let kind = if is_parquet(path) { "row" } else { "line" };
        self.historian.read(path, &mut |number, ready| {
            total += 1;
            if let Err(refusal) = ready {
                refused += 1;
                if refused <= MOST_TOLD as u64 {
                    eprintln!("audience-gate: {}: {kind} {number}: {}", path.display(), refusal.reason());
                }
            }
            Ok(())
        })?;
        Ok((total, refused))
    }

    /// Stores the part of a file that is not stored yet.
    fn store(&mut self, path: &Path, sha256: &str, through: u64, bar: &ProgressBar) -> Result<Tally, String> {
        let (client, registry) = (&mut self.client, self.registry);
        let mut batch = Batch { lines: Vec::new(), rows: 0, refused: 0, last: through };
        let mut tally = Tally::default();
        self.historian.read(path, &mut |number, ready| {
            bar.inc(1);
            if number <= through {
                return Ok(());
            }
            batch.last = number;
            match ready {
                Ok(line) => {
                    batch.rows += 1;
                    batch.lines.extend_from_slice(line);
                }
                Err(_) => batch.refused += 1,
            }
            if batch.rows < BATCH_ROWS && batch.lines.len() < BATCH_BYTES {
                return Ok(());
            }
            batch.store(client, sha256, registry, false, &mut tally).map_err(|error| connection::explain(&error))
        })?;
        batch.store(client, sha256, registry, true, &mut tally).map_err(|error| connection::explain(&error))?;
        Ok(tally)
    }
}

/// Events on their way into the database.
struct Batch {
    lines: Vec<u8>,
    rows: u64,
    refused: u64,
    last: u64,
}

impl Batch {
    /// Stores the events together with how far the file has come, then empties the batch.
    fn store(
        &mut self,
        client: &mut Client,
        sha256: &str,
        registry: &str,
        is_end: bool,
        tally: &mut Tally,
    ) -> Result<(), postgres::Error> {
        let mut transaction = client.transaction()?;
        copy_lines(&mut transaction, &self.lines)?;
        let row = transaction.query_one(
            "select accepted, replayed, repeated from audience_gate.load_batch($1, $2, $3, $4, $5, $6)",
            &[&sha256, &(self.last as i64), &(self.refused as i64), &is_end, &FINGERPRINT, &registry],
        )?;
        transaction.commit()?;
        tally.accepted += row.get::<_, i64>(0);
        tally.replayed += row.get::<_, i64>(1);
        tally.repeated += row.get::<_, i64>(2);
        tally.refused += self.refused;
        self.lines.clear();
        (self.rows, self.refused) = (0, 0);
        Ok(())
    }
}

fn copy_lines(transaction: &mut Transaction, lines: &[u8]) -> Result<(), postgres::Error> {
    let mut writer =
        transaction.copy_in("copy audience_gate.load_rows (place, id, created_at, rejected, event) from stdin")?;
    // The end of the copy reports whatever goes wrong on the way.
    writer.write_all(lines).ok();
    writer.finish()?;
    Ok(())
}
