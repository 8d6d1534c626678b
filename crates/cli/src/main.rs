//! The command line of audience-gate: arguments in, files and exit codes out; see `audience-gate --help`.

use audience_gate::privacy::email;
use clap::{Parser, Subcommand};
use report::Format;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

mod archive;
mod arrow;
mod audit;
mod back_test;
mod check;
mod conformance;
mod connection;
mod contract;
mod copy_out;
mod counts;
mod detach;
mod effective;
mod elements;
mod erase;
mod export;
mod files;
mod folders;
mod history;
mod http;
mod input;
mod judge;
mod legacy;
mod lines;
mod load;
mod manifest;
mod month;
mod parquet_in;
mod parquet_out;
mod progress;
mod report;
mod restore;
mod rows;
mod seal;
mod snapshot;
mod table;
mod tls;

const EXIT_CODES: &str = "Exit codes: 0 everything is accepted or in order, 1 something is rejected or invalid, 2 a file or an argument cannot be used.";
const CHECK_HELP: &str = "The summary goes to standard output, or to standard error if events go to standard output. A file that cannot be read does not stop the others from being judged. An event of more than 16 MiB is refused under parse.json.\n\nWith AUDIENCE_GATE_EMAIL_PEPPER set, e-mail hashes are HMACs under it, those that are sent as hashes too.\n\nExit codes: 0 every event is accepted, 1 some are rejected, 2 a file or an argument cannot be used.";
const HASH_HELP: &str = "With AUDIENCE_GATE_EMAIL_PEPPER set, hashes are HMACs under it of the SHA-256; a line that is such a SHA-256 already is taken as one. A secret is never an argument, because every user of the machine can read those. An address that is not valid prints an empty line, and its number is printed on standard error.\n\nExit codes: 0 all are valid, 1 some are not, 2 standard input cannot be read.";
const ARCHIVE_HELP: &str = "Every month is a folder such as 2026-01 with Parquet files and a _manifest.json. A month counts only once it has been read back and found to hold what the database holds; a month that is already there is not written again. Nothing is removed from the database: see detach.\n\nThe database is the one of DATABASE_URL, directly or through a pooler in session mode.\n\nExit codes: 0 every month is archived, 1 an archived month differs from the database or is damaged, 2 the database, the archive or an argument cannot be used.";
const DETACH_HELP: &str = "In one transaction the month is counted and hashed in the database, compared with the archive's manifest, and only then detached. Needs monthly partitions, see SCALING.md. Ids of detached events stay known, so a retry of one is still a replay. It leaves a system event and a row in audience_gate.partition_log.\n\nThe database is the one of DATABASE_URL, directly or through a pooler in session mode.\n\nExit codes: 0 it is detached, 2 it is not: the archive differs, or the database or an argument cannot be used.";
const RESTORE_HELP: &str = "The month is copied into a table of its own, compared with the archive's manifest and with what was noted when it was detached, and only then attached; all in one transaction. It leaves a system event and a row in audience_gate.partition_log.\n\nThe database is the one of DATABASE_URL, directly or through a pooler in session mode.\n\nExit codes: 0 it is restored, 2 it is not: the archive differs, or the database or an argument cannot be used.";
const LOAD_HELP: &str = "Every event is judged again, by the contract and the registry of the database and as of when it was recorded: its created_at, or else its occurred_at, or else --at. A file with an event that is refused is not loaded at all, unless --skip-refused is given. A retry of a recorded id changes nothing, and a double fire is recorded as rejected. An event without an id gets one derived from what it says and the line it is on.\n\nA load that was interrupted goes on where it stopped when it is run again; a file is never loaded twice. Each load leaves one system event.\n\nThe database is the one of DATABASE_URL, directly or through a pooler in session mode. With AUDIENCE_GATE_EMAIL_PEPPER set, e-mail hashes are HMACs under it, except those that the file says are already.\n\nExit codes: 0 everything is loaded, 1 something was refused, 2 the database, a file or an argument cannot be used.";
const LEGACY_HELP: &str = "Rows that were in public.audience_events before the gate was installed are unjudged, and count in no figure, score or state. Begin with `report`; register the types that you use, and correct the registry; then `judge`. It works while events come in, batch by batch, and goes on where it stopped when it is run again. No row changes in what it holds: one that is accepted is stamped with the contract, one that is not gets an audit row with the reason, and one that cannot be judged is named and stops nothing. When it is done the figures are made anew, and the states follow within a minute.\n\nThe database is the one of DATABASE_URL, directly or through a pooler in session mode.\n\nExit codes: 0 it is done, and after `judge` no row is left unaccepted, 1 some rows are not accepted or a type was not registered, 2 the database or an argument cannot be used.";
const SEAL_HELP: &str = "Sealing begins with `select audience_gate.start_sealing()`. From then on a job hashes what is recorded into a tree, and whoever keeps one signed checkpoint can prove later that nothing under it was changed, by anybody, the owner of the database included. The signature only says who signed; what proves is a checkpoint that the owner cannot write to.\n\nThe database is the one of DATABASE_URL, directly or through a pooler in session mode.\n\nExit codes: 0 everything is as it was sealed, signed or proven, 1 something is not, 2 the database, a file or an argument cannot be used.";
const EXPORT_HELP: &str = "The id is read from standard input, because every user of the machine can read arguments. Months that only an archive holds are not in it: restore them first.\n\nThe database is the one of DATABASE_URL.\n\nExit codes: 0 it is written, 2 the database, standard input or an argument cannot be used.";
const RULES_HELP: &str = "The function tells a registry with the rules of the install's own that are enforced on every site: https://YOUR-PROJECT.supabase.co/functions/v1/ingest/registry. Those of one site and those that only observe are in what `select public.audience_registry()` gives to the service role.\n\nExit codes: 0 they are listed, 2 the registry cannot be used.";
const BACK_TEST_HELP: &str = "Every accepted event is read, in short statements that only read, with a pause after each for as long as it took. The counts are by site, source and type; up to ten events are shown, redacted and without who sent them. A stored event always has an occurred_at, and has no email.\n\nThe database is the one of DATABASE_URL.\n\nExit codes: 0 it would have refused nothing, 1 it would have, 2 the database or the rule cannot be used.";
const EXPLAIN_HELP: &str = "Exit codes: 0 it is explained, 2 there is no such rule.";
/// Lets in only the audience events that satisfy one validation contract.
#[derive(Parser)]
#[command(name = "audience-gate", version, about, after_help = EXIT_CODES)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judge files of events: NDJSON, JSON or CSV, gzipped or not.
    #[command(after_help = CHECK_HELP)]
    Check(check::CheckArgs),
    /// List every rule, or the effective contract of an install.
    #[command(after_help = RULES_HELP)]
    Rules {
        /// List what the install with this registry judges by too: what it has changed, and the rules of its own.
        #[arg(long)]
        effective: bool,
        /// A registry snapshot, or the address of one; without it, the taxonomy that ships.
        #[arg(long, value_name = "FILE|URL", requires = "effective")]
        registry: Option<PathBuf>,
        /// How the list is written.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Say what a rule requires, with an accepted and a refused example.
    #[command(after_help = EXPLAIN_HELP)]
    Explain {
        /// Its id, for example subscription.consent.
        rule: String,
    },
    /// Say what a rule of the install's own would have refused of what is stored.
    #[command(after_help = BACK_TEST_HELP)]
    BackTest(back_test::BackTestArgs),
    /// Answer the conformance suite, a line in and a line out.
    Conformance,
    /// Compare contracts.
    #[command(subcommand)]
    Contract(contract::ContractCommand),
    /// Hash e-mail addresses as the gate does.
    #[command(after_help = HASH_HELP)]
    Hash {
        /// The addresses; without any, one per line from standard input.
        addresses: Vec<String>,
    },
    /// Write closed months of the event log to Parquet.
    #[command(after_help = ARCHIVE_HELP)]
    Archive(archive::ArchiveArgs),
    /// Take an archived month out of the event log.
    #[command(after_help = DETACH_HELP)]
    Detach(detach::DetachArgs),
    /// Bring a detached month back into the event log.
    #[command(after_help = RESTORE_HELP)]
    Restore(restore::RestoreArgs),
    /// Load judged history into the event log, with its own times.
    #[command(after_help = LOAD_HELP)]
    Load(load::LoadArgs),
    /// Report, register and judge what was recorded before the gate was installed.
    #[command(after_help = LEGACY_HELP)]
    Legacy(legacy::LegacyArgs),
    /// Sign, verify and prove the sealed history.
    #[command(after_help = SEAL_HELP)]
    Seal(seal::SealArgs),
    /// Write everything that is held of a person, with what each column means.
    #[command(after_help = EXPORT_HELP)]
    ExportSubject(export::ExportArgs),
}

