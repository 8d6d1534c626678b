//! `audience-gate legacy`: what a team recorded before it installed the gate, reported, registered and judged.

use super::{Done, connection, progress, say};
use postgres::Client;
use postgres::types::ToSql;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The arguments of `legacy`.
#[derive(clap::Args)]
pub struct LegacyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Say what judging would find, by rule and by type, with redacted samples. Changes nothing.
    Report {
        /// Write one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Register types of events that these rows have and the registry lacks.
    Register {
        /// The types; --all for each that `report` proposes.
        #[arg(required_unless_present = "all")]
        types: Vec<String>,
        /// Register each of them.
        #[arg(long, conflicts_with = "types")]
        all: bool,
    },
    /// Judge the rows: stamp those that the contract accepts, and write an audit row for each other.
    Judge {
        /// Judge those again that were rejected before, after the registry was corrected.
        #[arg(long)]
        again: bool,
        /// How many rows are judged in one transaction.
        #[arg(long, value_name = "ROWS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        batch: u32,
    },
}

/// What there is from before the gate.
#[derive(Deserialize)]
struct Summary {
    unjudged: u64,
    rejected: u64,
    failed: u64,
    types: Vec<Unregistered>,
    taken_over: Vec<TakenOver>,
}

/// A type of events that the registry lacks.
#[derive(Deserialize)]
struct Unregistered {
    event_type: String,
    event_category: String,
    events: u64,
    obstacle: Option<String>,
}

/// Members whose history begins with the state in which they stood.
#[derive(Deserialize)]
struct TakenOver {
    state: String,
    notes: String,
    members: u64,
}

/// What became of one batch, or of all of them.
#[derive(Default, Deserialize)]
struct Judged {
    examined: u64,
    accepted: u64,
    rejected: u64,
    failures: Vec<Failure>,
    by_rule: BTreeMap<String, Broken>,
    by_type: BTreeMap<String, BTreeMap<String, u64>>,
    next: Option<Value>,
}

/// A row that could not be judged.
#[derive(Deserialize)]
struct Failure {
    id: String,
    sqlstate: String,
}

/// What broke a rule.
#[derive(Default, Deserialize)]
struct Broken {
    rows: u64,
    samples: Vec<Value>,
}

/// How many samples of each rule are shown.
const SAMPLES: usize = 3;
/// How many rows a report judges at a time. Between two of them a double fire is not noticed.
const REPORTED_AT_ONCE: u32 = 5000;

impl Judged {
    fn add(&mut self, batch: Judged) {
        self.examined += batch.examined;
        self.accepted += batch.accepted;
        self.rejected += batch.rejected;
        self.failures.extend(batch.failures);
        for (rule, broken) in batch.by_rule {
            let known = self.by_rule.entry(rule).or_default();
            known.rows += broken.rows;
            known.samples.extend(broken.samples);
            known.samples.truncate(SAMPLES);
        }
        for (name, outcomes) in batch.by_type {
            let known = self.by_type.entry(name).or_default();
            for (outcome, rows) in outcomes {
                *known.entry(outcome).or_default() += rows;
            }
        }
    }
}

/// Runs a subcommand.
pub fn run(args: &LegacyArgs) -> Done {
    let mut client = connection::connect()?;
    match &args.command {
        Command::Report { json } => report(&mut client, *json),
        Command::Register { types, .. } => register(&mut client, types),
        Command::Judge { again, batch } => judge(&mut client, *again, *batch),
    }
}

fn report(client: &mut Client, is_json: bool) -> Done {
    let summary: Summary = ask(client, "select audience_gate.legacy_summary()::text", &[])?;
    let due = summary.unjudged - summary.rejected - summary.failed;
    let found = judge_all(client, due, "looking at rows", "true", "false", REPORTED_AT_ONCE)?;
    if is_json {
        let rules: BTreeMap<_, _> = found
            .by_rule
            .iter()
            .map(|(rule, broken)| (rule, serde_json::json!({ "rows": broken.rows, "samples": broken.samples })))
            .collect();
        let failures: Vec<_> = found
            .failures
            .iter()
            .map(|failure| serde_json::json!({ "id": failure.id, "sqlstate": failure.sqlstate }))
            .collect();
        let whole = serde_json::json!({
            "unjudged": summary.unjudged, "rejected_before": summary.rejected, "failed_before": summary.failed,
            "would_accept": found.accepted, "would_reject": found.rejected, "failures": failures,
            "by_rule": rules, "by_type": found.by_type,
        });
        return say(&format!("{whole}\n"));
    }
    let mut text = format!("{} rows are older than the gate and not accepted.\n", summary.unjudged);
    for (count, words) in [
        (summary.rejected, "were rejected by an earlier judgement; `judge --again` judges them again"),
        (summary.failed, "could not be judged by an earlier judgement; `judge --again` tries again"),
        (found.accepted, "would be accepted"),
        (found.rejected, "would be rejected"),
    ] {
        if count > 0 {
            writeln!(text, "{count:>9} {words}").ok();
        }
    }
    text += &findings(&found);
    text += &proposals(&summary.types);
    if !summary.taken_over.is_empty() {
        text += "\nMembers whose history begins with where they stood before the gate\n";
        for TakenOver { state, notes, members } in &summary.taken_over {
            writeln!(text, "{members:>9} {state}  {notes}").ok();
        }
    }
    say(&text)
}

