//! The places of violations as SQL: `audience_gate.places()`, written from the same table as the rules.

use crate::sql_condition::Condition;
use crate::sql_expr::Source;
use crate::taxonomy_sql::quote;
use crate::units::Unit;
use audience_gate::contract::rule::{Expr, Rule};
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::{Fault, Field};

const TEMPLATE: &str = include_str!("places.sql");

/// The function, with the variables that are read from a document and how they are filled.
pub fn unit(declared: &str, prepared: &str) -> Unit {
    let cases: String = RULES.iter().filter_map(case).collect();
    // Only what the cases read.
    let declared = kept(declared, 1, |line| line.split_whitespace().next(), &cases);
    let prepared = kept(prepared, 3, |block| block.split_once('(')?.1.split('\'').nth(1), &cases);
    Unit::new(
        &TEMPLATE
            .replace("{{declared}}", &declared)
            .replace("{{prepared}}", &prepared)
            .replace("{{metadata}}", &Source::Document.json(Field::Metadata))
            .replace("{{cases}}", &cases),
    )
}

/// Those blocks, each of this many lines, whose variable the cases read.
fn kept(text: &str, lines: usize, variable: fn(&str) -> Option<&str>, cases: &str) -> String {
    let is_read = |name: &str| {
        cases.match_indices(name).any(|(at, _)| {
            let before = cases.get(..at).and_then(|text| text.chars().next_back());
            before.is_some_and(|before| matches!(before, ' ' | '('))
        })
    };
    let lines_of: Vec<_> = text.split_inclusive('\n').collect();
    let blocks = lines_of.chunks(lines).map(<[&str]>::concat);
    blocks.filter(|block| variable(block).is_some_and(is_read)).collect()
}

/// What is asked for a rule that can be violated at more than one place.
fn case(rule: &Rule) -> Option<String> {
    let place = place(&rule.must)?;
    (place != quote(rule.path)).then(|| {
        format!("      when {} then\n        found := {};\n", quote(rule.id), place.replace('\n', "\n        "))
    })
}

/// The place at which an expression fails as a SQL expression, null if it has none of its own.
fn place(expr: &Expr) -> Option<String> {
    match expr {
        Expr::All(parts) => first(parts, Condition::negated),
        Expr::Not(Expr::Any(parts)) => first(parts, |condition| condition),
        Expr::Not(part) => place(part),
        Expr::Any(parts) => {
            let places: Vec<_> = parts.iter().filter(|part| !matches!(part, Expr::Not(_))).map(place).collect();
            match places.as_slice() {
                [first, rest @ ..] if rest.iter().all(|other| other == first) => first.clone(),
                _ => None,
            }
        }
        Expr::Present(field)
        | Expr::Is(field, _)
        | Expr::NonEmptyText(field)
        | Expr::Uuid(field)
        | Expr::Length(field, ..)
        | Expr::OneOf(field, _)
        | Expr::Number(field, ..)
        | Expr::Sha256(field)
        | Expr::Like(field)
        | Expr::Listed(field, _) => Some(quote(&field.path())),
        Expr::Timestamp | Expr::OccurredWithin(..) => Some(quote(&Field::OccurredAt.path())),
        Expr::Email => Some(quote(&Field::Email.path())),
        Expr::Readable(Fault::Depth) => search("depth"),
        Expr::Readable(Fault::Number) => search("number"),
        // No jsonb has such a fault, apart from one of shape, whose place is the whole.
        Expr::Readable(Fault::Json | Fault::Shape | Fault::Text | Fault::DuplicateKey) => None,
        Expr::OnlyKnownFields => search("unknown_field"),
        Expr::NoScoreKey => search("score"),
        Expr::NoBlockedJump => search("blocked_jump"),
        Expr::NoRawEmail => search("email"),
        Expr::NoPersonalKey => search("personal_key"),
        Expr::NoPersonalValue => search("personal"),
        Expr::NoSecret => search("secret"),
        Expr::PayloadAgrees => search("payload"),
        Expr::Always
        | Expr::MetadataWithin(_)
        | Expr::RuleTermsAgree
        | Expr::EmailAgrees
        | Expr::TrustedCaller
        | Expr::OwnUser
        | Expr::SiteAccepts
        | Expr::CategoryAgrees
        | Expr::NoIdReuse
        | Expr::NoTwinWithin(_) => None,
    }
}

/// The place of the first part that fails and has a place.
fn first(parts: &[Expr], fails: impl Fn(Condition) -> Condition) -> Option<String> {
    let steps: Vec<_> = parts
        .iter()
        .filter_map(|part| {
            let condition = fails(Source::Document.condition(part));
            let place = place(part).filter(|_| condition != Condition::Settled(false))?;
            let when =
                format!("  case\n    when {}\n    then {}\n  end", condition.written(6), place.replace('\n', "\n    "));
            Some(when)
        })
        .collect();
    match steps.as_slice() {
        [] => None,
        steps => Some(format!("coalesce(\n{}\n)", steps.join(",\n"))),
    }
}

fn search(sought: &str) -> Option<String> {
    Some(format!("audience_gate.pointer(audience_gate.place(event, {}))", quote(sought)))
}
