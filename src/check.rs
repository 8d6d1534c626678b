//! The reference semantics of the contract: an event, its caller, the registry and a time, to violations. Pure.

use crate::event::{Category, Event, Field, Kind, Value};
use crate::registry::{EventType, Registry};
use crate::rule::{Expr, List};
use crate::rules::RULES;
use crate::{email, number, privacy, text, time};

/// Who sends the event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller<'a> {
    /// Nobody known: a publishable key.
    Visitor,
    /// A signed-in user, by id.
    User(&'a str),
    /// A back end: a secret key.
    Trusted,
}

/// What an event is judged against.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who sends it.
    pub caller: Caller<'a>,
    /// The page that a browser's call came from.
    pub origin: Option<&'a str>,
    /// When it was received, in microseconds since 1970.
    pub received_at: i64,
    /// What the install has registered.
    pub registry: &'a Registry,
    /// The key of the e-mail hash.
    pub pepper: Option<&'a [u8]>,
}

/// A set of rules, by their place in [`RULES`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Violations(pub u64);

impl Violations {
    /// Whether the event is accepted.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rules, in order.
    pub fn rules(self) -> impl Iterator<Item = &'static crate::rule::Rule> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let rule = RULES.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(rule)
        })
    }
}

/// What the gate needs to know of an event that was judged.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// The rules it violates.
    pub violations: Violations,
    /// The hash of its e-mail address, where it sent a valid one.
    pub email_hash: Option<email::Hash>,
}

/// The bytes that the hash of an e-mail address adds to `metadata`, with the longer name of its kind.
pub const EMAIL_HASH_BYTES: usize = r#""email_hash": "", "email_hash_kind": "hmac-sha256", "#.len() + 64;

/// The rules that bind events of each category, and last those of no category.
const BINDING: [u64; 7] = {
    let mut masks = [0; 7];
    let mut category = 0;
    while category < 7 {
        let mut index = 0;
        while index < RULES.len() {
            let binds = match RULES[index].category {
                None => true,
                Some(bound) => bound as usize == category,
            };
            if binds && !mentions(&RULES[index].must, needs_store) && !mentions(&RULES[index].must, reads_text) {
                masks[category] |= 1 << index;
            }
            index += 1;
        }
        category += 1;
    }
    masks
};

/// The rules about the text itself; where one is violated, no other can be judged.
const READING: u64 = rules_that(reads_text);

/// The rules that only a loaded registry can judge.
const REGISTERED: u64 = rules_that(needs_registry);

const fn rules_that(test: Test) -> u64 {
    let (mut mask, mut index) = (0, 0);
    while index < RULES.len() {
        if mentions(&RULES[index].when, test) || mentions(&RULES[index].must, test) {
            mask |= 1 << index;
        }
        index += 1;
    }
    mask
}

/// Which atoms to look for; constant functions cannot take functions, so the tests are named.
type Test = u8;
#[allow(non_upper_case_globals)]
const reads_text: Test = 0;
#[allow(non_upper_case_globals)]
const needs_registry: Test = 1;
#[allow(non_upper_case_globals)]
const needs_store: Test = 2;

const fn mentions(expr: &Expr, test: Test) -> bool {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => {
            let mut index = 0;
            while index < parts.len() {
                if mentions(&parts[index], test) {
                    return true;
                }
                index += 1;
            }
            false
        }
        Expr::Not(part) => mentions(part, test),
        Expr::Readable(_) => test == reads_text,
        Expr::NoTwinWithin(_) => test == needs_store,
        Expr::Listed(_, List::EventTypes | List::RetentionRules)
        | Expr::SiteAccepts
        | Expr::CategoryAgrees
        | Expr::PayloadAgrees => test == needs_registry,
        _ => false,
    }
}

