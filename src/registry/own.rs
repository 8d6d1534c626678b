//! The rules of an install's own: each a JSON Schema over the event, with what it binds.

use super::plan::Plan;
use super::schema::Schema;
use super::{Name, Registry, name_in};
use crate::contract::field_names::KEYS;
use crate::contract::limits::MOST_DEPTH;
use crate::contract::vocabulary::{Field, Kind};
use crate::ids::is_uuid;
use crate::parse::json::Step;
use crate::parse::part::Part;
use crate::parse::tape::{Tape, bare, key_of};
use crate::parse::{Event, Value, string};
use std::cell::RefCell;

/// How many rules one set of violations has room for; Postgres takes fewer.
pub const MOST_OWN_RULES: usize = u128::BITS as usize;

/// The fields that no rule sees: who sends, and where from.
const UNSEEN: [Field; 3] = [Field::Id, Field::SiteId, Field::Email];

/// A rule that refuses events.
#[derive(Debug)]
pub struct OwnRule {
    /// What answers and audit rows call it.
    pub id: Name,
    /// What is wrong, and what to send instead.
    pub reason: Name,
    category: Option<Name>,
    pub(super) event_type: Option<Name>,
    site: Option<Name>,
    pub(super) schema: Schema,
}

impl OwnRule {
    /// Reads an entry of a snapshot; the error is the place in its schema that cannot be judged by.
    pub(super) fn read(entry: Part) -> Result<OwnRule, Vec<u8>> {
        Ok(OwnRule {
            id: name_in(entry, "id").unwrap_or_default(),
            reason: name_in(entry.get("reasons"), "en").unwrap_or_default(),
            category: name_in(entry, "category"),
            event_type: name_in(entry, "event_type"),
            site: name_in(entry, "site_id"),
            schema: Schema::read(entry.get("schema"))?,
        })
    }

    /// Whether it binds only some of the events of its type.
    pub(super) fn is_narrow(&self) -> bool {
        self.category.is_some() || self.site.is_some()
    }

    /// Whether it binds an event of its type.
    #[cold]
    #[inline(never)]
    pub(super) fn binds(&self, text: &[u8], event: &Event, default_site: &str) -> bool {
        let content = |field| {
            let value = event.value(field);
            (value.kind() == Kind::Text).then(|| string::content(text, value))
        };
        let is_category = |bound: &Name| content(Field::EventCategory).is_some_and(|category| *category == **bound);
        let is_site = |bound: &Name| {
            let site = content(Field::SiteId).filter(|site| is_uuid(site));
            *site.as_deref().unwrap_or(default_site.as_bytes()).to_ascii_lowercase() == **bound
        };
        self.category.as_ref().is_none_or(is_category) && self.site.as_ref().is_none_or(is_site)
    }

    /// The way to the first part of an event that the rule refuses.
    pub fn fault<'a>(&'a self, instance: Part<'a>) -> Option<Vec<Step<'a>>> {
        self.schema.fault(instance)
    }
}

/// Whether rules see a field of an event, unless it is null.
pub(super) fn is_seen(field: Field) -> bool {
    !field.in_metadata() && !UNSEEN.contains(&field)
}

/// An event as these rules see it: its fields with metadata, without those that no rule sees and what is null.
#[cold]
#[inline(never)]
pub fn instance(text: &[u8], event: &Event) -> Tape {
    let mut tape = Tape::EMPTY;
    tape.begin(text, event.start, event.end);
    whole(&mut tape, event);
    tape
}

/// Puts the same onto a tape that has begun.
#[cold]
#[inline(never)]
pub(super) fn whole(tape: &mut Tape, event: &Event) {
    for &(field, _) in KEYS.iter().filter(|(field, _)| is_seen(*field)) {
        let value = event.value(field);
        if !matches!(value.kind(), Kind::Absent | Kind::Null) {
            tape.member(key_of(field), tape.here(value));
        } else if field == Field::Metadata {
            tape.member(key_of(field), bare(Kind::Object));
        }
    }
    tape.object(Value::ABSENT, bare(Kind::Object), 0, MOST_DEPTH);
}

thread_local! {
    /// What one event leaves to the next: its room.
    static ROOM: RefCell<Room> = const { RefCell::new(Room { tape: Tape::EMPTY, places: Vec::new() }) };
}

/// What it takes to judge an event.
pub(super) struct Room {
    pub tape: Tape,
    /// Where on the tape is what a plan names.
    pub places: Vec<usize>,
}

impl Registry {
    /// Finds out once, for each type that rules bind, what they look at.
    pub(super) fn plan(&mut self) {
        for rule in &self.own_rules {
            if rule.event_type.is_some() && self.plans.iter().all(|(kind, _)| *kind != rule.event_type) {
                self.plans.push((rule.event_type.clone(), Plan::of(&self.own_rules, &rule.event_type)));
            }
        }
        // Any other event is bound by the rules that bind every type.
        self.plans.push((None, Plan::of(&self.own_rules, &None)));
    }

    /// The rules of the install's own that an event violates: a bit for each.
    #[inline(never)]
    pub(crate) fn own_violations(&self, text: &[u8], event: &Event) -> u128 {
        let kind = event.value(Field::EventType);
        let is_of = |bound: &Name| kind.kind() == Kind::Text && string::equals(text, kind, bound);
        let plan = self.plans.iter().find(|(bound, _)| bound.as_ref().is_none_or(is_of));
        plan.map_or(0, |(_, plan)| ROOM.with_borrow_mut(|room| plan.violated(self, text, event, room)))
    }
}