/// An exit code, or why there is no result.
type Done = Result<u8, String>;

fn main() -> ExitCode {
    let done = match Line::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Rules { effective: false, format, .. } => say(&report::rules(format)),
        Command::Rules { registry, format, .. } => {
            effective::rules(registry.as_deref(), format).and_then(|text| say(&text))
        }
        Command::Explain { rule } => report::explain(&rule).and_then(|text| say(&text)),
        Command::BackTest(args) => back_test::run(&args),
        Command::Conformance => conformance::run(),
        Command::Contract(command) => contract::run(&command),
        Command::Hash { addresses } => hash(&addresses),
        Command::Archive(args) => archive::run(&args),
        Command::Detach(args) => detach::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Legacy(args) => legacy::run(&args),
        Command::Seal(args) => seal::run(&args),
        Command::ExportSubject(args) => export::run(&args),
    };
    let code = done.unwrap_or_else(|problem| {
        eprintln!("audience-gate: {problem}");
        2
    });
    code.into()
}

fn say(text: &str) -> Done {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write: {error}")),
        _ => Ok(0),
    }
}

/// The secret that keys the e-mail hashes; the Edge Function reads it from a variable of the same name.
fn pepper() -> Option<String> {
    std::env::var("AUDIENCE_GATE_EMAIL_PEPPER").ok().filter(|pepper| !pepper.is_empty())
}

fn hash(addresses: &[String]) -> Done {
    let pepper = pepper();
    let pepper = pepper.as_ref().map(|pepper| pepper.as_bytes());
    let mut text = addresses.join("\n").into_bytes();
    if addresses.is_empty() {
        io::stdin().read_to_end(&mut text).map_err(|error| format!("cannot read standard input: {error}"))?;
    }
    let mut out = Vec::new();
    let mut is_invalid = false;
    for (number, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let sent = line.trim_ascii();
        if let Some(address) = email::normalise(line) {
            out.extend_from_slice(&email::hash(&address, pepper));
        } else if email::is_hash(sent) {
            match pepper {
                Some(pepper) => out.extend_from_slice(&email::stored(sent, pepper)),
                None => out.extend_from_slice(sent),
            }
        } else {
            is_invalid = true;
            eprintln!("audience-gate: address {} is not a valid e-mail address", number + 1);
        }
        out.push(b'\n');
    }
    say(&String::from_utf8_lossy(&out))?;
    Ok(u8::from(is_invalid))
}
