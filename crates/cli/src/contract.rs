//! `audience-gate contract diff`: what two contracts judge differently, each with the smallest event that shows it.

use super::{Done, http, say};
use audience_gate_diff::{Contract, Difference, Example, Search, differences};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// How many events are judged for a difference at most, unless told otherwise.
const MOST_EVENTS: usize = 20_000;

/// Nothing that was accepted is refused, something is, or it could not be decided.
const EXIT: [u8; 3] = [0, 1, 3];

#[derive(clap::Subcommand)]
pub enum ContractCommand {
    /// Show for everything that differs between two contracts an event that they judge differently.
    #[command(after_help = DIFF_HELP)]
    Diff(DiffArgs),
}

const DIFF_HELP: &str = "A contract is a contract.json or what the function answers at /contract, the supabase/contract/meaning.ndjson of a checkout, the record of a release under supabase/contract/releases, or a registry snapshot. What it does not say is as it ships with this program: of a snapshot the rules, of a contract.json the registry.\n\nA difference is found by comparing, and what it does by searching events near the numbers, words, patterns and examples of both. Nothing is called equal that differs; where no event was found, or where this program judges by another meaning of an operator or other words, it says so.\n\nExit codes: 0 nothing is tightened: they are equal, or some events are no longer refused; 1 breaking: an event is newly refused; 2 a contract cannot be used; 3 nothing was found to be tightened, and something could not be decided.";

/// The arguments of `contract diff`.
#[derive(clap::Args)]
pub struct DiffArgs {
    /// The contract before: a file or an address.
    old: PathBuf,
    /// The contract after.
    new: PathBuf,
    /// Write the differences for programs.
    #[arg(long)]
    json: bool,
    /// How many events to judge for each difference at most.
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_EVENTS)]
    events: usize,
}

/// Runs what stands after `contract`.
pub fn run(command: &ContractCommand) -> Done {
    let ContractCommand::Diff(args) = command;
    let [old, new] = [read(&args.old)?, read(&args.new)?];
    let found = differences(&old, &new, &Search { texts: Vec::new(), most: args.events })?;
    say(&if args.json { for_programs(&found) } else { for_people(&found) })?;
    let [equal, breaking, undecided] = EXIT;
    Ok(match &found {
        found if found.iter().any(|one| one.tightened.is_some()) => breaking,
        found if found.iter().any(|one| one.undecided.is_some()) => undecided,
        _ => equal,
    })
}

fn read(path: &Path) -> Result<Contract, String> {
    let text = match path.to_str().filter(|name| http::is_address(name)) {
        Some(address) => http::get(address)?,
        None => fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?,
    };
    Contract::read(&text).map_err(|reason| format!("{} is not a contract to compare: {reason}", path.display()))
}

fn for_programs(found: &[Difference]) -> String {
    let example = |example: &Option<Example>| {
        example.as_ref().map(|Example { event, sender, is_decisive, old, new }| {
            json!({ "event": event, "caller": sender.caller, "origin": sender.origin, "decisive": is_decisive,
                "old": old, "new": new })
        })
    };
    let differences: Vec<Value> = found
        .iter()
        .map(|one| {
            json!({ "kind": one.kind, "name": one.name, "change": one.change.name(),
                "loosened": example(&one.loosened), "tightened": example(&one.tightened), "undecided": one.undecided })
        })
        .collect();
    serde_json::to_string_pretty(&json!({ "differences": differences })).unwrap_or_default() + "\n"
}

fn for_people(found: &[Difference]) -> String {
    let mut out = String::new();
    if found.is_empty() {
        out.push_str("the contracts are equal\n");
    }
    for Difference { kind, name, change, loosened, tightened, undecided } in found {
        let _ = writeln!(out, "{kind} {name}, {}", change.name());
        for (word, example) in [("loosened", loosened), ("tightened", tightened)] {
            let Some(Example { event, sender, old, new, .. }) = example else { continue };
            let origin = sender.origin.map(|origin| format!(" from {origin}")).unwrap_or_default();
            let verdict = |ids: &std::collections::BTreeSet<String>| match ids.len() {
                0 => "accepted".to_owned(),
                _ => format!("refused by {}", ids.iter().cloned().collect::<Vec<_>>().join(", ")),
            };
            let _ = writeln!(
                out,
                "  {word}: {event}\n    sent by {}{origin}: {}; now {}",
                sender.caller,
                verdict(old),
                verdict(new)
            );
        }
        if let Some(reason) = undecided {
            let _ = writeln!(out, "  not decided: {reason}");
        }
    }
    out
}
