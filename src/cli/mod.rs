//! The command line: arguments in, files and exit codes out.

use crate::check::{Caller, Context};
use crate::registry::Registry;
use crate::{check::is_uuid, email, emit, taxonomy, time};
use clap::{Args, Parser, Subcommand};
use files::Outputs;
use indicatif::{ProgressBar, ProgressStyle};
use input::{Form, Input};
use judge::{Counts, Order};
use report::Format;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

mod files;
mod input;
mod judge;
mod report;
mod table;

/// Lets in only the audience events that satisfy one validation contract.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 everything is accepted or in order, 1 something is rejected or stale, 2 a file or an argument cannot be used."
)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judge files of events: NDJSON, JSON or CSV, gzipped or not.
    Check(CheckArgs),
    /// List every rule.
    Rules {
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Say what a rule wants, with an accepted and a refused example.
    Explain {
        /// Its id, for example subscription.consent.
        rule: String,
    },
    /// Hash e-mail addresses as the gate does; with AUDIENCE_GATE_PEPPER set, by HMAC.
    Hash {
        /// The addresses; without any, one a line from standard input.
        addresses: Vec<String>,
    },
    /// Write every file that is derived from the rules and the taxonomy.
    Emit {
        /// Only say which of them are stale.
        #[arg(long)]
        check: bool,
        /// The root of the repository.
        #[arg(long, default_value = ".")]
        root: PathBuf,
    },
}

#[derive(Args)]
struct CheckArgs {
    /// The files; `-` is standard input.
    #[arg(default_value = "-")]
    files: Vec<PathBuf>,
    /// How the files write events.
    #[arg(long, value_enum, default_value = "auto")]
    input: Form,
    /// Write accepted events here, one a line, with e-mails replaced by their hashes.
    #[arg(long, value_name = "FILE")]
    accepted: Option<PathBuf>,
    /// Write the redacted record of every rejected event here, one a line.
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// A registry snapshot; without it, the taxonomy that ships.
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// Judge as if sent by `trusted`, `visitor`, or a user's UUID.
    #[arg(long, default_value = "trusted")]
    caller: String,
    /// Judge as if received then (RFC 3339), or `occurred`: when each event occurred.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How the summary is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Runs the command line; its exit code.
pub fn run() -> u8 {
    let done = match Line::parse().command {
        Command::Check(args) => check(&args),
        Command::Rules { format } => say(&report::rules(format)),
        Command::Explain { rule } => report::explain(&rule).and_then(|text| say(&text)),
        Command::Hash { addresses } => hash(addresses),
        Command::Emit { check, root } => emit_all(&root, check),
    };
    done.unwrap_or_else(|problem| {
        eprintln!("audience-gate: {problem}");
        2
    })
}

type Done = Result<u8, String>;

fn say(text: &str) -> Done {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write: {error}")),
        _ => Ok(0),
    }
}

fn check(args: &CheckArgs) -> Done {
    let registry = match &args.registry {
        None => Registry::from_json(taxonomy::snapshot().as_bytes())?,
        Some(path) => {
            let json = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            Registry::from_json(&json)?
        }
    };
    let caller = match args.caller.as_str() {
        "trusted" => Caller::Trusted,
        "visitor" => Caller::Visitor,
        id if is_uuid(id.as_bytes()) => Caller::User(id),
        other => {
            return Err(format!("--caller {other}: send trusted, visitor or a user's UUID"));
        }
    };
    let at_occurrence = args.at.as_deref() == Some("occurred");
    let received_at = match args.at.as_deref() {
        None | Some("occurred") => now(),
        Some(text) => time::parse(text.as_bytes())
            .ok_or_else(|| format!("--at {text}: send a time such as 2026-11-21T09:30:00Z, or `occurred`"))?,
    };
    let pepper = std::env::var("AUDIENCE_GATE_PEPPER").ok().filter(|pepper| !pepper.is_empty());
    let pepper = pepper.as_ref().map(|pepper| pepper.as_bytes());
    let order = Order {
        context: Context { caller, origin: None, received_at, registry: &registry, pepper },
        at_occurrence,
        write_accepted: args.accepted.is_some(),
        write_rejected: args.rejected.is_some(),
    };
    let mut outputs =
        Outputs { accepted: create(args.accepted.as_deref())?, rejected: create(args.rejected.as_deref())? };
    let mut counts = Counts::default();
    for path in &args.files {
        let progress = progress(path);
        let judged = Input::open(path, args.input, progress.clone())
            .and_then(|input| files::run(input, &order, seed(), &mut outputs))
            .map_err(|error| format!("cannot judge {}: {error}", path.display()))?;
        progress.finish_and_clear();
        counts.add(&judged);
    }
    say(&report::summary(&counts, args.format))?;
    Ok(u8::from(counts.rejected > 0))
}

fn create(path: Option<&Path>) -> Result<Box<dyn Write + Send>, String> {
    match path {
        None => Ok(Box::new(io::sink())),
        Some(path) if path == Path::new("-") => Ok(Box::new(BufWriter::new(io::stdout()))),
        Some(path) => {
            let file = File::create(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            Ok(Box::new(BufWriter::new(file)))
        }
    }
}

fn progress(path: &Path) -> ProgressBar {
    let size = std::fs::metadata(path).map(|file| file.len()).ok();
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

/// Randomness for minted ids, from the hasher that the standard library seeds from the system.
fn seed() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let random = || RandomState::new().hash_one(now());
    (u128::from(random()) << 64 | u128::from(random())).to_le_bytes()
}

fn hash(addresses: Vec<String>) -> Done {
    let pepper = std::env::var("AUDIENCE_GATE_PEPPER").ok().filter(|pepper| !pepper.is_empty());
    let pepper = pepper.as_ref().map(|pepper| pepper.as_bytes());
    let lines = if addresses.is_empty() {
        io::read_to_string(io::stdin()).map_err(|error| format!("cannot read standard input: {error}"))?
    } else {
        addresses.join("\n")
    };
    let mut invalid = 0;
    let mut out = String::new();
    for (number, line) in lines.lines().enumerate() {
        match email::normalise(line.as_bytes()) {
            Some(address) => {
                out += &String::from_utf8_lossy(&email::hash(&address, pepper));
                out.push('\n');
            }
            None => {
                invalid += 1;
                eprintln!("audience-gate: address {} is not a valid e-mail address", number + 1);
                out.push('\n');
            }
        }
    }
    say(&out)?;
    Ok(u8::from(invalid > 0))
}

fn emit_all(root: &Path, only_check: bool) -> Done {
    if only_check {
        let stale = emit::verify(root);
        stale.iter().for_each(|file| eprintln!("audience-gate: {file}"));
        return Ok(u8::from(!stale.is_empty()));
    }
    let changed = emit::write(root).map_err(|error| format!("cannot write: {error}"))?;
    say(&changed.iter().fold(String::new(), |out, path| out + "wrote " + path + "\n"))
}
