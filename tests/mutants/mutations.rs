//! Every way in which one rule of the table could be mistaken in one place.

use super::rule::{Expr, List, Rule};
use super::vocabulary::{Category, FIELDS, Fault, Field, Kind};

/// A rule with one mistake in it.
pub struct Mutant {
    /// What was changed.
    pub change: String,
    pub rule: Rule,
}

/// The same rule.
pub fn copy(rule: &Rule) -> Rule {
    Rule { ..*rule }
}

/// Every mutant of every rule that an engine without a store can judge.
pub fn mutants(rules: &[Rule]) -> Vec<Mutant> {
    rules.iter().filter(|rule| !rule.must.is_of_the_store()).flat_map(of_rule).collect()
}

fn of_rule(rule: &Rule) -> Vec<Mutant> {
    let mut mutants = vec![
        Mutant { change: "the rule is dropped".into(), rule: Rule { must: Expr::Always, ..*rule } },
        Mutant { change: "`must` is negated".into(), rule: Rule { must: Expr::Not(kept(rule.must)), ..*rule } },
    ];
    if !matches!(rule.when, Expr::Always) {
        let negated = Expr::Not(kept(rule.when));
        mutants.push(Mutant { change: "`when` always holds".into(), rule: Rule { when: Expr::Always, ..*rule } });
        mutants.push(Mutant { change: "`when` is negated".into(), rule: Rule { when: negated, ..*rule } });
    }
    if let Some(category) = rule.category {
        mutants.push(Mutant { change: "it binds every category".into(), rule: Rule { category: None, ..*rule } });
        let other = next(category);
        mutants.push(Mutant { change: format!("it binds {other:?}"), rule: Rule { category: Some(other), ..*rule } });
    }
    mutants.extend(
        of_expr(&rule.when)
            .into_iter()
            .map(|(change, when)| Mutant { change: format!("`when`: {change}"), rule: Rule { when, ..*rule } }),
    );
    mutants.extend(
        of_expr(&rule.must)
            .into_iter()
            .map(|(change, must)| Mutant { change: format!("`must`: {change}"), rule: Rule { must, ..*rule } }),
    );
    mutants
}

/// Every change to one part of an expression, with the whole that results.
fn of_expr(expr: &Expr) -> Vec<(String, Expr)> {
    match *expr {
        Expr::All(parts) => of_parts(parts, Expr::All, Expr::Any),
        Expr::Any(parts) => of_parts(parts, Expr::Any, Expr::All),
        Expr::Not(part) => {
            let within = of_expr(part).into_iter().map(|(change, part)| (change, Expr::Not(kept(part))));
            [("a Not is dropped".into(), *part)].into_iter().chain(within).collect()
        }
        ref atom => {
            of_atom(atom).into_iter().map(|changed| (format!("{atom:?} becomes {changed:?}"), changed)).collect()
        }
    }
}