/// Judges an event that was read from `text`.
pub fn check(text: &[u8], event: &Event, context: &Context) -> Verdict {
    let mut judge = Judge { text, event, context, email: None, occurred_at: None, category: None, entry: None };
    if !event.faults.is_empty() {
        return Verdict { violations: judge.violated(READING), email_hash: None };
    }
    let sent = event.value(Field::Email);
    if sent.kind == Kind::Text {
        judge.email = email::normalise(&text::content(text, sent)).map(|address| email::hash(&address, context.pepper));
    }
    judge.occurred_at = judge.text_at(Field::OccurredAt).and_then(|sent| time::parse(&text::content(text, sent)));
    judge.category = judge.text_at(Field::EventCategory).and_then(|sent| Category::named(&text::content(text, sent)));
    judge.entry =
        judge.text_at(Field::EventType).and_then(|sent| context.registry.event_type(&text::content(text, sent)));
    let category = judge.category.map_or(6, |category| category as usize);
    let unjudgeable = if context.registry.is_loaded { 0 } else { REGISTERED };
    let rules = BINDING.get(category).copied().unwrap_or_default() & !unjudgeable;
    Verdict { violations: judge.violated(rules), email_hash: judge.email }
}

struct Judge<'a> {
    text: &'a [u8],
    event: &'a Event,
    context: &'a Context<'a>,
    email: Option<email::Hash>,
    occurred_at: Option<i64>,
    category: Option<Category>,
    entry: Option<&'a EventType>,
}

