//! What differs between two contracts, thing by thing, and what comes of each.

use crate::change;
use crate::contract::Contract;
use crate::fields;
use crate::lists;
use crate::search::{Example, Field, Pair, Sender, World, search};
use audience_gate::contract::rule::{Expr, Rule};
use audience_gate::contract::rules::RULES;
use std::collections::BTreeSet;

/// What became of a thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Change {
    Added,
    Removed,
    Changed,
}

impl Change {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Changed => "changed",
        }
    }
}

/// A thing that differs.
#[derive(Debug)]
pub struct Difference {
    /// What kind of thing it is: a rule, a rule of the install's own, a list of the registry, words.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
    /// The smallest event found that it no longer refuses.
    pub loosened: Option<Example>,
    /// The smallest event found that it newly refuses.
    pub tightened: Option<Example>,
    /// What could not be decided, and why.
    pub undecided: Option<String>,
}

/// How to search.
pub struct Search {
    /// Events to judge in addition to the generated ones.
    pub texts: Vec<(String, Sender)>,
    /// How many events are judged for a difference at most.
    pub most: usize,
}

/// Everything that differs.
pub fn differences(old: &Contract, new: &Contract, how: &Search) -> Result<Vec<Difference>, String> {
    let mut found = of_rules(old, new, how);
    found.extend(of_words(old, new));
    found.extend(lists::differences(old, new, how)?);
    Ok(found)
}

/// The names in either list, and what became of each that is not the same in both.
pub fn changed<T>(old: &[(String, T)], new: &[(String, T)], is_same: impl Fn(&T, &T) -> bool) -> Vec<(String, Change)> {
    let said = |list: &'_ [(String, T)], name: &str| list.iter().position(|(known, _)| known == name);
    let names: BTreeSet<&String> = old.iter().chain(new).map(|(name, _)| name).collect();
    let change = |name: &&String| match (said(old, name), said(new, name)) {
        (None, _) => Some(Change::Added),
        (_, None) => Some(Change::Removed),
        (Some(before), Some(after)) => {
            let is_same = old.get(before).zip(new.get(after)).is_some_and(|(old, new)| is_same(&old.1, &new.1));
            (!is_same).then_some(Change::Changed)
        }
    };
    names.into_iter().filter_map(|name| change(&name).map(|change| (name.clone(), change))).collect()
}

/// The two as worlds.
pub fn whole<'a>(old: &'a Contract, new: &'a Contract) -> [World<'a>; 2] {
    [old, new].map(|contract| World { rules: &contract.rules, registry: &contract.registry })
}

fn of_rules(old: &Contract, new: &Contract, how: &Search) -> Vec<Difference> {
    let named = |contract: &Contract| -> Vec<(String, Rule)> {
        contract.rules.iter().map(|rule| (rule.id.to_owned(), Rule { ..*rule })).collect()
    };
    let text = |rule: &Rule| format!("{:?} {:?} {:?}", rule.category, rule.when, rule.must);
    let foreign = |id: &str| [old, new].map(|contract| contract.foreign.get(id).cloned().unwrap_or_default());
    let is_same = |before: &Rule, after: &Rule| {
        let [left, right] = foreign(before.id);
        text(before) == text(after) && left == right
    };
    let changes = changed(&named(old), &named(new), is_same);
    let difference = |(name, change): (String, Change)| {
        let parts = [old, new].map(|contract| -> Vec<Rule> {
            contract.rules.iter().filter(|rule| rule.id == name).map(|rule| Rule { ..*rule }).collect()
        });
        let [loosened, tightened] = of_rule(&parts, old, new, how);
        let others: BTreeSet<String> = foreign(&name).into_iter().flatten().collect();
        let others: Vec<_> = others.into_iter().collect();
        let is_of_store = parts.iter().flatten().any(|rule| rule.must.is_of_the_store());
        let undecided = if !others.is_empty() {
            Some(format!("{} meant something else than this program judges by", others.join(", ")))
        } else if is_of_store {
            Some("only a database can judge it".into())
        } else {
            unseen(&loosened, &tightened)
        };
        Difference { kind: "rule", name, change, loosened, tightened, undecided }
    };
    changes.into_iter().map(difference).collect()
}

/// What is said of a difference that no event shows.
pub fn unseen(loosened: &Option<Example>, tightened: &Option<Example>) -> Option<String> {
    (loosened.is_none() && tightened.is_none()).then(|| "no event was found that shows it".into())
}

fn of_rule(parts: &[Vec<Rule>; 2], old: &Contract, new: &Contract, how: &Search) -> [Option<Example>; 2] {
    let [before, after] = parts;
    let part = [before, after].map(|rules| World { rules, registry: &old.registry });
    let mut changes = Vec::new();
    for rule in before.iter().chain(after) {
        fields::changes(rule, &old.snapshot, &mut changes);
    }
    let concerns = |known: &&Rule| {
        let is_same = |rule: &Rule| rule.id == known.id || rule.category.is_some() && rule.category == known.category;
        before.iter().chain(after).any(is_same)
    };
    let near = RULES.iter().filter(concerns).flat_map(|rule| [rule.accepts, rule.rejects]);
    let mut texts: Vec<&str> = near.collect();
    texts.truncate(MOST_BASES);
    if texts.len() < 4 {
        texts.extend(RULES.iter().map(|rule| rule.accepts).take(4));
    }
    let field = Field {
        texts: &known(how),
        bases: texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect(),
        changes: distinct(changes),
        senders: if before.iter().chain(after).any(|rule| asks_sender(&rule.when) || asks_sender(&rule.must)) {
            &Sender::ALL
        } else {
            &Sender::ALL[..1]
        },
        most: how.most,
    };
    search(&Pair::new(whole(old, new), part), &field)
}

/// How many events are changed at most.
pub const MOST_BASES: usize = 16;

/// The events that are known: the examples of the rules, and those that the caller gave.
pub fn known(how: &Search) -> Vec<(String, Sender)> {
    let examples = RULES.iter().flat_map(|rule| [rule.accepts, rule.rejects]);
    let examples = examples.flat_map(|text| Sender::ALL.map(|sender| (text.to_owned(), sender)));
    examples.chain(how.texts.iter().cloned()).collect()
}

/// Each change once.
pub fn distinct(changes: Vec<change::Change>) -> Vec<change::Change> {
    let mut kept: Vec<change::Change> = Vec::new();
    for change in changes {
        if !kept.contains(&change) {
            kept.push(change);
        }
    }
    kept
}

fn asks_sender(expr: &Expr) -> bool {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(asks_sender),
        Expr::Not(part) => asks_sender(part),
        expr => matches!(expr, Expr::TrustedCaller | Expr::OwnUser | Expr::SiteAccepts),
    }
}

fn of_words(old: &Contract, new: &Contract) -> Vec<Difference> {
    let listed = |contract: &Contract| contract.words.clone().into_iter().collect::<Vec<_>>();
    let difference = |(name, change)| Difference {
        kind: "words",
        name,
        change,
        loosened: None,
        tightened: None,
        undecided: Some("this program judges by words and numbers of its own, so it can show no event".into()),
    };
    changed(&listed(old), &listed(new), |left, right| left == right).into_iter().map(difference).collect()
}
