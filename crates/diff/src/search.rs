//! The search for events that two contracts judge differently.

use crate::change::Change;
use crate::fields::RECEIVED_AT;
use crate::shrink;
use audience_gate::contract::rule::Rule;
use audience_gate::gate::{Caller, Context, Gate, violated};
use audience_gate::registry::Registry;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The user who sends, where one does.
const USER: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// Who sends an event, and from which page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sender {
    /// `trusted`, `visitor`, or the id of a user.
    pub caller: &'static str,
    /// The page that a browser's call came from.
    pub origin: Option<&'static str>,
}

impl Sender {
    /// A back end.
    pub const TRUSTED: Sender = Sender { caller: "trusted", origin: None };
    /// Everybody who can be told apart.
    pub const ALL: [Sender; 4] = [
        Sender::TRUSTED,
        Sender { caller: "visitor", origin: None },
        Sender { caller: USER, origin: None },
        Sender { caller: "visitor", origin: Some("https://example.com") },
    ];
}

/// Rules and the registry that they are judged with.
pub struct World<'a> {
    /// The rules.
    pub rules: &'a [Rule],
    /// The registry.
    pub registry: &'a Registry,
}

/// The ids of the rules that an event violates.
pub type Ids = BTreeSet<String>;

impl World<'_> {
    /// The ids of the rules that the event violates.
    fn violations(&self, gate: &mut Gate, text: &str, sender: Sender) -> Ids {
        let caller = match sender.caller {
            "trusted" => Caller::Trusted,
            "visitor" => Caller::Visitor,
            user => Caller::User(user),
        };
        let context = Context { origin: sender.origin, ..Context::new(self.registry, caller, RECEIVED_AT) };
        let rules = self.rules;
        let found = violated(rules, text.as_bytes(), &mut gate.parser, &context);
        let mut ids: Ids =
            rules.iter().zip(found).filter(|(_, found)| *found).map(|(rule, _)| rule.id.into()).collect();
        if !self.registry.own_rules.is_empty() {
            let own = gate.check(text.as_bytes(), &context);
            ids.extend(own.own_rules(self.registry).map(|rule| String::from_utf8_lossy(&rule.id).into_owned()));
        }
        ids
    }
}

/// An event that is judged differently.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its text.
    pub event: String,
    /// Who sends it.
    pub sender: Sender,
    /// Whether one of the contracts accepts it; if not, both refuse it, for different rules.
    pub is_decisive: bool,
    /// The rules by which the old contract refuses it.
    pub old: Ids,
    /// The same of the new one.
    pub new: Ids,
}

/// Which way a verdict moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// What was refused is not any more.
    Loosened,
    /// What was not refused is.
    Tightened,
}

/// Two contracts, and of them that in which one difference lies.
pub struct Pair<'a> {
    /// The whole contracts.
    whole: [World<'a>; 2],
    /// The same with nothing but the difference.
    part: [World<'a>; 2],
    gate: RefCell<Gate>,
}

impl<'a> Pair<'a> {
    /// The contracts, and that in which the difference lies.
    pub fn new(whole: [World<'a>; 2], part: [World<'a>; 2]) -> Self {
        Pair { whole, part, gate: RefCell::default() }
    }

    fn violations(&self, worlds: &[World; 2], text: &str, sender: Sender) -> [Ids; 2] {
        let mut gate = self.gate.borrow_mut();
        worlds.each_ref().map(|world| world.violations(&mut gate, text, sender))
    }

    /// Whether the event moves in that direction, as an example of it.
    pub fn example(&self, text: &str, sender: Sender, direction: Direction) -> Option<Example> {
        let [before, after] = self.violations(&self.part, text, sender);
        self.told(text, sender, &before, &after, direction)
    }

    fn told(&self, text: &str, sender: Sender, before: &Ids, after: &Ids, direction: Direction) -> Option<Example> {
        let moves = match direction {
            Direction::Loosened => before.difference(after).next().is_some(),
            Direction::Tightened => after.difference(before).next().is_some(),
        };
        if !moves {
            return None;
        }
        let [old, new] = self.violations(&self.whole, text, sender);
        let is_decisive = match direction {
            Direction::Loosened => new.is_empty() && !old.is_empty(),
            Direction::Tightened => old.is_empty() && !new.is_empty(),
        };
        Some(Example { event: text.to_owned(), sender, is_decisive, old, new })
    }
}

/// Where to look, and how long.
pub struct Field<'a> {
    /// Texts to judge as they are.
    pub texts: &'a [(String, Sender)],
    /// Events to change.
    pub bases: Vec<Value>,
    /// The changes.
    pub changes: Vec<Change>,
    /// Who sends.
    pub senders: &'a [Sender],
    /// How many events to judge at most.
    pub most: usize,
}

/// How many changes are made to an event at once, at most.
const MOST_CHANGES: usize = 5;

/// The smallest example that was found for each direction, loosened and tightened.
pub fn search(pair: &Pair, field: &Field) -> [Option<Example>; 2] {
    let mut best = Best { pair, found: [None, None], left: field.most };
    for (text, sender) in field.texts {
        best.look(text, *sender);
    }
    for base in &field.bases {
        best.look_all(base, field.senders);
        for change in &field.changes {
            let mut event = base.clone();
            change.make(&mut event);
            best.look_all(&event, field.senders);
        }
        if best.left == 0 {
            break;
        }
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    best.left = if best.is_decided() { best.left.min(field.most / 8) } else { best.left.max(field.most / 2) };
    while best.left > 0 && !field.bases.is_empty() && !field.changes.is_empty() {
        let Some(base) = field.bases.get(random.below(field.bases.len())) else { break };
        let mut event = base.clone();
        for _ in 0..2 + random.below(MOST_CHANGES - 1) {
            if let Some(change) = field.changes.get(random.below(field.changes.len())) {
                change.make(&mut event);
            }
        }
        best.look_all(&event, field.senders);
    }
    let smallest = |found: Option<Example>, direction| found.map(|found| shrink::smallest(pair, found, direction));
    let [loosened, tightened] = best.found;
    [smallest(loosened, Direction::Loosened), smallest(tightened, Direction::Tightened)]
}

struct Best<'a> {
    pair: &'a Pair<'a>,
    found: [Option<Example>; 2],
    /// How many more events are judged.
    left: usize,
}

impl Best<'_> {
    fn is_decided(&self) -> bool {
        self.found.iter().flatten().any(|example| example.is_decisive)
    }

    fn look_all(&mut self, event: &Value, senders: &[Sender]) {
        let text = event.to_string();
        for sender in senders {
            if self.left > 0 {
                self.left -= 1;
                self.look(&text, *sender);
            }
        }
    }

    fn look(&mut self, text: &str, sender: Sender) {
        let [before, after] = self.pair.violations(&self.pair.part, text, sender);
        if before == after {
            return;
        }
        let directions = [Direction::Loosened, Direction::Tightened];
        for (known, direction) in self.found.iter_mut().zip(directions) {
            let Some(example) = self.pair.told(text, sender, &before, &after, direction) else { continue };
            let worth = |example: &Example| (!example.is_decisive, example.event.len());
            if known.as_ref().is_none_or(|known| worth(&example) < worth(known)) {
                *known = Some(example);
            }
        }
    }
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}