impl Judge<'_> {
    #[inline]
    fn violated(&self, rules: u64) -> Violations {
        let mut violations = 0;
        let mut left = rules;
        while left != 0 {
            let index = left.trailing_zeros();
            left &= left - 1;
            let Some(rule) = RULES.get(index as usize) else {
                break;
            };
            if self.holds(&rule.when) && !self.holds(&rule.must) {
                violations |= 1 << index;
            }
        }
        Violations(violations)
    }

    /// What an expression means.
    fn holds(&self, expr: &Expr) -> bool {
        match *expr {
            Expr::Always => true,
            Expr::All(parts) => parts.iter().all(|part| self.holds(part)),
            Expr::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Expr::Not(part) => !self.holds(part),
            Expr::Readable(fault) => !self.event.faults.has(fault),
            Expr::Present(field) => self.is_present(field),
            Expr::Is(field, kind) => self.event.value(field).kind == kind,
            Expr::NonEmptyText(field) => self.text_at(field).is_some_and(|value| !text::is_blank(self.text, value)),
            Expr::Uuid(field) => self.text_at(field).is_some_and(|value| is_uuid(&text::content(self.text, value))),
            Expr::Timestamp => self.occurred_at.is_some(),
            Expr::Length(field, least, most) => self
                .text_at(field)
                .is_some_and(|value| (least as usize..=most as usize).contains(&text::length(self.text, value))),
            Expr::OneOf(field, choices) => self
                .text_at(field)
                .is_some_and(|value| choices.iter().any(|choice| text::equals(self.text, value, choice.as_bytes()))),
            Expr::Number(field, least, most) => {
                let value = self.event.value(field);
                value.kind == Kind::Number && number::within(value.raw(self.text), least, most)
            }
            Expr::Sha256(field) => self.text_at(field).is_some_and(|value| {
                let content = text::content(self.text, value);
                content.len() == 64 && content.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            }),
            Expr::Like(field) => self.text_at(field).is_some_and(|value| is_like(&text::content(self.text, value))),
            Expr::Email => self.email.is_some(),
            Expr::Listed(field, list) => self.text_at(field).is_some_and(|value| match list {
                List::EventTypes => self.entry.is_some(),
                List::RetentionRules => self.context.registry.has_retention_rule(&text::content(self.text, value)),
                List::States => self.context.registry.has_state(&text::content(self.text, value)),
            }),
            Expr::OnlyKnownFields => !self.event.unknown_field,
            Expr::MetadataWithin(most) => {
                let hash_to_come = self.is_present(Field::Email) && !self.is_present(Field::EmailHash);
                let added = if hash_to_come { EMAIL_HASH_BYTES } else { 0 };
                self.event.metadata_size + added <= most as usize
            }
            Expr::OccurredWithin(ahead, behind) => self.occurred_at.is_some_and(|time| {
                let age = self.context.received_at - time;
                (-i64::from(ahead) * 1_000_000..=i64::from(behind) * 1_000_000).contains(&age)
            }),
            Expr::EmailAgrees => {
                !self.is_present(Field::Email)
                    || !self.is_present(Field::EmailHash)
                    || self.email.is_some_and(|hash| {
                        self.text_at(Field::EmailHash).is_some_and(|sent| text::equals(self.text, sent, &hash))
                    })
            }
            Expr::NoScoreKey => !self.event.members.iter().any(|member| {
                let key = text::content(self.text, member.key);
                key.eq_ignore_ascii_case(b"engagement_score")
                    || key.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"score"))
            }),
            Expr::NoBlockedJump => match (self.text_at(Field::PriorState), self.text_at(Field::NewState)) {
                (Some(from), Some(to)) => {
                    !self.context.registry.blocks_jump(&text::content(self.text, from), &text::content(self.text, to))
                }
                _ => true,
            },
            Expr::NoRawEmail => {
                !self.any_marked(Value::AT, |value, content| value.has(Value::AT) && email::is_in(content))
            }
            Expr::NoPersonalKey => {
                !self.event.keys.iter().any(|&key| privacy::names_personal_data(&text::content(self.text, key)))
            }
            Expr::NoPersonalValue => !self.any_marked(Value::AT | Value::DIGITS, |value, content| {
                privacy::marked_holds_personal_value(content, value.has(Value::AT), value.has(Value::DIGITS))
            }),
            Expr::TrustedCaller => self.context.caller == Caller::Trusted,
            Expr::OwnUser => match self.context.caller {
                Caller::Trusted => true,
                Caller::Visitor => !self.is_present(Field::UserId),
                Caller::User(id) => {
                    !self.is_present(Field::UserId)
                        || self
                            .text_at(Field::UserId)
                            .is_some_and(|sent| text::content(self.text, sent).eq_ignore_ascii_case(id.as_bytes()))
                }
            },
            Expr::SiteAccepts => {
                let site = self.event.value(Field::SiteId);
                let id = text::content(self.text, site);
                self.context.registry.site_accepts(self.is_present(Field::SiteId).then_some(&id), self.context.origin)
            }
            Expr::CategoryAgrees => self.entry.is_some_and(|entry| entry.category == self.category),
            Expr::PayloadAgrees => self.entry.is_some_and(|entry| entry.admits(self.text, self.event)),
            Expr::NoTwinWithin(_) => true,
        }
    }

    #[inline]
    fn text_at(&self, field: Field) -> Option<Value> {
        let value = self.event.value(field);
        (value.kind == Kind::Text).then_some(value)
    }

    #[inline]
    fn is_present(&self, field: Field) -> bool {
        let value = self.event.value(field);
        match value.kind {
            Kind::Absent | Kind::Null => false,
            Kind::Text => !text::is_blank(self.text, value),
            Kind::False | Kind::True | Kind::Number | Kind::Array | Kind::Object => true,
        }
    }

    /// Whether a text with such a mark, in metadata or in a column, is what is looked for.
    #[inline]
    fn any_marked(&self, marks: u8, test: impl Fn(Value, &[u8]) -> bool) -> bool {
        let found = |value: Value| value.has(marks) && test(value, &text::content(self.text, value));
        self.event.suspects.iter().any(|&value| found(value))
            || TEXT_COLUMNS.iter().any(|&field| self.text_at(field).is_some_and(found))
    }
}

/// The columns that hold a sender's text.
pub const TEXT_COLUMNS: [Field; 9] = [
    Field::SessionId,
    Field::EventType,
    Field::EventCategory,
    Field::EventSource,
    Field::UtmSource,
    Field::UtmMedium,
    Field::UtmCampaign,
    Field::UtmContent,
    Field::UtmTerm,
];

/// Whether it is a UUID in the 8-4-4-4-12 form.
#[inline]
pub fn is_uuid(content: &[u8]) -> bool {
    content.len() == 36
        && content.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_like(content: &[u8]) -> bool {
    let is = |word: &[u8]| content.eq_ignore_ascii_case(word);
    let ending = content.len().checked_sub(5).and_then(|at| content.get(at..));
    is(b"like") || is(b"liked") || is(b"likes") || ending.is_some_and(|end| end.eq_ignore_ascii_case(b"_like"))
}
