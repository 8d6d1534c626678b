//! How many events were accepted and rejected, by which rules, and where the rejected ones are.

use audience_gate::Registry;
use audience_gate::contract::rules::RULES;
use audience_gate::gate::Violations;
use audience_gate::parse::json::Json;
use std::collections::BTreeMap;

/// How many rejected events a report shows at most.
pub const MOST_SHOWN: usize = 10;

/// The place of an event.
#[derive(Clone, Copy, Debug)]
pub struct Location {
    /// Which of the files, counted from 0.
    pub file: usize,
    /// The line, or the position in the array, counted from 1.
    pub number: u64,
}

/// A rule that an event violates, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The rule.
    pub rule_id: String,
    /// A JSON pointer to the very key or column; empty if it is the whole event.
    pub path: String,
}

impl Violation {
    /// Reads the violations out of what an audit row says about them: its reason, and what follows as far as their list.
    pub fn read(findings: &[u8]) -> Vec<Violation> {
        let object = [br#"{"rejection_reason":"#, findings, b"}"].concat();
        let found = Json::event(&object);
        let list = found.get("violations").list().unwrap_or_default();
        let text = |one: &Json, key| String::from_utf8_lossy(one.get(key).text().unwrap_or_default()).into_owned();
        list.iter().map(|one| Violation { rule_id: text(one, "rule_id"), path: text(one, "path") }).collect()
    }
}

/// How often one rule was violated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// How many events violate it first.
    pub first: u64,
    /// How many events violate it.
    pub all: u64,
    /// Where the first of them is.
    pub at: Option<Location>,
}

impl Tally {
    fn add(&mut self, later: Tally) {
        *self = Tally { first: self.first + later.first, all: self.all + later.all, at: self.at.or(later.at) };
    }

    fn note(&mut self, is_first: bool, place: Location) {
        self.add(Tally { first: u64::from(is_first), all: 1, at: Some(place) });
    }
}

/// The counts of judged events.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Accepted events.
    pub accepted: u64,
    /// Rejected events.
    pub rejected: u64,
    /// How often every rule was violated, in the order of [`RULES`].
    pub rules: Vec<Tally>,
    /// How often the rules of the install's own were violated, by id.
    pub own: BTreeMap<String, Tally>,
    /// The first rejected events.
    pub shown: Vec<(Location, Vec<Violation>)>,
}

impl Default for Counts {
    fn default() -> Self {
        Counts {
            accepted: 0,
            rejected: 0,
            rules: vec![Tally::default(); RULES.len()],
            own: BTreeMap::new(),
            shown: Vec::new(),
        }
    }
}

impl Counts {
    /// How many events there were.
    pub fn total(&self) -> u64 {
        self.accepted + self.rejected
    }

    /// Adds the counts of later events.
    pub fn add(&mut self, later: &Counts) {
        self.accepted += later.accepted;
        self.rejected += later.rejected;
        for (sum, more) in self.rules.iter_mut().zip(&later.rules) {
            sum.add(*more);
        }
        for (id, more) in &later.own {
            self.own.entry(id.clone()).or_default().add(*more);
        }
        self.shown.extend_from_slice(&later.shown);
        self.shown.truncate(MOST_SHOWN);
    }

    /// Whether the next rejected event is one that a report may show.
    pub fn shows_more(&self) -> bool {
        self.shown.len() < MOST_SHOWN
    }

    /// Counts a rejected event.
    pub fn note(&mut self, violations: Violations, registry: &Registry, place: Location) {
        self.rejected += 1;
        let mut is_first = true;
        for index in violations.places() {
            if let Some(rule) = self.rules.get_mut(index) {
                rule.note(std::mem::take(&mut is_first), place);
            }
        }
        for rule in violations.own_rules(registry) {
            let id = String::from_utf8_lossy(&rule.id).into_owned();
            self.own.entry(id).or_default().note(std::mem::take(&mut is_first), place);
        }
    }
}
