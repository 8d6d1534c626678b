//! What the rules mean: from an event, its caller, the registry and a time to violations, without side effects.

#[cfg(not(target_arch = "wasm32"))]
pub mod interpret;

use super::hashing;
use super::places::{self, Place};
use super::request::{Caller, Context};
use super::values::{
    is_like, is_number, is_one_of, is_sha256, is_state, is_uuid_slowly, look_closer, names_blocked_jump, names_score,
    text_is, with_text,
};
use super::violations::{Verdict, Violations};
use crate::contract::limits::HASH_LENGTH;
use crate::contract::vocabulary::{Category, Fault, Field, Kind, TEXT_COLUMNS};
use crate::digest::Hash;
use crate::parse::json::Json;
use crate::parse::{Event, Value, number, string};
use crate::privacy::email;
use crate::privacy::find::Found;
use crate::registry::Name;
use crate::registry::payload::EventType;
use crate::time;

// One statement per rule, and where it is violated, which `build.rs` writes from the table.
include!(concat!(env!("OUT_DIR"), "/judge.rs"));

/// Judges an event that was read from `text`, and hashes its e-mail address.
pub fn judge(text: &[u8], event: &Event, context: &Context) -> Verdict {
    let is_readable = event.faults().is_empty();
    let hash = |address: &[u8]| email::normalise(address).map(|address| email::hash(&address, None));
    let email_hash = if is_readable { with_text(text, event.value(Field::Email), hash) } else { None };
    let mut judge = Judge {
        text,
        event,
        context,
        email_hash: email_hash.as_ref(),
        occurred_at: None,
        category: None,
        entry: None,
        found: Found::NOTHING,
    };
    if !is_readable {
        return Verdict { violations: judge.unreadable(), email_hash };
    }
    judge.occurred_at = judge.with_text(Field::OccurredAt, time::parse);
    judge.category = judge.with_text(Field::EventCategory, Category::named);
    judge.entry = judge.with_text(Field::EventType, |id| context.registry.event_type(id));
    judge.found = if judge.suspicion() == 0 { Found::NOTHING } else { look_closer(text, event) };
    let mut violations = judge.violated();
    if !context.registry.own_rules.is_empty() {
        violations.own = context.registry.own_violations(text, event);
    }
    Verdict { violations, email_hash }
}

/// Where an event violates a rule; `rule` is its place in the table.
#[cold]
#[inline(never)]
pub(super) fn place(text: &[u8], event: &Event, context: &Context, rule: usize) -> Place {
    // No place depends on the hash of an address, only on whether it has one.
    let hash = |address: &[u8]| email::normalise(address).map(|_| [0; HASH_LENGTH]);
    let email_hash = with_text(text, event.value(Field::Email), hash);
    whole(text, event, context, email_hash.as_ref()).place(rule)
}

/// A judge that has looked up everything but what is suspicious.
#[inline(always)]
fn whole<'a>(text: &'a [u8], event: &'a Event, context: &'a Context, email_hash: Option<&'a Hash>) -> Judge<'a> {
    Judge {
        text,
        event,
        context,
        email_hash,
        occurred_at: with_text(text, event.value(Field::OccurredAt), time::parse),
        category: with_text(text, event.value(Field::EventCategory), Category::named),
        entry: with_text(text, event.value(Field::EventType), |id| context.registry.event_type(id)),
        found: Found::NOTHING,
    }
}

struct Judge<'a> {
    text: &'a [u8],
    event: &'a Event,
    context: &'a Context<'a>,
    email_hash: Option<&'a Hash>,
    occurred_at: Option<i64>,
    category: Option<Category>,
    entry: Option<&'a EventType>,
    found: Found,
}

