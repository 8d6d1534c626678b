//! The record of a rejection: a redacted row that is itself a valid system event.

use super::hashing;
use super::places::Judged;
use super::request::{Caller, Context};
use super::shown;
use super::violations::Violations;
use crate::block;
use crate::contract::fingerprint::contract;
use crate::contract::limits::{METADATA_BYTES, RECORD_BYTES, SESSION_LENGTH};
use crate::contract::rule::Explanation;
use crate::contract::vocabulary::{Fault, Field, Kind};
use crate::digest::{hex, sha256};
use crate::ids::{Id, is_uuid};
use crate::parse::json::Json;
use crate::parse::{Event, Faults, space, string};
use crate::privacy::redact::{self, Extent};
use crate::registry::Registry;
use crate::write::{self, put};
use std::cell::OnceCell;
use std::ops::Range;

/// Stands for a session that was missing or must not be kept.
pub const NO_SESSION: &str = "unknown-session";
/// The event type of the record.
pub const EVENT_TYPE: &str = "event_validation_fail";

/// What was rejected: an event, or a text that is not JSON.
#[derive(Debug)]
pub struct Rejected<'a> {
    text: &'a [u8],
    event: Option<&'a Event>,
    violations: Violations,
    fault_at: usize,
}

impl<'a> Rejected<'a> {
    /// An event that violates rules.
    pub fn event(text: &'a [u8], event: &'a Event, violations: Violations) -> Self {
        Rejected { text, event: Some(event), violations, fault_at: 0 }
    }

    /// A text that stops being JSON at a byte.
    pub fn unreadable(text: &'a [u8], at: usize) -> Self {
        Rejected { text, event: None, violations: Violations::UNREADABLE, fault_at: at }
    }

    /// The rules it violates.
    pub fn violations(&self) -> Violations {
        self.violations
    }

    /// The id of the first of them, and its reason.
    pub fn first_rule<'b>(&self, registry: &'b Registry) -> (&'b [u8], &'b [u8]) {
        let of_contract = |rule: &'static Explanation| (rule.id.as_bytes(), rule.reason.as_bytes());
        let own = || self.violations.own_rules(registry).next().map(|rule| (&*rule.id, &*rule.reason));
        self.violations.rules().next().map(of_contract).or_else(own).unwrap_or_default()
    }

    /// The sender's id, if it is a valid one.
    pub fn id(&self) -> Option<Id> {
        self.uuid(Field::Id)
    }

    fn uuid(&self, field: Field) -> Option<Id> {
        let value = self.event?.value(field);
        let mut room = Vec::new();
        let content = string::content_in(self.text, value, &mut room);
        if value.kind() == Kind::Text && is_uuid(content) { Id::try_from(content).ok() } else { None }
    }

    fn payload(&self) -> &'a [u8] {
        match self.event {
            Some(event) => event.raw(self.text),
            None => self.text,
        }
    }

    /// The user under whom it may be kept: one that the caller may speak for.
    fn user(&self, context: &Context) -> Option<Id> {
        let sent = self.uuid(Field::UserId);
        match context.caller {
            Caller::Visitor => None,
            Caller::Trusted => sent,
            Caller::User(id) => match self.event.map(|event| event.value(Field::UserId).kind()) {
                Some(Kind::Absent) | None => Id::try_from(id.as_bytes()).ok(),
                Some(_) => sent.filter(|sent| sent.eq_ignore_ascii_case(id.as_bytes())),
            },
        }
    }

    fn write_session(&self, out: &mut Vec<u8>) {
        let session = self.event.map(|event| event.value(Field::SessionId)).unwrap_or_default();
        let content = string::content(self.text, session);
        let (fewest, most) = SESSION_LENGTH;
        let is_fit = session.kind() == Kind::Text
            && (fewest as usize..=most as usize).contains(&string::length(self.text, session))
            && !string::is_blank(self.text, session)
            && (session.suspicion() == 0 || redact::replacement(Field::SessionId.key().as_bytes(), &content).is_none());
        write::text(out, if is_fit { &content } else { NO_SESSION.as_bytes() });
    }

    fn site(&self, context: &Context) -> Option<Id> {
        self.uuid(Field::SiteId).filter(|site| context.registry.site_accepts(Some(site), None))
    }

    /// Whether the privacy rules were asked, and found nothing.
    fn is_judged(&self) -> bool {
        let is_readable = self.event.is_some_and(|event| event.faults().is_empty());
        is_readable && !self.violations.rules().any(|rule| rule.id.starts_with("privacy."))
    }

    /// The event as a tree.
    fn tree(&self) -> Json<'a> {
        Json::event(self.payload())
    }

    /// Whether it is an object, as an event has to be.
    fn is_object(&self) -> bool {
        self.payload().first() == Some(&b'{')
    }

    /// Whether its form is sound. If so, it can be shown key by key; otherwise, only its outline can.
    fn is_sound(&self) -> bool {
        let mut harmless = Faults::default();
        harmless.add(Fault::Number);
        harmless.add(Fault::Shape);
        harmless.add(Fault::Depth);
        self.event.is_some_and(|event| event.faults().is_within(harmless))
    }
}

