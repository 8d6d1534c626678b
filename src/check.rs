//! The reference semantics of the contract: an event, its caller, the registry and a time, to violations. Pure.

use crate::event::{Category, Fault, Field, Kind};
use crate::payload::EventType;
use crate::reading::{Event, Value};
use crate::registry::Registry;
use crate::rule::Told;
use crate::rules::TOLD;
use crate::{email, ids, number, privacy, text, time};

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

/// A set of rules, by their place in [`TOLD`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Violations(pub u64);

impl Violations {
    /// Whether the event is accepted.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rules, in order.
    pub fn rules(self) -> impl Iterator<Item = &'static Told> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let rule = TOLD.get(left.trailing_zeros() as usize)?;
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

// One statement for each rule, written by `build.rs` from the table.
include!(concat!(env!("OUT_DIR"), "/judge.rs"));

/// Judges an event that was read from `text`.
pub fn check(text: &[u8], event: &Event, context: &Context) -> Verdict {
    let mut judge = Judge {
        text,
        event,
        context,
        email: None,
        occurred_at: None,
        category: None,
        entry: None,
        found: Found::default(),
    };
    if !event.faults.is_empty() {
        return Verdict { violations: Violations(judge.unreadable()), email_hash: None };
    }
    let hashed = |address: Vec<u8>| email::hash(&address, context.pepper);
    judge.email = judge.with_text(Field::Email, |address| email::normalise(address).map(hashed));
    judge.occurred_at = judge.with_text(Field::OccurredAt, time::parse);
    judge.category = judge.with_text(Field::EventCategory, Category::named);
    judge.entry = judge.with_text(Field::EventType, |id| context.registry.event_type(id));
    judge.found = if judge.suspicion() == 0 { Found::default() } else { judge.look_closer() };
    Verdict { violations: Violations(judge.violated()), email_hash: judge.email }
}

struct Judge<'a> {
    text: &'a [u8],
    event: &'a Event,
    context: &'a Context<'a>,
    email: Option<email::Hash>,
    occurred_at: Option<i64>,
    category: Option<Category>,
    entry: Option<&'a EventType>,
    found: Found,
}

/// What a closer look at the texts found.
#[derive(Clone, Copy, Default)]
struct Found {
    email: bool,
    personal_value: bool,
}

