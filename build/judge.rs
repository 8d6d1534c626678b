//! The rules as Rust: one `if` for each rule, over the predicates of `gate/judge.rs`.

use super::rule::{Expr, List, Rule};
use super::vocabulary::{CATEGORIES, Field};

/// The methods of the judge over a table. `first` is code that opens both; it is empty in the gate that ships.
pub fn judge(rules: &[Rule], first: &str) -> String {
    let (reading, binding): (Vec<_>, Vec<_>) =
        rules.iter().enumerate().partition(|(_, rule)| mentions(rule, &|part| matches!(part, Expr::Readable(_))));
    let judged_here = |(_, rule): &(usize, &Rule)| !mentions(rule, &|part| part.is_of_the_store());
    format!(
        "#[allow(clippy::nonminimal_bool)]\nimpl Judge<'_> {{\n\
         /// The rules about the text itself; if one is violated, no other can be judged.\n\
         fn unreadable(&self) -> Violations {{\n{first}let mut violations = Violations::NONE;\n{}violations\n}}\n\
         /// The rules about what the event says.\n\
         fn violated(&self) -> Violations {{\n{first}let mut violations = Violations::NONE;\n{}violations\n}}\n}}\n",
        statements(reading.into_iter()),
        statements(binding.into_iter().filter(judged_here)),
    )
}

/// The statements of the rules. Those of one category are together, so that events of others skip them at once.
fn statements<'a>(rules: impl Iterator<Item = (usize, &'a Rule)>) -> String {
    let rules: Vec<_> = rules.collect();
    let of_one_kind = rules.chunk_by(|(_, left), (_, right)| left.category == right.category);
    of_one_kind
        .map(|group| {
            let statements: String = group.iter().map(|(index, rule)| statement(*index, rule)).collect();
            match group.first().and_then(|(_, rule)| rule.category) {
                Some(category) => format!("if self.category == Some(Category::{category:?}) {{\n{statements}}}\n"),
                None => statements,
            }
        })
        .collect()
}

fn statement(index: usize, rule: &Rule) -> String {
    let (word, bit) = (index / 64, index % 64);
    format!("// {}\nif {} {{\nviolations.contract[{word}] |= 1 << {bit};\n}}\n", rule.id, violates(rule))
}

/// The condition under which an event of its category violates a rule.
pub fn violates(rule: &Rule) -> String {
    let mut guards = Vec::new();
    if mentions(rule, &needs_registry) {
        guards.push("self.context.registry.is_loaded".into());
    }
    if !matches!(rule.when, Expr::Always) {
        guards.push(code(&rule.when));
    }
    guards.push(format!("!{}", code(&rule.must)));
    guards.join(" && ")
}

/// Whether the rule contains an expression that passes the test.
pub fn mentions(rule: &Rule, test: &dyn Fn(&Expr) -> bool) -> bool {
    fn within(expr: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
        match expr {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().any(|part| within(part, test)),
            Expr::Not(part) => within(part, test),
            _ => test(expr),
        }
    }
    within(&rule.when, test) || within(&rule.must, test)
}

/// Whether only a loaded registry can judge the expression.
pub fn needs_registry(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Listed(_, List::EventTypes | List::RetentionRules)
            | Expr::RuleTermsAgree
            | Expr::SiteAccepts
            | Expr::CategoryAgrees
            | Expr::PayloadAgrees
    )
}

/// An expression as Rust, in a form that can follow a `!`.
pub fn code(expr: &Expr) -> String {
    let joined = |parts: &[Expr], with: &str| format!("({})", parts.iter().map(code).collect::<Vec<_>>().join(with));
    match expr {
        Expr::Always => "true".into(),
        Expr::All(parts) => joined(parts, " && "),
        Expr::Any(parts) => joined(parts, " || "),
        Expr::Not(part) => format!("!{}", code(part)),
        Expr::Readable(fault) => format!("self.is_readable(Fault::{fault:?})"),
        Expr::Present(field) => format!("self.event.is_given(Field::{field:?})"),
        Expr::Is(field, kind) => format!("self.is(Field::{field:?}, Kind::{kind:?})"),
        Expr::NonEmptyText(field) => format!("self.is_non_empty_text(Field::{field:?})"),
        Expr::Uuid(field) => format!("self.is_uuid(Field::{field:?})"),
        Expr::Timestamp => "self.occurred_at.is_some()".into(),
        Expr::Length(field, least, most) => format!("self.has_length(Field::{field:?}, {least}, {most})"),
        Expr::OneOf(Field::EventCategory, choices) if **choices == CATEGORIES => "self.category.is_some()".into(),
        Expr::OneOf(field, choices) => format!("self.is_one_of(Field::{field:?}, &{choices:?})"),
        Expr::Number(field, least, most) => format!("self.is_number(Field::{field:?}, {least}, {most:?})"),
        Expr::Sha256(field) => format!("self.is_sha256(Field::{field:?})"),
        Expr::Like(field) => format!("self.is_like(Field::{field:?})"),
        Expr::Email => "self.email_hash.is_some()".into(),
        Expr::Listed(Field::EventType, List::EventTypes) => "self.entry.is_some()".into(),
        Expr::Listed(field, List::EventTypes) => {
            format!("self.text_is(Field::{field:?}, |id| self.context.registry.event_type(id).is_some())")
        }
        Expr::Listed(field, List::RetentionRules) => format!("self.is_retention_rule(Field::{field:?})"),
        Expr::Listed(field, List::States) => format!("self.is_state(Field::{field:?})"),
        Expr::OnlyKnownFields => "self.has_only_known_fields()".into(),
        Expr::MetadataWithin(most) => format!("self.has_metadata_within({most})"),
        Expr::OccurredWithin(ahead, behind) => format!("self.occurred_within({ahead}, {behind})"),
        Expr::EmailAgrees => "self.email_agrees()".into(),
        Expr::NoScoreKey => "self.has_no_score_key()".into(),
        Expr::NoBlockedJump => "self.makes_no_blocked_jump()".into(),
        Expr::NoRawEmail => "self.holds_no_raw_email()".into(),
        Expr::NoPersonalKey => "self.has_no_personal_key()".into(),
        Expr::NoPersonalValue => "self.holds_no_personal_value()".into(),
        Expr::NoSecret => "self.holds_no_secret()".into(),
        Expr::TrustedCaller => "self.caller_is_trusted()".into(),
        Expr::OwnUser => "self.speaks_for_own_user()".into(),
        Expr::SiteAccepts => "self.site_accepts()".into(),
        Expr::CategoryAgrees => "self.category_agrees()".into(),
        Expr::PayloadAgrees => "self.payload_agrees()".into(),
        Expr::RuleTermsAgree => "self.rule_terms_agree()".into(),
        Expr::NoIdReuse | Expr::NoTwinWithin(_) => "true".into(),
    }
}
