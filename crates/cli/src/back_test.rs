//! `audience-gate back-test`: what a rule of an install's own would have refused of what is stored.
//!
//! The events are read in short statements, one after the other, and judged here; between two of them the command waits
//! for as long as the last took, so that ingest keeps the database.

use super::report::Format;
use super::{Done, connection, progress, say};
use audience_gate::contract::vocabulary::Field;
use audience_gate::gate::places;
use audience_gate::ids::is_uuid;
use audience_gate::parse::json::{Json, Step};
use audience_gate::parse::{Parser, Reader, string};
use audience_gate::privacy::redact::{self, Extent};
use audience_gate::registry::{self, Registry};
use audience_gate::time;
use postgres::types::ToSql;
use postgres::{Client, Row};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;
use std::{fs, thread};

/// The arguments of `back-test`.
#[derive(clap::Args)]
pub struct BackTestArgs {
    /// The id of a rule of the database, or a file with one: a row of public.audience_own_rules as JSON.
    rule: String,
    /// Judge what was recorded from this time on (RFC 3339).
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// How many events a statement reads.
    #[arg(long, value_name = "NUMBER", default_value_t = 5000, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    batch: i64,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How many events are shown.
const MOST_SAMPLES: usize = 10;

const SETTINGS: &str =
    "set statement_timeout = '30s'; set default_transaction_read_only = on; set jit = off; set timezone = 'UTC'";

/// A batch of accepted events that the rule binds, in the order in which they were recorded.
const BATCH: &str = "
select e.id::text, e.created_at::text, coalesce(e.site_id::text, ''), e.event_source, e.event_type,
  (jsonb_strip_nulls(to_jsonb(e) - array['metadata', 'created_at', 'rejected', 'contract'])
    || jsonb_build_object('metadata', e.metadata))::text
from public.audience_events e
where not e.rejected and e.contract is not null
  and e.created_at >= $1::text::timestamptz and (e.created_at, e.id) > ($1::text::timestamptz, $2::text::uuid)
  and e.created_at < $3::text::timestamptz
order by e.created_at, e.id limit $4";

/// How many rows there are, as far as the database knows without counting.
const ESTIMATE: &str = "
select coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint from pg_catalog.pg_class c
where c.oid = 'public.audience_events'::regclass
  or c.oid in (select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = 'public.audience_events'::regclass)";

/// By what else than the contract's words keys name personal data here.
const WORDS: &str = "select words from public.audience_personal_words";

/// What came of it.
#[derive(Default)]
struct Found {
    examined: u64,
    bound: u64,
    /// How many would be refused, by site, source and type.
    refused: BTreeMap<[String; 3], u64>,
    /// The first of each of them, and others.
    firsts: Vec<Value>,
    others: Vec<Value>,
    parser: Box<Parser>,
}

/// Reads all that is stored, and prints what the rule would have refused.
pub fn run(args: &BackTestArgs) -> Done {
    let since = args.since.as_deref().unwrap_or("-infinity");
    if since != "-infinity" && time::parse(since.as_bytes()).is_none() {
        return Err(format!("--since {since}: send a time such as 2026-11-21T09:30:00Z"));
    }
    let mut client = connection::connect()?;
    client.batch_execute(SETTINGS).map_err(|error| connection::explain(&error))?;
    let rule = rule(&args.rule, &mut client)?;
    let words = client.query(WORDS, &[]).map_err(|error| connection::explain(&error))?;
    let registry = registry_of(&rule, &words.iter().map(|row| row.get(0)).collect::<Vec<String>>())?;
    let ask = |client: &mut Client, query: &str, values: &[&(dyn ToSql + Sync)]| {
        client.query(query, values).map_err(|error| connection::explain(&error))
    };
    let text = |rows: &[Row]| rows.first().map(|row| row.get::<_, String>(0)).unwrap_or_default();
    // What comes later is for the rule itself to judge.
    let end = text(&ask(&mut client, "select now()::text", &[])?);
    let rows: i64 = ask(&mut client, ESTIMATE, &[])?.first().map_or(0, |row| row.get(0));
    let bar = progress::rows(&args.rule, rows.unsigned_abs());
    let mut found = Found::default();
    let (mut after, mut last) = (since.to_owned(), "00000000-0000-0000-0000-000000000000".to_owned());
    loop {
        let begun = Instant::now();
        let rows = ask(&mut client, BATCH, &[&after, &last, &end, &args.batch])?;
        for row in &rows {
            found.look(row, &rule, &registry)?;
        }
        bar.inc(rows.len() as u64);
        let Some(row) = rows.last() else { break };
        (last, after) = (row.get(0), row.get(1));
        if (rows.len() as i64) < args.batch {
            break;
        }
        thread::sleep(begun.elapsed());
    }
    bar.finish_and_clear();
    say(&match args.format {
        Format::Json => found.for_programs(),
        Format::Text => found.for_people(),
    })?;
    Ok(u8::from(!found.refused.is_empty()))
}

/// The rule with that id, or in that file.
fn rule(name: &str, client: &mut Client) -> Result<Value, String> {
    let text = if name.starts_with("own.") {
        let query = "select to_jsonb(r)::text from public.audience_own_rules r where r.id = $1";
        let rows = client.query(query, &[&name]).map_err(|error| connection::explain(&error))?;
        rows.first().map(|row| row.get::<_, String>(0)).ok_or_else(|| format!("the database has no rule {name}"))?
    } else {
        fs::read_to_string(name).map_err(|error| format!("cannot read {name}: {error}"))?
    };
    let mut rule: Value = serde_json::from_str(&text).map_err(|error| format!("{name} is not JSON: {error}"))?;
    if !rule["schema"].is_object() && !rule["schema"].is_boolean() {
        return Err(format!("{name} is no rule: give it a `schema`, a JSON Schema over the event"));
    }
    if rule["site_id"].as_str().is_some_and(|site| !is_uuid(site.as_bytes())) {
        return Err(format!("{name} binds a site whose id is no UUID"));
    }
    // Whatever it does now, it is to be judged by.
    rule["mode"] = json!("enforce");
    Ok(rule)
}

/// A registry with nothing but the rule, and the words of the install.
fn registry_of(rule: &Value, words: &[String]) -> Result<Registry, String> {
    let nothing: [Value; 0] = [];
    let snapshot = json!({ "version": "", "default_site": "", "event_types": nothing, "rules": nothing,
        "states": nothing, "blocked_jumps": nothing, "personal_words": words, "own_rules": [rule] });
    let registry = Registry::from_json(snapshot.to_string().as_bytes())?;
    match registry.faults.first() {
        Some(fault) => Err(fault.clone()),
        None => Ok(registry),
    }
}

impl Found {
    fn look(&mut self, row: &Row, rule: &Value, registry: &Registry) -> Result<(), String> {
        self.examined += 1;
        let text: &str = row.get(5);
        let bytes = text.as_bytes();
        if Reader::new(bytes).event(&mut self.parser).is_err() {
            return Err("the database gives a row that is no JSON".to_owned());
        }
        let event = &self.parser.event;
        let is = |name: &str| rule[name].as_str().map(str::as_bytes);
        let key = [2, 3, 4].map(|place| row.get::<_, String>(place));
        let category = string::content(bytes, event.value(Field::EventCategory));
        let is_bound = is("category").is_none_or(|bound| *category == *bound)
            && is("event_type").is_none_or(|kind| kind == key[2].as_bytes())
            && is("site_id").is_none_or(|site| site.eq_ignore_ascii_case(key[0].as_bytes()));
        if !is_bound {
            return Ok(());
        }
        self.bound += 1;
        let instance = registry::instance(bytes, event);
        let Some(steps) = registry.own_rules.first().and_then(|rule| rule.fault(instance.root())) else {
            return Ok(());
        };
        let is_new = !self.refused.contains_key(&key);
        *self.refused.entry(key).or_default() += 1;
        let samples = if is_new { &mut self.firsts } else { &mut self.others };
        if samples.len() < MOST_SAMPLES {
            samples.push(sample(&steps, text, registry)?);
        }
        Ok(())
    }

