//! The places of violations as Rust: for each rule that can fail at more than one, the questions that tell which.

use super::judge::code;
use super::rule::{Expr, Rule};
use super::vocabulary::Field;
use std::fmt::Write;

/// The method of the judge that says where a rule is violated, over a table.
pub fn places(rules: &[Rule]) -> String {
    let mut arms = String::new();
    for (index, rule) in rules.iter().enumerate() {
        let steps = steps(&rule.must);
        if !steps.is_empty() && steps != at(rule.path) {
            let _ = write!(arms, "// {}\n{index} => {{\n{steps}}}\n", rule.id);
        }
    }
    format!(
        "#[allow(clippy::nonminimal_bool, clippy::collapsible_if, clippy::collapsible_match)]\nimpl Judge<'_> {{\n\
         /// Where a rule is violated; `rule` is its place in the table.\n\
         #[cold]\n#[inline(never)]\n#[allow(unreachable_code)]\nfn place(&self, rule: usize) -> Place {{\n\
         match rule {{\n{arms}_ => {{}}\n}}\nPlace::OfRule\n}}\n}}\n"
    )
}

/// Statements that return the place at which an expression fails, or go on if it has none of its own.
fn steps(expr: &Expr) -> String {
    let each = |parts: &[Expr], not: &str| -> String {
        let step = |part: &Expr| match steps(part) {
            steps if steps.is_empty() => steps,
            steps => format!("if {not}{} {{\n{steps}}}\n", code(part)),
        };
        parts.iter().map(step).collect()
    };
    match expr {
        Expr::All(parts) => each(parts, "!"),
        Expr::Not(Expr::Any(parts)) => each(parts, ""),
        Expr::Not(part) => steps(part),
        Expr::Any(parts) => {
            let places: Vec<_> = parts.iter().filter(|part| !matches!(part, Expr::Not(_))).map(steps).collect();
            match places.as_slice() {
                [first, rest @ ..] if rest.iter().all(|other| other == first) => first.clone(),
                _ => String::new(),
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
        | Expr::Listed(field, _) => at(&field.path()),
        Expr::Timestamp | Expr::OccurredWithin(..) => at(&Field::OccurredAt.path()),
        Expr::Email => at(&Field::Email.path()),
        Expr::Readable(fault) => format!("return Place::Fault(Fault::{fault:?});\n"),
        Expr::OnlyKnownFields => search("UnknownField"),
        Expr::NoScoreKey => search("Score"),
        Expr::NoBlockedJump => search("BlockedJump"),
        Expr::NoRawEmail => search("Holds(Found::EMAIL)"),
        Expr::NoPersonalKey => search("PersonalKey"),
        Expr::NoPersonalValue => search("Holds(Found::PERSONAL)"),
        Expr::NoSecret => search("Holds(Found::SECRET)"),
        Expr::PayloadAgrees => search("Payload"),
        Expr::Always
        | Expr::MetadataWithin(_)
        | Expr::RuleTermsAgree
        | Expr::EmailAgrees
        | Expr::TrustedCaller
        | Expr::OwnUser
        | Expr::SiteAccepts
        | Expr::CategoryAgrees
        | Expr::NoIdReuse
        | Expr::NoTwinWithin(_) => String::new(),
    }
}

fn at(path: &str) -> String {
    format!("return Place::At({path:?});\n")
}

fn search(name: &str) -> String {
    format!("return Place::{name};\n")
}
