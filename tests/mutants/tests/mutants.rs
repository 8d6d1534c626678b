//! A written case tells every mutant of a rule from the rule, both as the reference reads the mutated table and as code
//! that was generated from it. `cargo test -p audience-gate-mutants -- --nocapture` lists the mutants with the cases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "../../support/corpus.rs"]
mod corpus;
#[path = "../mutations.rs"]
#[allow(dead_code)]
mod mutations;
#[path = "../../support/reference/mod.rs"]
mod reference;
#[path = "../../support/mod.rs"]
mod support;

use audience_gate::contract::rules::RULES;
use audience_gate::contract::{rule, vocabulary};
use audience_gate::registry::taxonomy;
use audience_gate::{Registry, Violations};
use corpus::Case;
use reference::World;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Mutants that are not mistakes: the engine, the rule, the change, and why no event can tell the mutant from the rule.
const EQUIVALENT: &[(&str, &str, &str, &str)] = &[
    ("generated", "parse.json", "the rule is dropped", "a text that is not JSON is refused before the judge is asked"),
    (
        "generated",
        "sanity.metadata_size",
        "`when` always holds",
        "the reader measures objects alone; nothing else has a size",
    ),
    ("generated", "identity.site", "an unloaded registry is asked", "it knows no sites, and then every site accepts"),
    (
        "generated",
        "registry.event_category",
        "an unloaded registry is asked",
        "it lists no event type, so the rule does not apply",
    ),
    (
        "generated",
        "registry.payload",
        "an unloaded registry is asked",
        "it lists no event type, so the rule does not apply",
    ),
    (
        "generated",
        "retention.rule_terms",
        "an unloaded registry is asked",
        "it lists no retention rule, so the rule does not apply",
    ),
    (
        "both",
        "subscription.email_hash",
        "`must`: in part 2: in part 2: in part 1: in part 1: Present(Email) becomes NonEmptyText",
        NO_TEXT,
    ),
    (
        "both",
        "subscription.email_hash",
        "`must`: in part 2: in part 2: in part 1: in part 2: Present(EmailHash) becomes NonEmptyText",
        NO_TEXT,
    ),
];
const NO_TEXT: &str = "a value that is not text violates the part that asks for its form";

/// What an event can meet.
#[derive(Clone, Copy, PartialEq)]
enum Meets {
    /// The registry that ships.
    Registry,
    /// A registry whose default site lists no origin, on a call from a page.
    StrictSite,
    /// No registry, because none is loaded yet.
    Nothing,
}

/// A case, what it meets, and the rules that it then violates: as the corpus says or, if it meets something that the
/// corpus does not cover, as the reference says.
struct Sent {
    case: Case,
    meets: Meets,
    violates: Vec<String>,
}

/// The snapshots of the registries.
struct Snapshots {
    ships: Value,
    is_strict: Value,
}

impl Snapshots {
    fn read() -> Self {
        let ships = support::read(taxonomy::snapshot().as_bytes());
        let mut is_strict = ships.clone();
        is_strict["sites"][0]["origins"] = Value::Array(Vec::new());
        Snapshots { ships, is_strict }
    }

    fn met(&self, meets: Meets) -> Option<&Value> {
        match meets {
            Meets::Registry => Some(&self.ships),
            Meets::StrictSite => Some(&self.is_strict),
            Meets::Nothing => None,
        }
    }
}

impl Sent {
    fn origin(&self) -> Option<&str> {
        if self.meets == Meets::StrictSite { Some("https://example.com") } else { self.case.origin.as_deref() }
    }

    fn world<'a>(&'a self, snapshots: &'a Snapshots) -> World<'a> {
        let registry = snapshots.met(self.meets);
        World { caller: self.case.caller(), origin: self.origin(), received_at: support::RECEIVED_AT, registry }
    }
}

fn all_sent(snapshots: &Snapshots) -> Vec<Sent> {
    [Meets::Registry, Meets::StrictSite, Meets::Nothing]
        .into_iter()
        .flat_map(|meets| {
            corpus::cases().into_iter().map(move |case| Sent { violates: case.violates.clone(), case, meets })
        })
        .map(|mut sent| {
            if sent.meets != Meets::Registry {
                let found = reference::violations(RULES, sent.case.text.as_bytes(), &sent.world(snapshots));
                sent.violates = found.into_iter().map(String::from).collect();
            }
            sent
        })
        .collect()
}