type Join = fn(&'static [Expr]) -> Expr;

fn of_parts(parts: &'static [Expr], own: Join, other: Join) -> Vec<(String, Expr)> {
    let mut changes = Vec::new();
    if parts.len() > 1 {
        let name = |join: Join| if matches!(join(parts), Expr::All(_)) { "All" } else { "Any" };
        changes.push((format!("{} becomes {}", name(own), name(other)), other(parts)));
    }
    for (place, part) in parts.iter().enumerate() {
        let others = [&parts[..place], &parts[place + 1..]].concat();
        changes.push((format!("part {} is dropped", place + 1), own(others.leak())));
        changes.extend(of_expr(part).into_iter().map(|(change, part)| {
            let mut changed = parts.to_vec();
            changed[place] = part;
            (format!("in part {}: {change}", place + 1), own(changed.leak()))
        }));
    }
    changes
}

fn of_atom(atom: &Expr) -> Vec<Expr> {
    let of_field =
        |field: Field, make: &dyn Fn(Field) -> Expr| neighbours(field).into_iter().map(make).collect::<Vec<_>>();
    match *atom {
        Expr::Always | Expr::All(_) | Expr::Any(_) | Expr::Not(_) | Expr::NoIdReuse | Expr::NoTwinWithin(_) => {
            Vec::new()
        }
        Expr::Readable(fault) => FAULTS.into_iter().filter(|other| *other != fault).map(Expr::Readable).collect(),
        Expr::Present(field) => {
            // This acts as if null and blank text counted as something.
            let is_there = Expr::Not(kept(Expr::Is(field, Kind::Absent)));
            let mut changed = of_field(field, &Expr::Present);
            changed.extend([Expr::NonEmptyText(field), is_there, both(*atom, is_there, Kind::Text, field)]);
            changed
        }
        Expr::Is(field, kind) => {
            let others = KINDS.into_iter().filter(|other| *other != kind).map(|other| Expr::Is(field, other));
            of_field(field, &|field| Expr::Is(field, kind)).into_iter().chain(others).collect()
        }
        Expr::NonEmptyText(field) => {
            let mut changed = of_field(field, &Expr::NonEmptyText);
            changed.extend([Expr::Present(field), Expr::Is(field, Kind::Text)]);
            changed
        }
        Expr::Uuid(field) => {
            let mut changed = of_field(field, &Expr::Uuid);
            changed.push(Expr::NonEmptyText(field));
            changed
        }
        Expr::Timestamp => vec![Expr::NonEmptyText(Field::OccurredAt)],
        Expr::Length(field, least, most) => {
            let mut changed = of_field(field, &|field| Expr::Length(field, least, most));
            changed.extend(beside(least).map(|least| Expr::Length(field, least, most)));
            changed.extend(beside(most).map(|most| Expr::Length(field, least, most)));
            changed
        }
        Expr::OneOf(field, choices) => {
            let without = |place: usize| [&choices[..place], &choices[place + 1..]].concat();
            let mut changed = of_field(field, &|field| Expr::OneOf(field, choices));
            // The table cannot hold an empty list.
            changed.extend((0..choices.len()).map(|place| match choices.len() {
                1 => Expr::Not(kept(Expr::Always)),
                _ => Expr::OneOf(field, without(place).leak()),
            }));
            changed
        }
        Expr::Number(field, least, most) => {
            let except = |bound: u32| {
                let exactly = Expr::Number(field, bound, Some(bound));
                Expr::All(vec![*atom, Expr::Not(kept(exactly))].leak())
            };
            let mut changed = of_field(field, &|field| Expr::Number(field, least, most));
            changed.extend(beside(least).map(|least| Expr::Number(field, least, most)));
            changed.push(except(least));
            changed.push(Expr::Is(field, Kind::Number));
            if let Some(bound) = most {
                changed.extend(beside(bound).map(|most| Expr::Number(field, least, Some(most))));
                changed.push(except(bound));
                changed.push(Expr::Number(field, least, None));
            }
            changed
        }
        Expr::Sha256(field) => {
            let mut changed = of_field(field, &Expr::Sha256);
            changed.push(Expr::Length(field, 64, 64));
            changed
        }
        Expr::Like(field) => {
            let mut changed = of_field(field, &Expr::Like);
            changed.push(Expr::OneOf(field, &["like", "liked", "likes"]));
            changed
        }
        Expr::Listed(field, list) => {
            let others = LISTS.into_iter().filter(|other| *other != list).map(|other| Expr::Listed(field, other));
            let any_text = [Expr::NonEmptyText(field)];
            of_field(field, &|field| Expr::Listed(field, list)).into_iter().chain(others).chain(any_text).collect()
        }
        Expr::MetadataWithin(most) => beside(most).map(Expr::MetadataWithin).collect(),
        Expr::OccurredWithin(ahead, behind) => {
            let ahead_changed = beside(ahead).map(|ahead| Expr::OccurredWithin(ahead, behind));
            ahead_changed.chain(beside(behind).map(|behind| Expr::OccurredWithin(ahead, behind))).collect()
        }
        Expr::Email
        | Expr::RuleTermsAgree
        | Expr::OnlyKnownFields
        | Expr::EmailAgrees
        | Expr::NoScoreKey
        | Expr::NoBlockedJump
        | Expr::NoRawEmail
        | Expr::NoPersonalKey
        | Expr::NoPersonalValue
        | Expr::NoSecret
        | Expr::TrustedCaller
        | Expr::OwnUser
        | Expr::SiteAccepts
        | Expr::CategoryAgrees
        | Expr::PayloadAgrees => vec![Expr::Always, Expr::Not(kept(Expr::Always))],
    }
}

/// The atom, or the other one if the value is of this kind.
fn both(atom: Expr, other: Expr, kind: Kind, field: Field) -> Expr {
    Expr::Any(vec![atom, Expr::All(vec![Expr::Is(field, kind), other].leak())].leak())
}

/// The bounds one below and one above this one.
fn beside(bound: u32) -> impl Iterator<Item = u32> {
    bound.checked_sub(1).into_iter().chain([bound + 1])
}

/// The fields before and after, of the event or of its metadata.
fn neighbours(field: Field) -> Vec<Field> {
    let fields: Vec<_> =
        FIELDS.iter().map(|(other, ..)| *other).filter(|other| other.in_metadata() == field.in_metadata()).collect();
    let place = fields.iter().position(|other| *other == field).unwrap_or_default();
    vec![fields[(place + fields.len() - 1) % fields.len()], fields[(place + 1) % fields.len()]]
}

fn next(category: Category) -> Category {
    match category {
        Category::Engagement => Category::Subscription,
        Category::Subscription => Category::Advocacy,
        Category::Advocacy => Category::Retention,
        Category::Retention => Category::Attribution,
        Category::Attribution => Category::System,
        Category::System => Category::Engagement,
    }
}

/// An expression that a part of another can refer to.
fn kept(expr: Expr) -> &'static Expr {
    Box::leak(Box::new(expr))
}

const FAULTS: [Fault; 6] = [Fault::Json, Fault::Shape, Fault::Depth, Fault::Text, Fault::Number, Fault::DuplicateKey];
const LISTS: [List; 3] = [List::EventTypes, List::RetentionRules, List::States];
const KINDS: [Kind; 8] =
    [Kind::Absent, Kind::Null, Kind::False, Kind::True, Kind::Number, Kind::Text, Kind::Array, Kind::Object];
