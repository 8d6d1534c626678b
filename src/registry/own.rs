//! The rules of an install's own: each a JSON Schema over the event, with what it binds.

use super::schema::Schema;
use super::{Name, Registry, name_in};
use crate::contract::vocabulary::Field;
use crate::ids::is_uuid;
use crate::parse::json::{self, Json, Member, Step};
use std::borrow::Cow;

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
    event_type: Option<Name>,
    site: Option<Name>,
    schema: Schema,
}

impl OwnRule {
    /// Reads an entry of a snapshot; the error is the place in its schema that cannot be judged by.
    pub(super) fn read(entry: &Json) -> Result<OwnRule, Vec<u8>> {
        Ok(OwnRule {
            id: name_in(entry, "id").unwrap_or_default(),
            reason: name_in(entry.get("reasons"), "en").unwrap_or_default(),
            category: name_in(entry, "category"),
            event_type: name_in(entry, "event_type"),
            site: name_in(entry, "site_id"),
            schema: Schema::read(entry.get("schema"))?,
        })
    }

    fn binds(&self, instance: &Json, site: &[u8]) -> bool {
        is_bound(&self.category, instance.get(Field::EventCategory.key()).text())
            && is_bound(&self.event_type, instance.get(Field::EventType.key()).text())
            && is_bound(&self.site, Some(site))
    }

    /// The way to the first part of an event that the rule refuses.
    pub fn fault<'a>(&'a self, instance: &'a Json<'a>) -> Option<Vec<Step<'a>>> {
        self.schema.fault(instance)
    }
}

/// Whether a value is the one that a rule binds, if it binds one.
#[inline(never)]
fn is_bound(bound: &Option<Name>, value: Option<&[u8]>) -> bool {
    bound.is_none() || bound.as_deref() == value
}

/// An event as these rules see it: its fields with metadata, without those that no rule sees and what is null.
pub fn instance(event: Json) -> Json {
    let Json::Object(mut members) = event else { return event };
    let is_unseen = |(key, value): &Member| {
        *value == Json::Null || Field::top_level(key).is_none_or(|field| UNSEEN.contains(&field))
    };
    drop_all(&mut members, &is_unseen);
    let metadata = Field::Metadata.key().as_bytes();
    if members.iter().all(|(key, _)| **key != *metadata) {
        members.push((Cow::Borrowed(metadata), Json::Object(Vec::new())));
        json::sort(&mut members);
    }
    Json::Object(members)
}

/// Takes the members out that a schema does not see.
#[cold]
#[inline(never)]
pub(super) fn drop_all(members: &mut Vec<Member>, is_unseen: &dyn Fn(&Member) -> bool) {
    members.retain(|member| !is_unseen(member));
}

impl Registry {
    /// The rules of the install's own that an event violates: a bit for each.
    #[cold]
    #[inline(never)]
    pub(crate) fn own_violations(&self, event: &[u8]) -> u128 {
        let event = Json::event(event);
        let site = event.get(Field::SiteId.key()).text().filter(|site| is_uuid(site));
        let site = site.unwrap_or(self.default_site.as_bytes()).to_ascii_lowercase();
        let instance = instance(event);
        let (mut violated, mut bit) = (0, 1);
        for rule in &self.own_rules {
            if rule.binds(&instance, &site) && rule.fault(&instance).is_some() {
                violated |= bit;
            }
            bit <<= 1;
        }
        violated
    }
}