/// What the predicates of [`Expr`](crate::rule::Expr) mean.
impl Judge<'_> {
    #[inline]
    fn is_readable(&self, fault: Fault) -> bool {
        !self.event.faults.has(fault)
    }

    #[inline]
    fn is(&self, field: Field, kind: Kind) -> bool {
        self.event.value(field).kind() == kind
    }

    #[inline]
    fn is_non_empty_text(&self, field: Field) -> bool {
        self.event.is_given(field) && self.is(field, Kind::Text)
    }

    #[inline]
    fn is_uuid(&self, field: Field) -> bool {
        self.event.value(field).has(Value::UUID) || self.is_strange_uuid(field)
    }

    /// Whether it is a UUID that was written with escapes, or at the very end of the text.
    #[cold]
    #[inline(never)]
    fn is_strange_uuid(&self, field: Field) -> bool {
        self.text_is(field, ids::is_uuid)
    }

    #[inline]
    fn has_length(&self, field: Field, least: usize, most: usize) -> bool {
        self.text_at(field).is_some_and(|value| (least..=most).contains(&text::length(self.text, value)))
    }

    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn is_one_of(&self, field: Field, choices: &[&str]) -> bool {
        self.text_at(field)
            .is_some_and(|value| choices.iter().any(|choice| text::equals(self.text, value, choice.as_bytes())))
    }

    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn is_number(&self, field: Field, least: u32, most: Option<u32>) -> bool {
        let value = self.event.value(field);
        value.kind() == Kind::Number && number::within(value.raw(self.text), least, most)
    }

    fn is_sha256(&self, field: Field) -> bool {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        self.text_is(field, |content| content.len() == 64 && content.iter().all(is_digit))
    }

    fn is_like(&self, field: Field) -> bool {
        self.text_is(field, names_like)
    }

    fn is_retention_rule(&self, field: Field) -> bool {
        self.text_is(field, |id| self.context.registry.has_retention_rule(id))
    }

    fn is_state(&self, field: Field) -> bool {
        self.text_is(field, |id| self.context.registry.has_state(id))
    }

    #[inline]
    fn has_only_known_fields(&self) -> bool {
        self.event.unknown_fields.is_empty()
    }

    #[inline]
    fn has_metadata_within(&self, most: usize) -> bool {
        let hash_to_come = self.event.is_given(Field::Email) && !self.event.is_given(Field::EmailHash);
        let added = if hash_to_come { EMAIL_HASH_BYTES } else { 0 };
        self.event.metadata_size + added <= most
    }

    #[inline]
    fn occurred_within(&self, ahead: i64, behind: i64) -> bool {
        self.occurred_at.is_some_and(|time| {
            let age = self.context.received_at - time;
            (-ahead * 1_000_000..=behind * 1_000_000).contains(&age)
        })
    }

    fn email_agrees(&self) -> bool {
        !self.event.is_given(Field::Email)
            || !self.event.is_given(Field::EmailHash)
            || self.email.is_some_and(|hash| {
                self.text_at(Field::EmailHash).is_some_and(|sent| text::equals(self.text, sent, &hash))
            })
    }

    fn has_no_score_key(&self) -> bool {
        !self.event.members.iter().any(|member| {
            let key = text::content(self.text, member.key);
            key.eq_ignore_ascii_case(b"engagement_score")
                || key.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"score"))
        })
    }

    fn makes_no_blocked_jump(&self) -> bool {
        let blocks = |from: &[u8], to: &[u8]| self.context.registry.blocks_jump(from, to);
        !self.text_is(Field::PriorState, |from| self.text_is(Field::NewState, |to| blocks(from, to)))
    }

    #[inline]
    fn holds_no_raw_email(&self) -> bool {
        !self.found.email
    }

    #[inline]
    fn has_no_personal_key(&self) -> bool {
        !self.event.personal_key
    }

    #[inline]
    fn holds_no_personal_value(&self) -> bool {
        !self.found.personal_value
    }

    #[inline]
    fn caller_is_trusted(&self) -> bool {
        self.context.caller == Caller::Trusted
    }

    #[inline]
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

    #[inline]
    fn site_accepts(&self) -> bool {
        let Context { registry, origin, .. } = self.context;
        match self.event.is_given(Field::SiteId) {
            true => self.text_is(Field::SiteId, |site| registry.site_accepts(Some(site), *origin)),
            false => registry.site_accepts(None, *origin),
        }
    }

    #[inline]
    fn category_agrees(&self) -> bool {
        self.entry.is_some_and(|entry| entry.category == self.category)
    }

    #[inline]
    fn payload_agrees(&self) -> bool {
        self.entry.is_some_and(|entry| entry.admits(self.text, self.event))
    }

    #[inline]
    fn text_at(&self, field: Field) -> Option<Value> {
        let value = self.event.value(field);
        (value.kind() == Kind::Text).then_some(value)
    }

    /// What the content of the field comes to, where it is text.
    #[inline]
    fn with_text<T>(&self, field: Field, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let mut room = Vec::new();
        read(text::content_in(self.text, self.text_at(field)?, &mut room))
    }

    /// Whether the field is text whose content satisfies the test.
    #[inline]
    fn text_is(&self, field: Field, test: impl FnOnce(&[u8]) -> bool) -> bool {
        self.with_text(field, |content| test(content).then_some(())).is_some()
    }

    /// What was seen in the texts that the privacy rules speak of.
    #[inline]
    fn suspicion(&self) -> u8 {
        let columns = TEXT_COLUMNS.iter().map(|&field| self.event.value(field));
        let others = self.event.suspicion | self.event.value(Field::Metadata).suspicion();
        columns.fold(others, |suspicion, value| suspicion | value.suspicion())
    }

    /// Looks at the texts and keys of metadata, and the texts in columns, of which something is suspicious.
    #[cold]
    #[inline(never)]
    fn look_closer(&self) -> Found {
        let metadata = self.event.value(Field::Metadata);
        let columns = TEXT_COLUMNS.iter().filter_map(|&field| self.text_at(field));
        let texts = columns.chain(self.text_at(Field::Metadata)).chain(text::all_within(self.text, metadata));
        let mut found = Found::default();
        for value in texts.filter(|value| value.suspicion() != 0) {
            let content = text::content(self.text, value);
            found.email |= email::is_in(&content);
            found.personal_value |= privacy::holds_personal_value(&content);
        }
        found
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

fn names_like(content: &[u8]) -> bool {
    let ending = content.len().checked_sub(5).and_then(|at| content.get(at..)).unwrap_or_default();
    let word = match content {
        [word @ .., b'd' | b'D' | b's' | b'S'] => word,
        _ => content,
    };
    ending.eq_ignore_ascii_case(b"_like") || word.eq_ignore_ascii_case(b"like")
}