/// What the predicates of [`Expr`](crate::contract::rule::Expr) mean.
impl Judge<'_> {
    fn is_readable(&self, fault: Fault) -> bool {
        !self.event.faults().has(fault)
    }

    fn is(&self, field: Field, kind: Kind) -> bool {
        self.event.value(field).kind() == kind
    }

    fn is_non_empty_text(&self, field: Field) -> bool {
        self.event.is_given(field) && self.is(field, Kind::Text)
    }

    #[inline(always)]
    fn is_uuid(&self, field: Field) -> bool {
        let value = self.event.value(field);
        value.has(Value::UUID) || is_uuid_slowly(self.text, value)
    }

    fn has_length(&self, field: Field, least: usize, most: usize) -> bool {
        self.text_at(field).is_some_and(|value| (least..=most).contains(&string::length(self.text, value)))
    }

    #[inline(always)]
    fn is_one_of(&self, field: Field, choices: &[&str]) -> bool {
        is_one_of(self.text, self.event.value(field), choices)
    }

    #[inline(always)]
    fn is_number(&self, field: Field, least: u32, most: Option<u32>) -> bool {
        is_number(self.text, self.event.value(field), least, most)
    }

    #[inline(always)]
    fn is_sha256(&self, field: Field) -> bool {
        is_sha256(self.text, self.event.value(field))
    }

    #[inline(always)]
    fn is_like(&self, field: Field) -> bool {
        is_like(self.text, self.event.value(field))
    }

    #[inline(always)]
    fn is_retention_rule(&self, field: Field) -> bool {
        let registry = self.context.registry;
        self.text_is(field, |id| registry.has_retention_rule(id))
    }

    #[inline(never)]
    fn rule_terms_agree(&self) -> bool {
        let is = |field: Field, demanded: &[u8]| {
            self.text_at(field).is_some_and(|value| string::equals(self.text, value, demanded))
        };
        let agrees = |field, demanded: &Option<Name>| demanded.as_ref().is_none_or(|state| is(field, state));
        let lasts = |least: &[u8]| {
            let days = self.event.value(Field::InactivityDays);
            days.kind() == Kind::Number && number::compare(days.raw(self.text), least).is_ge()
        };
        self.context.registry.retention_rules.iter().any(|rule| {
            is(Field::RuleId, &rule.id)
                && agrees(Field::PriorState, &rule.prior_state)
                && agrees(Field::NewState, &rule.new_state)
                && rule.inactivity_days.as_ref().is_none_or(|least| lasts(least))
        })
    }

    #[inline(always)]
    fn is_state(&self, field: Field) -> bool {
        is_state(self.text, self.event.value(field), self.context.registry)
    }

    fn has_only_known_fields(&self) -> bool {
        self.event.unknown_fields().is_empty()
    }

    fn has_metadata_within(&self, most: usize) -> bool {
        self.event.metadata_size() + hashing::growth(self.text, self.event) <= most
    }

    fn occurred_within(&self, ahead: i64, behind: i64) -> bool {
        self.occurred_at.is_some_and(|time| {
            let age = self.context.received_at - time;
            (-ahead * 1_000_000..=behind * 1_000_000).contains(&age)
        })
    }

    #[inline(always)]
    fn email_agrees(&self) -> bool {
        !self.event.is_given(Field::Email)
            || !self.event.is_given(Field::EmailHash)
            || self.email_hash.is_some_and(|hash| {
                self.text_at(Field::EmailHash).is_some_and(|sent| string::equals(self.text, sent, hash))
            })
    }

    #[inline(always)]
    fn has_no_score_key(&self) -> bool {
        !names_score(self.text, self.event)
    }

    #[inline(always)]
    fn makes_no_blocked_jump(&self) -> bool {
        if self.event.names_state() {
            return !names_blocked_jump(self.text, self.event, self.context.registry);
        }
        let blocks = |from: &[u8], to: &[u8]| self.context.registry.blocks_jump(from, to);
        !self.text_is(Field::PriorState, |from| self.text_is(Field::NewState, |to| blocks(from, to)))
    }

    fn holds_no_raw_email(&self) -> bool {
        !self.found.has(Found::EMAIL)
    }

    #[inline(always)]
    fn has_no_personal_key(&self) -> bool {
        let (registry, is_found) = (self.context.registry, self.event.has_personal_key());
        if registry.personal_words.is_empty() && !(is_found && registry.exempts_keys) {
            return !is_found;
        }
        !places::names_personal_data(&Json::event(self.event.raw(self.text)), registry)
    }

    fn holds_no_personal_value(&self) -> bool {
        !self.found.has(Found::PERSONAL)
    }

    fn holds_no_secret(&self) -> bool {
        !self.found.has(Found::SECRET)
    }

    fn caller_is_trusted(&self) -> bool {
        self.context.caller == Caller::Trusted
    }

    fn speaks_for_own_user(&self) -> bool {
        match self.context.caller {
            Caller::Trusted => true,
            Caller::Visitor => !self.event.is_given(Field::UserId),
            Caller::User(id) => {
                !self.event.is_given(Field::UserId)
                    || self.text_is(Field::UserId, |sent| sent.eq_ignore_ascii_case(id.as_bytes()))
            }
        }
    }

    fn site_accepts(&self) -> bool {
        let Context { registry, origin, .. } = self.context;
        match self.event.is_given(Field::SiteId) {
            true => self.text_is(Field::SiteId, |site| registry.site_accepts(Some(site), *origin)),
            false => registry.site_accepts(None, *origin),
        }
    }

    fn category_agrees(&self) -> bool {
        self.entry.is_some_and(|entry| entry.category == self.category)
    }

    fn payload_agrees(&self) -> bool {
        self.entry.is_some_and(|entry| entry.admits(self.text, self.event))
    }

    fn text_at(&self, field: Field) -> Option<Value> {
        let value = self.event.value(field);
        (value.kind() == Kind::Text).then_some(value)
    }

    fn with_text<T>(&self, field: Field, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        with_text(self.text, self.event.value(field), read)
    }

    fn text_is(&self, field: Field, test: impl FnOnce(&[u8]) -> bool) -> bool {
        text_is(self.text, self.event.value(field), test)
    }

    /// What was seen in the texts that the privacy rules concern.
    fn suspicion(&self) -> u8 {
        let columns = TEXT_COLUMNS.iter().map(|&field| self.event.value(field));
        let others = self.event.suspicion() | self.event.value(Field::Metadata).suspicion();
        columns.fold(others, |suspicion, value| suspicion | value.suspicion())
    }
}