/// What was found, by rule and by type, with the rows that could not be judged.
fn findings(found: &Judged) -> String {
    let mut text = String::new();
    if !found.by_rule.is_empty() {
        text += "\nBy the first rule that each breaks\n";
        let mut rules: Vec<_> = found.by_rule.iter().collect();
        rules.sort_by_key(|(_, broken)| std::cmp::Reverse(broken.rows));
        for (rule, broken) in rules {
            writeln!(text, "{:>9} {rule}", broken.rows).ok();
            for sample in &broken.samples {
                writeln!(text, "          {sample}").ok();
            }
        }
    }
    if !found.by_type.is_empty() {
        text += "\nBy type\n";
        for (name, outcomes) in &found.by_type {
            let told: Vec<_> = outcomes.iter().map(|(outcome, rows)| format!("{rows} {outcome}")).collect();
            writeln!(text, "          {name}: {}", told.join(", ")).ok();
        }
    }
    if !found.failures.is_empty() {
        text += "\nRows that could not be judged; look at each by its id\n";
        for Failure { id, sqlstate } in &found.failures {
            writeln!(text, "          {id}  SQLSTATE {sqlstate}").ok();
        }
    }
    text
}

fn proposals(types: &[Unregistered]) -> String {
    let mut text = String::new();
    if types.is_empty() {
        return text;
    }
    text += "\nTypes in use that are not registered; `audience-gate legacy register` registers them\n";
    for Unregistered { event_type, event_category, events, obstacle } in types {
        let told = obstacle.as_ref().map_or(String::new(), |obstacle| format!(", but {obstacle}"));
        writeln!(text, "{events:>9} {event_type} as {event_category}{told}").ok();
    }
    text
}

fn register(client: &mut Client, types: &[String]) -> Done {
    let wanted = (!types.is_empty()).then_some(types);
    let rows = client
        .query("select event_type, event_category from audience_gate.legacy_register($1)", &[&wanted])
        .map_err(|error| connection::explain(&error))?;
    let mut text = String::new();
    let mut registered = Vec::new();
    for row in &rows {
        let (name, category): (String, String) = (row.get(0), row.get(1));
        writeln!(text, "registered {name} as {category}, in the tier consumer and without weight").ok();
        registered.push(name);
    }
    let missing: Vec<_> = types.iter().filter(|name| !registered.contains(name)).collect();
    for name in &missing {
        eprintln!(
            "audience-gate: {name} was not registered: it is registered already, no row has it, or `legacy report` says what is in its way"
        );
    }
    say(&text)?;
    Ok(u8::from(!missing.is_empty()))
}

fn judge(client: &mut Client, again: bool, batch: u32) -> Done {
    let taken: i64 = client
        .query_one("select audience_gate.take_over_states()", &[])
        .map_err(|error| connection::explain(&error))?
        .get(0);
    let summary: Summary = ask(client, "select audience_gate.legacy_summary()::text", &[])?;
    let due = if again { summary.unjudged } else { summary.unjudged - summary.rejected - summary.failed };
    let found = judge_all(client, due, "judging rows", "false", if again { "true" } else { "false" }, batch)?;
    client
        .execute("select audience_gate.run_job('refresh_analytics')", &[])
        .map_err(|error| connection::explain(&error))?;
    let mut text = format!("{} rows judged: {} accepted, {} rejected", found.examined, found.accepted, found.rejected);
    if taken > 0 {
        write!(text, "; {taken} members taken over").ok();
    }
    text.push('\n');
    text += &findings(&Judged { by_type: BTreeMap::new(), ..found });
    say(&text)?;
    let after: Summary = ask(client, "select audience_gate.legacy_summary()::text", &[])?;
    Ok(u8::from(after.unjudged > 0))
}

/// Judges batch by batch, each in a transaction of its own, and shows how far it is.
fn judge_all(
    client: &mut Client,
    due: u64,
    what: &str,
    dry_run: &str,
    again: &str,
    batch: u32,
) -> Result<Judged, String> {
    let query = format!("select audience_gate.legacy_judge($1::text::jsonb, {batch}, {dry_run}, {again})::text");
    let bar = progress::rows(what, due);
    let (mut found, mut next) = (Judged::default(), None::<Value>);
    loop {
        let after = next.map(|next| next.to_string());
        let mut judged: Judged = ask(client, &query, &[&after])?;
        bar.inc(judged.examined);
        next = judged.next.take();
        found.add(judged);
        if next.is_none() {
            bar.finish_and_clear();
            return Ok(found);
        }
    }
}

/// The answer of a function that returns JSON.
fn ask<T: DeserializeOwned>(client: &mut Client, query: &str, values: &[&(dyn ToSql + Sync)]) -> Result<T, String> {
    let row = client.query_one(query, values).map_err(|error| connection::explain(&error))?;
    let text: String = row.get(0);
    serde_json::from_str(&text).map_err(|_| "the database answers in a form that this release does not know".to_owned())
}