/// Appends the members of the audit row after its index, and closes it. Returns where the reason and the violations
/// after it are. The row has no id: it takes none from the sender, and the store gives it one of its own.
#[cold]
#[inline(never)]
pub fn write_row(out: &mut Vec<u8>, rejected: &Rejected, context: &Context, end: &[u8]) -> Range<usize> {
    for (key, value) in [(br#","user_id":""#, rejected.user(context)), (br#","site_id":""#, rejected.site(context))] {
        if let Some(value) = value {
            put(out, key);
            put(out, &value);
            out.push(b'"');
        }
    }
    put(out, br#","session_id":"#);
    rejected.write_session(out);
    put(out, br#","metadata":{"validation_result":"rejected","validation_rule_id":""#);
    put(out, rejected.first_rule(context.registry).0);
    if let Some(id) = rejected.id() {
        put(out, br#"","event_id":""#);
        put(out, &id.to_ascii_lowercase());
    }
    put(out, br#"","rejection_reason":"#);
    let start = out.len();
    let tree = OnceCell::new();
    let taken = write_findings(out, rejected, &tree, context);
    let findings = start..out.len();
    write_payload(out, rejected, tree.into_inner(), METADATA_BYTES.saturating_sub(RECORD_BYTES + taken), context);
    put(out, end);
    findings
}

/// Appends the end of every row that a system writes: its name and its contract.
#[cold]
#[inline(never)]
pub fn write_end(out: &mut Vec<u8>, source_system: &str) {
    put(out, concat!(r#","contract":""#, contract!(), r#"","source_system":"#).as_bytes());
    write::text(out, source_system.as_bytes());
    put(out, br#"},"event_source":"#);
    write::text(out, source_system.as_bytes());
    out.push(b'}');
}

/// Appends the reason of the first violated rule, and all of them with their places. Returns how many bytes both have as
/// Postgres writes them.
#[cold]
#[inline(never)]
fn write_findings<'a>(
    out: &mut Vec<u8>,
    rejected: &Rejected<'a>,
    tree: &OnceCell<Json<'a>>,
    context: &Context,
) -> usize {
    let start = out.len();
    let (first, reason) = rejected.first_rule(context.registry);
    write::text(out, reason);
    if rejected.event.is_none() {
        out.pop();
        put(out, b" (the first fault is at byte ");
        write::number(out, rejected.fault_at);
        put(out, br#")""#);
    } else if let Some(event) = rejected.event
        && first == b"sanity.metadata_size"
    {
        out.pop();
        put(out, b" (it has ");
        write::number(out, event.metadata_size());
        put(out, br#" bytes)""#);
    }
    const NAME: &[u8] = br#","violations":"#;
    put(out, NAME);
    let list = out.len();
    match rejected.event {
        Some(event) => {
            Judged { text: rejected.text, event, tree, context }.write(out, rejected.violations, false);
        }
        None => put(out, br#"[{"rule_id":"parse.json","path":""}]"#),
    }
    // Postgres has a space after every colon and comma.
    let count = rejected.violations.places().count() + rejected.violations.own.count_ones() as usize;
    let spaces = 4 * count.max(1) - 1;
    out.len() - list + spaces + (list - start - NAME.len())
}

/// Appends what is kept of the payload, in so many bytes: its snapshot, and the digest and the size of the whole redacted
/// text. The tree of the event is passed on if there is one already.
#[cold]
#[inline(never)]
fn write_payload<'a>(
    out: &mut Vec<u8>,
    rejected: &Rejected<'a>,
    tree: Option<Json<'a>>,
    most: usize,
    context: &Context,
) {
    // What is written has a space after every colon and comma.
    let mut whole = Vec::with_capacity(rejected.payload().len() / 4 * 5);
    put(out, br#","original_payload_snapshot":"#);
    let is_shortened = if rejected.is_sound() {
        let event = rejected.event.filter(|event| event.faults().is_empty());
        let is_judged = rejected.is_judged();
        match event.and_then(|event| shown::write_event(&mut whole, rejected.text, event, context, is_judged)) {
            Some(()) => write_snapshot(out, rejected, &whole, false, most, context),
            None => {
                whole.clear();
                write_redacted(out, rejected, tree.unwrap_or_else(|| rejected.tree()), &mut whole, most, context)
            }
        }
    } else {
        whole = redact::masked(rejected.payload());
        let shown = redact::shown_of_outline(&whole);
        let is_blank = space::is_blank(shown);
        write::text(out, if is_blank { redact::EMPTY.as_bytes() } else { shown });
        shown.len() < whole.len()
    };
    if is_shortened {
        put(out, br#","snapshot_shortened":true"#);
    }
    put(out, br#","payload_digest":""#);
    put(out, &hex(&sha256(&[&whole])));
    put(out, br#"","payload_bytes":"#);
    write::number(out, whole.len());
}

/// Fills in the whole redacted text, appends the snapshot of it, and returns whether the snapshot is shorter.
#[cold]
#[inline(never)]
fn write_redacted(
    out: &mut Vec<u8>,
    rejected: &Rejected,
    tree: Json,
    whole: &mut Vec<u8>,
    most: usize,
    context: &Context,
) -> bool {
    let (tree, is_event) = (hashing::kept(tree, context), rejected.is_object());
    let redacted = redact::redacted(tree, is_event, Extent::Whole, context.registry);
    redacted.write(whole);
    let is_blank = match &redacted {
        Json::Null => true,
        Json::Text(content) => space::is_blank(content),
        _ => false,
    };
    if is_blank {
        write::text(out, redact::EMPTY.as_bytes());
        return false;
    }
    write_snapshot(out, rejected, whole, redact::is_deep(&redacted, 0), most, context)
}

/// Appends the snapshot of an event whose whole redacted text is known, and returns whether it is shorter.
#[cold]
#[inline(never)]
fn write_snapshot(
    out: &mut Vec<u8>,
    rejected: &Rejected,
    whole: &[u8],
    is_deep: bool,
    most: usize,
    context: &Context,
) -> bool {
    if whole.len() > most || is_deep {
        let again = hashing::kept(rejected.tree(), context);
        let short = redact::redacted(again, rejected.is_object(), Extent::Short, context.registry);
        redact::fitted(short, most).write(out);
        return true;
    }
    put(out, whole);
    let mut from = 0;
    while let Some(at) = block::position(whole, b'[', from) {
        if whole.get(at..).is_some_and(|rest| rest.starts_with(SHORTENED)) {
            return true;
        }
        from = at + 1;
    }
    false
}

/// How everything begins that stands for something left out.
const SHORTENED: &[u8] = b"[shortened:";
