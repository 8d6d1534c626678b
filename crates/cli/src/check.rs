//! `audience-gate check`: judges files of events, prints a summary, and writes the lines that were asked for.

use super::arrow;
use super::counts::Counts;
use super::files::{self, Outputs, Trouble};
use super::input::{Form, Input};
use super::judge::{File, Order};
use super::report::{self, Format};
use super::{Done, pepper, say, snapshot};
use audience_gate::gate::{Caller, Context};
use audience_gate::ids::is_uuid;
use audience_gate::time;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The arguments of `check`.
#[derive(clap::Args)]
pub struct CheckArgs {
    /// The files; `-` is standard input.
    #[arg(default_value = "-")]
    files: Vec<PathBuf>,
    /// How the files write events.
    #[arg(long, value_enum, default_value = "auto")]
    input: Form,
    /// Write accepted events here, one per line, with e-mails replaced by their hashes; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    accepted: Option<PathBuf>,
    /// Write the redacted record of every rejected event here, one per line, with its file and line; `-` is standard
    /// output.
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Write every event, accepted or rejected, as a row of an Arrow stream (for Spark and other engines); `-` is
    /// standard output.
    #[arg(long, value_name = "FILE")]
    arrow: Option<PathBuf>,
    /// A registry snapshot, or the address of one; without it, the taxonomy that ships.
    #[arg(long, value_name = "FILE|URL")]
    registry: Option<PathBuf>,
    /// Judge as if sent by `trusted`, `visitor`, or a user's UUID.
    #[arg(long, default_value = "trusted")]
    caller: String,
    /// Judge as if received at this time (RFC 3339); `occurred` means when each event occurred.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How many threads judge; without it, as many as keep all cores busy.
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroUsize>,
    /// How the summary is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Judges the files one after the other. A file that cannot be read does not stop the others.
pub fn run(args: &CheckArgs) -> Done {
    let (registry, _) = snapshot::read(args.registry.as_deref())?;
    let pepper = pepper();
    let order = Order {
        context: Context {
            caller: caller(&args.caller)?,
            origin: None,
            received_at: received_at(args.at.as_deref())?,
            registry: &registry,
            pepper: pepper.as_ref().map(|pepper| pepper.as_bytes()),
        },
        at_occurrence: args.at.as_deref() == Some(OCCURRED),
        write_accepted: args.accepted.is_some(),
        write_rejected: args.rejected.is_some(),
        write_rows: args.arrow.is_some(),
        threads: args.threads.map(NonZeroUsize::get),
    };
    keeps_its_input(args)?;
    let mut outputs = Outputs {
        accepted: create(args.accepted.as_deref())?,
        rejected: create(args.rejected.as_deref())?,
        rows: create(args.arrow.as_deref())?,
        counts: Counts::default(),
    };
    if args.arrow.is_some() {
        let begun = arrow::beginning().map_err(io::Error::other).and_then(|bytes| outputs.rows.write_all(&bytes));
        begun.map_err(|error| format!("cannot write: {error}"))?;
    }
    let names: Vec<_> = args.files.iter().map(|path| path.display().to_string()).collect();
    let mut unread = 0;
    for (index, (path, name)) in args.files.iter().zip(&names).enumerate() {
        if is_stdio(path) && io::stdin().is_terminal() {
            eprintln!("audience-gate: reading events from standard input, until Ctrl-D");
        }
        let progress = progress(path);
        let judged = Input::open(path, args.input, &progress)
            .map_err(Trouble::Reading)
            .and_then(|input| files::run(input, &order, File { index, name }, &mut outputs));
        progress.finish_and_clear();
        match judged {
            Ok(()) => {}
            Err(Trouble::Writing(error)) => return Err(format!("cannot write: {error}")),
            Err(Trouble::Reading(error)) => {
                unread += 1;
                eprintln!("audience-gate: cannot read {name}: {error}");
            }
        }
    }
    let ended = if args.arrow.is_some() { outputs.rows.write_all(&arrow::END) } else { Ok(()) };
    let flushed = ended.and_then(|()| outputs.accepted.flush()).and_then(|()| outputs.rejected.flush());
    let flushed = flushed.and_then(|()| outputs.rows.flush());
    flushed.map_err(|error| format!("cannot write: {error}"))?;
    tell(args, &report::summary(&outputs.counts, &names, &registry, args.format))?;
    Ok(if unread > 0 { 2 } else { u8::from(outputs.counts.rejected > 0) })
}

const OCCURRED: &str = "occurred";

fn caller(name: &str) -> Result<Caller<'_>, String> {
    match name {
        "trusted" => Ok(Caller::Trusted),
        "visitor" => Ok(Caller::Visitor),
        id if is_uuid(id.as_bytes()) => Ok(Caller::User(id)),
        other => Err(format!("--caller {other}: send trusted, visitor or a user's UUID")),
    }
}

fn received_at(text: Option<&str>) -> Result<i64, String> {
    match text {
        None | Some(OCCURRED) => Ok(now()),
        Some(text) => time::parse(text.as_bytes())
            .ok_or_else(|| format!("--at {text}: send a time such as 2026-11-21T09:30:00Z, or `{OCCURRED}`")),
    }
}

/// Creating an output empties it, so it must not be an input that is still to be read, nor the other output, under
/// whatever name.
fn keeps_its_input(args: &CheckArgs) -> Result<(), String> {
    let real = |path: &PathBuf| if is_stdio(path) { None } else { identity(path) };
    let outputs: Vec<_> = [&args.accepted, &args.rejected, &args.arrow].into_iter().flatten().collect();
    for (index, path) in outputs.iter().enumerate() {
        if real(path).is_some() && args.files.iter().any(|file| real(file) == real(path)) {
            return Err(format!("{} would be overwritten before it is read; name another output", path.display()));
        }
        let is_same = |other: &PathBuf| other == *path || real(other).is_some_and(|one| Some(one) == real(path));
        let is_taken = outputs.iter().take(index).any(|other| is_same(other));
        if is_taken && (!is_stdio(path) || Some(*path) == args.arrow.as_ref()) {
            return Err(format!("{} cannot take two kinds of output; name two files", path.display()));
        }
    }
    Ok(())
}

/// What tells a file that exists from every other: a hard link is the same file under another name.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

fn is_stdio(path: &Path) -> bool {
    path == Path::new("-")
}

fn create(path: Option<&Path>) -> Result<Box<dyn Write + Send>, String> {
    match path {
        None => Ok(Box::new(io::sink())),
        Some(path) if is_stdio(path) => Ok(Box::new(BufWriter::new(io::stdout()))),
        Some(path) => {
            let file = fs::File::create(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            Ok(Box::new(BufWriter::new(file)))
        }
    }
}

/// Prints the summary where it does not mix with events.
fn tell(args: &CheckArgs, summary: &str) -> Done {
    if [&args.accepted, &args.rejected, &args.arrow].into_iter().flatten().any(|path| is_stdio(path)) {
        eprint!("{summary}");
        return Ok(0);
    }
    say(summary)
}

fn progress(path: &Path) -> ProgressBar {
    let size = fs::metadata(path).map(|file| file.len()).ok();
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = match size {
        Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        None => "{msg} {spinner} {bytes} {bytes_per_sec}",
    };
    let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(path.display().to_string());
    bar
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}
