//! Rules judged as the data that they are: what `build.rs` writes as code, for a table that is only known once it is read.

use super::{Judge, whole};
use crate::contract::rule::{Expr, List, Rule};
use crate::contract::vocabulary::{Fault, Field};
use crate::digest::Hash;
use crate::gate::Context;
use crate::gate::values::{look_closer, with_text};
use crate::parse::{Event, Parser, Reader};
use crate::privacy::email;

/// For each of the rules, whether the text of one event violates it. Of a text that is not exactly one event, only rules
/// that ask for JSON know anything. The registry is one that was loaded.
pub fn violated(rules: &[Rule], text: &[u8], parser: &mut Parser, context: &Context) -> Vec<bool> {
    let mut reader = Reader::new(text);
    if reader.event(parser).is_err() || !reader.is_done() {
        return rules.iter().map(|rule| mentions(&rule.must, &|part| is_reading(part, Some(Fault::Json)))).collect();
    }
    let event = &parser.event;
    let hash = hash(text, event);
    let mut judge = whole(text, event, context, hash.as_ref());
    if event.faults().is_empty() && judge.suspicion() != 0 {
        judge.found = look_closer(text, event);
    }
    rules.iter().map(|rule| judge.violates(rule)).collect()
}

fn hash(text: &[u8], event: &Event) -> Option<Hash> {
    let hash = |address: &[u8]| email::normalise(address).map(|address| email::hash(&address, None));
    if event.faults().is_empty() { with_text(text, event.value(Field::Email), hash) } else { None }
}

impl Judge<'_> {
    fn violates(&self, rule: &Rule) -> bool {
        let reads = [rule.when, rule.must].iter().any(|expr| mentions(expr, &|part| is_reading(part, None)));
        reads != self.event.faults().is_empty()
            && rule.category.is_none_or(|category| self.category == Some(category))
            && self.holds(&rule.when)
            && !self.holds(&rule.must)
    }

    fn holds(&self, expr: &Expr) -> bool {
        match *expr {
            Expr::Always => true,
            Expr::All(parts) => parts.iter().all(|part| self.holds(part)),
            Expr::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Expr::Not(part) => !self.holds(part),
            Expr::Readable(fault) => self.is_readable(fault),
            Expr::Present(field) => self.event.is_given(field),
            Expr::Is(field, kind) => self.is(field, kind),
            Expr::NonEmptyText(field) => self.is_non_empty_text(field),
            Expr::Uuid(field) => self.is_uuid(field),
            Expr::Timestamp => self.occurred_at.is_some(),
            Expr::Length(field, least, most) => self.has_length(field, least as usize, most as usize),
            Expr::OneOf(field, choices) => self.is_one_of(field, choices),
            Expr::Number(field, least, most) => self.is_number(field, least, most),
            Expr::Sha256(field) => self.is_sha256(field),
            Expr::Like(field) => self.is_like(field),
            Expr::Email => self.email_hash.is_some(),
            Expr::Listed(field, List::EventTypes) => {
                self.text_is(field, |id| self.context.registry.event_type(id).is_some())
            }
            Expr::Listed(field, List::RetentionRules) => self.is_retention_rule(field),
            Expr::Listed(field, List::States) => self.is_state(field),
            Expr::RuleTermsAgree => self.rule_terms_agree(),
            Expr::OnlyKnownFields => self.has_only_known_fields(),
            Expr::MetadataWithin(most) => self.has_metadata_within(most as usize),
            Expr::OccurredWithin(ahead, behind) => self.occurred_within(ahead.into(), behind.into()),
            Expr::EmailAgrees => self.email_agrees(),
            Expr::NoScoreKey => self.has_no_score_key(),
            Expr::NoBlockedJump => self.makes_no_blocked_jump(),
            Expr::NoRawEmail => self.holds_no_raw_email(),
            Expr::NoPersonalKey => self.has_no_personal_key(),
            Expr::NoPersonalValue => self.holds_no_personal_value(),
            Expr::NoSecret => self.holds_no_secret(),
            Expr::TrustedCaller => self.caller_is_trusted(),
            Expr::OwnUser => self.speaks_for_own_user(),
            Expr::SiteAccepts => self.site_accepts(),
            Expr::CategoryAgrees => self.category_agrees(),
            Expr::PayloadAgrees => self.payload_agrees(),
            // Only the store can know.
            Expr::NoIdReuse | Expr::NoTwinWithin(_) => true,
        }
    }
}

/// Whether an expression contains a part that passes the test.
fn mentions(expr: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(|part| mentions(part, test)),
        Expr::Not(part) => mentions(part, test),
        expr => test(expr),
    }
}

/// Whether it is about the text, or about this fault of it, rather than about what the text says.
fn is_reading(expr: &Expr, only: Option<Fault>) -> bool {
    matches!(expr, Expr::Readable(fault) if only.is_none_or(|only| only == *fault))
}