    fn samples(&self) -> impl Iterator<Item = &Value> {
        self.firsts.iter().chain(&self.others).take(MOST_SAMPLES)
    }

    fn for_programs(&self) -> String {
        let of = |([site, source, kind], events): (&[String; 3], &u64)| json!({ "site_id": site, "event_source": source, "event_type": kind, "events": events });
        let document = json!({
            "examined": self.examined,
            "bound": self.bound,
            "refused": self.refused.values().sum::<u64>(),
            "by_sender": self.refused.iter().map(of).collect::<Vec<_>>(),
            "samples": self.samples().collect::<Vec<_>>(),
        });
        document.to_string() + "\n"
    }

    fn for_people(&self) -> String {
        let refused: u64 = self.refused.values().sum();
        let mut out =
            format!("{} events, of which the rule binds {} and would refuse {refused}\n", self.examined, self.bound);
        let mut groups: Vec<_> = self.refused.iter().collect();
        groups.sort_by_key(|(_, events)| std::cmp::Reverse(**events));
        for ([site, source, kind], events) in groups {
            let _ = writeln!(out, "{events:>12}  {kind} from {source} at {site}");
        }
        for sample in self.samples() {
            let _ = writeln!(out, "{} {}", sample["path"].as_str().unwrap_or_default().escape_debug(), sample["event"]);
        }
        out
    }
}

/// What a sample shows of an event: where it is refused, and its fields but those that tell whose it is.
fn sample(steps: &[Step], text: &str, registry: &Registry) -> Result<Value, String> {
    let path = places::written(steps).unwrap_or_default();
    let mut shown = Vec::new();
    redact::redacted(Json::event(text.as_bytes()), true, Extent::Short, registry).write(&mut shown);
    let mut event: Value = serde_json::from_slice(&shown).map_err(|error| error.to_string())?;
    if let Some(members) = event.as_object_mut() {
        let is_shown =
            |key: &str| Field::top_level(key.as_bytes()).is_some() && !["id", "user_id", "session_id"].contains(&key);
        members.retain(|key, _| is_shown(key));
    }
    Ok(json!({ "path": String::from_utf8_lossy(&path), "event": event }))
}