/// The case that tells each mutant from its rule, by the mutant's place.
#[derive(Default)]
struct Killed(BTreeMap<usize, String>);

impl Killed {
    fn look(&mut self, place: usize, rule: &str, violated: bool, sent: &Sent) {
        if violated != sent.violates.iter().any(|id| id == rule) {
            self.0.entry(place).or_insert_with(|| match sent.meets {
                Meets::Registry => sent.case.name.clone(),
                Meets::StrictSite => format!("{} (at a site that lists no origin)", sent.case.name),
                Meets::Nothing => format!("{} (before a registry is loaded)", sent.case.name),
            });
        }
    }

    /// Prints every mutant with the case that tells it from its rule. Fails if no case does although one should, or one
    /// does although it is listed as equivalent.
    fn check(&self, engine: &str, mutants: &[(&str, &str)]) {
        let mut wrong = Vec::new();
        let mut equivalent = 0;
        for (place, (rule, change)) in mutants.iter().enumerate() {
            let reason = EQUIVALENT.iter().find(|known| {
                (known.0 == engine || known.0 == "both") && known.1 == *rule && change.starts_with(known.2)
            });
            equivalent += usize::from(reason.is_some());
            let told_by = match (self.0.get(&place), reason) {
                (Some(case), None) => case.clone(),
                (None, Some(reason)) => format!("equivalent, because {}", reason.3),
                (Some(case), Some(_)) => {
                    wrong.push(format!("{rule}: {change}: said to be equivalent, but told by {case}"));
                    continue;
                }
                (None, None) => {
                    wrong.push(format!("{rule}: {change}: told by no case of tests/corpus"));
                    continue;
                }
            };
            println!("{engine}: {rule}: {change}: {told_by}");
        }
        println!("{engine}: {} mutants: {} killed, {equivalent} equivalent", mutants.len(), self.0.len());
        assert!(wrong.is_empty(), "{} of {} mutants:\n{}", wrong.len(), mutants.len(), wrong.join("\n"));
    }
}

#[test]
fn a_case_tells_every_mutant_of_the_table_from_its_rule() {
    let snapshots = Snapshots::read();
    let mutants = mutations::mutants(RULES);
    let mut killed = Killed::default();
    for sent in all_sent(&snapshots) {
        let judge = reference::Judge::new(sent.case.text.as_bytes(), sent.world(&snapshots));
        for (place, mutant) in mutants.iter().enumerate() {
            if !killed.0.contains_key(&place) {
                killed.look(place, mutant.rule.id, judge.violates(&mutant.rule), &sent);
            }
        }
    }
    let names: Vec<_> = mutants.iter().map(|mutant| (mutant.rule.id, mutant.change.as_str())).collect();
    killed.check("table", &names);
}

#[test]
fn a_case_tells_every_mutant_of_the_generated_judge_from_its_rule() {
    let snapshots = Snapshots::read();
    let registry = |meets| match snapshots.met(meets) {
        None => Registry::unloaded(),
        Some(snapshot) => Registry::from_json(snapshot.to_string().as_bytes()).unwrap(),
    };
    let registries = [Meets::Registry, Meets::StrictSite, Meets::Nothing].map(|meets| (meets, registry(meets)));
    let mut killed = Killed::default();
    for sent in all_sent(&snapshots) {
        // A text that is not JSON never reaches the judge.
        if sent.violates.iter().any(|id| id == "parse.json") {
            continue;
        }
        let (_, registry) = registries.iter().find(|(meets, _)| *meets == sent.meets).unwrap();
        let mut request = support::request(registry, sent.case.caller());
        request.context.origin = sent.origin();
        support::answer(sent.case.text.as_bytes(), &request);
        let violated: BTreeSet<_> = Violations::of_mutants().into_iter().collect();
        for (place, (rule, _)) in Violations::MUTANTS.iter().enumerate() {
            killed.look(place, rule, violated.contains(&place), &sent);
        }
    }
    killed.check("generated", Violations::MUTANTS);
}
