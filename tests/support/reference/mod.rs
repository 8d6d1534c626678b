//! The reference judge: the table of rules, interpreted slowly and readably over a tree, to compare the generated code
//! with.
//!
//! It shares with the gate what the contract lists (the fields, the categories, the words that name personal data, the
//! states and jumps) and nothing that decides: the tree comes from `serde_json`, and every predicate is written again.
//! It cannot judge what has no table: the splitting of a body into events, and the audit row.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test uses its own part, and says where it cannot go on"
)]

mod cards;
pub mod document;
mod keys;
mod predicates;
mod privacy;
mod telephones;
mod time;

use audience_gate::contract::rule::{Expr, List, Rule};
use audience_gate::contract::rules::{BLOCKED_JUMPS, STATES};
use audience_gate::contract::vocabulary::{Fault, Field, Kind, TEXT_COLUMNS};
use audience_gate::gate::Caller;
use document::Json;
use predicates as is;
use serde_json::Value;

/// What an event is judged against.
#[derive(Clone, Copy)]
pub struct World<'a> {
    pub caller: Caller<'a>,
    pub origin: Option<&'a str>,
    /// In microseconds since 1970.
    pub received_at: i64,
    /// The registry's snapshot; `None` before one is loaded.
    pub registry: Option<&'a Value>,
}

/// The rules that the text of one event violates, in order.
pub fn violations<'a>(rules: impl IntoIterator<Item = &'a Rule>, text: &[u8], world: &World) -> Vec<&'static str> {
    let judge = Judge::new(text, *world);
    rules.into_iter().filter(|rule| judge.violates(rule)).map(|rule| rule.id).collect()
}

/// An event, and what it is judged against.
pub struct Judge<'a> {
    event: Json,
    faults: Vec<Fault>,
    world: World<'a>,
}

impl<'a> Judge<'a> {
    pub fn new(text: &[u8], world: World<'a>) -> Self {
        match document::read(text) {
            Ok(event) => Judge { event, faults: Vec::new(), world },
            Err(faults) => Judge { event: Json::Null, faults, world },
        }
    }

    /// Whether the event violates the rule.
    pub fn violates(&self, rule: &Rule) -> bool {
        let mentions = |test: fn(&Expr) -> bool| mentions(&rule.when, test) || mentions(&rule.must, test);
        let is_judged_here = (self.faults.is_empty() || mentions(|part| matches!(part, Expr::Readable(_))))
            && (self.world.registry.is_some() || !mentions(asks_registry));
        let binds = rule.category.is_none_or(|category| self.text(Field::EventCategory) == Some(category.name()));
        is_judged_here && binds && self.holds(&rule.when) && !self.holds(&rule.must)
    }

    /// What every operator of the table means.
    fn holds(&self, expr: &Expr) -> bool {
        match *expr {
            Expr::Always => true,
            Expr::All(parts) => parts.iter().all(|part| self.holds(part)),
            Expr::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Expr::Not(part) => !self.holds(part),
            Expr::Readable(fault) => !self.faults.contains(&fault),
            Expr::Present(field) => match self.at(field) {
                None | Some(Json::Null) => false,
                Some(Json::Text(text)) => !is::blank(text),
                Some(_) => true,
            },
            Expr::Is(field, kind) => self.kind(field) == kind,
            Expr::NonEmptyText(field) => self.text(field).is_some_and(|text| !is::blank(text)),
            Expr::Uuid(field) => self.text(field).is_some_and(is::uuid),
            Expr::Timestamp => self.occurred_at().is_some(),
            Expr::Length(field, least, most) => self.text(field).is_some_and(|text| {
                let length = text.chars().count();
                length >= least as usize && length <= most as usize
            }),
            Expr::OneOf(field, choices) => self.text(field).is_some_and(|text| choices.contains(&text)),
            Expr::Number(field, least, most) => match self.at(field) {
                Some(Json::Number(number)) => is::number_within(number, least, most),
                _ => false,
            },
            Expr::Sha256(field) => self.text(field).is_some_and(is::sha256),
            Expr::Like(field) => self.text(field).is_some_and(is::like),
            Expr::Email => self.email_hash().is_some(),
            Expr::Listed(field, list) => self.text(field).is_some_and(|text| self.lists(list, text)),
            Expr::OnlyKnownFields => self.event.members().iter().all(|(key, _)| is::top_level_field(key)),
            Expr::MetadataWithin(most) => {
                let kind = self.at(Field::Metadata).and_then(|metadata| metadata.get("email_hash_kind"));
                let added = match (self.holds(&Expr::Present(Field::EmailHash)), kind) {
                    (false, _) if self.holds(&Expr::Present(Field::Email)) => is::HASH_MEMBERS.len(),
                    (false, _) => 0,
                    (true, Some(Json::Text(kind))) if kind == "hmac-sha256" => 0,
                    (true, Some(Json::Text(kind))) if kind == "sha256" => "hmac-".len(),
                    (true, _) => is::KIND_MEMBER.len(),
                };
                self.at(Field::Metadata).map_or(0, |metadata| metadata.stored().len()) + added <= most as usize
            }
            Expr::OccurredWithin(ahead, behind) => self.occurred_at().is_some_and(|time| {
                time <= self.world.received_at + i64::from(ahead) * 1_000_000
                    && time >= self.world.received_at - i64::from(behind) * 1_000_000
            }),
            Expr::EmailAgrees => {
                !self.holds(&Expr::Present(Field::Email))
                    || !self.holds(&Expr::Present(Field::EmailHash))
                    || self.email_hash().is_some_and(|hash| self.text(Field::EmailHash) == Some(&hash))
            }
            Expr::NoScoreKey => !self.objects().iter().any(|members| members.iter().any(|(key, _)| is::score_key(key))),
            Expr::NoBlockedJump => !self.objects().iter().any(|members| {
                let named = |wanted| {
                    let states = members.iter().filter(move |(key, _)| is::state_key(key) == Some(wanted));
                    states.filter_map(|(_, state)| state.text())
                };
                named("prior").any(|from| named("new").any(|to| self.blocks(from, to)))
            }),
            Expr::RuleTermsAgree => self.rule_terms_agree(),
            Expr::NoRawEmail => !self.leaves().iter().any(privacy::Leaf::holds_email),
            Expr::NoPersonalKey => {
                let (own, exempt) = (self.list("personal_words"), self.exempt());
                let is_exempt = |member| exempt.iter().any(|other| std::ptr::eq(*other, member));
                !self.members().iter().any(|member| keys::is_personal(&member.0, &member.1, own) && !is_exempt(*member))
            }
            Expr::NoPersonalValue => !self.leaves().iter().any(privacy::Leaf::holds_personal_value),
            Expr::NoSecret => !self.leaves().iter().any(privacy::Leaf::holds_secret),
            Expr::TrustedCaller => self.world.caller == Caller::Trusted,
            Expr::OwnUser => match self.world.caller {
                Caller::Trusted => true,
                _ if !self.holds(&Expr::Present(Field::UserId)) => true,
                Caller::Visitor => false,
                Caller::User(id) => self.text(Field::UserId).is_some_and(|sent| sent.eq_ignore_ascii_case(id)),
            },
            Expr::SiteAccepts => self.site_accepts(),
            Expr::CategoryAgrees => {
                self.entry().is_some_and(|entry| entry["category"].as_str() == self.text(Field::EventCategory))
            }
            Expr::PayloadAgrees => {
                self.entry().is_some_and(|entry| is::payload(&entry["payload_schema"], self.at(Field::Metadata)))
            }
            // Only the store can know.
            Expr::NoIdReuse | Expr::NoTwinWithin(_) => true,
        }
    }

    fn at(&self, field: Field) -> Option<&Json> {
        let within = if field.in_metadata() { self.event.get("metadata")? } else { &self.event };
        within.get(field.key())
    }

    fn text(&self, field: Field) -> Option<&str> {
        self.at(field)?.text()
    }

    fn kind(&self, field: Field) -> Kind {
        match self.at(field) {
            None => Kind::Absent,
            Some(Json::Null) => Kind::Null,
            Some(Json::Boolean(false)) => Kind::False,
            Some(Json::Boolean(true)) => Kind::True,
            Some(Json::Number(_)) => Kind::Number,
            Some(Json::Text(_)) => Kind::Text,
            Some(Json::Array(_)) => Kind::Array,
            Some(Json::Object(_)) => Kind::Object,
        }
    }

    fn metadata(&self) -> &[(String, Json)] {
        self.at(Field::Metadata).map_or(&[], Json::members)
    }

    /// Every object of metadata, itself included, apart from those of the snapshot of a rejected event.
    fn objects(&self) -> Vec<&[(String, Json)]> {
        let mut objects = vec![self.metadata()];
        let shown = self.metadata().iter().filter(|(key, _)| key != "original_payload_snapshot");
        let mut left: Vec<_> = shown.map(|(_, value)| value).collect();
        while let Some(value) = left.pop() {
            objects.push(value.members());
            left.extend(value.members().iter().map(|(_, value)| value));
            if let Json::Array(items) = value {
                left.extend(items);
            }
        }
        objects
    }

    /// Whether the change is one that its rule explains.
    fn rule_terms_agree(&self) -> bool {
        let rule = self.text(Field::RuleId);
        let Some(terms) = self.list("rule_terms").iter().find(|terms| terms["id"].as_str() == rule) else {
            return rule.is_some_and(|rule| self.lists(List::RetentionRules, rule));
        };
        let is = |demanded: &Value, field| demanded.is_null() || demanded.as_str() == self.text(field);
        let days = match self.at(Field::InactivityDays) {
            Some(Json::Number(days)) => {
                let least = document::Decimal::of(&terms["inactivity_days"].to_string());
                document::Decimal::of(days).compare(&least).is_ge()
            }
            _ => false,
        };
        is(&terms["prior_state"], Field::PriorState)
            && is(&terms["new_state"], Field::NewState)
            && (terms["inactivity_days"].is_null() || days)
    }

    fn occurred_at(&self) -> Option<i64> {
        time::read(self.text(Field::OccurredAt)?)
    }

    /// The hash of the address, if it is a valid one.
    fn email_hash(&self) -> Option<String> {
        is::email(self.text(Field::Email)?).map(|address| is::digest(&address))
    }

    /// Every member of metadata, at any depth.
    fn members(&self) -> Vec<&(String, Json)> {
        let mut members = Vec::new();
        let mut left: Vec<&Json> = self.at(Field::Metadata).into_iter().collect();
        while let Some(value) = left.pop() {
            if let Json::Array(items) = value {
                left.extend(items);
            }
            members.extend(value.members());
            left.extend(value.members().iter().map(|(_, value)| value));
        }
        members
    }

    /// The members of metadata whose keys a payload schema says are not personal: those of the event, and of the event
    /// that it is the audit row of.
    fn exempt(&self) -> Vec<&(String, Json)> {
        let snapshot = self.at(Field::OriginalPayloadSnapshot);
        let shown = |key: &str| snapshot.and_then(|snapshot| snapshot.get(key));
        let events = [
            (self.text(Field::EventType), self.at(Field::Metadata)),
            (shown("event_type").and_then(Json::text), shown("metadata")),
        ];
        let mut exempt = Vec::new();
        for (id, metadata) in events {
            let entry = self.list("event_types").iter().find(|entry| entry["id"].as_str() == id);
            let says = |key: &str| entry.map(|entry| &entry["payload_schema"]["properties"][key]["personal"]);
            let members = metadata.map_or(&[][..], Json::members).iter();
            exempt.extend(members.filter(|(key, _)| says(key) == Some(&Value::Bool(false))));
        }
        exempt
    }

    /// Every text, key and number that the privacy rules look at.
    fn leaves(&self) -> Vec<privacy::Leaf> {
        let mut leaves = Vec::new();
        let columns = TEXT_COLUMNS.iter().filter_map(|&field| self.text(field));
        columns.for_each(|text| privacy::leaves(&Json::Text(text.into()), None, &mut leaves));
        if let Some(metadata) = self.at(Field::Metadata) {
            privacy::leaves(metadata, None, &mut leaves);
        }
        leaves
    }

    fn list(&self, name: &str) -> &[Value] {
        self.world.registry.and_then(|registry| registry[name].as_array()).map_or(&[], Vec::as_slice)
    }

    fn entry(&self) -> Option<&Value> {
        let id = self.text(Field::EventType)?;
        self.list("event_types").iter().find(|entry| entry["id"] == id)
    }

    fn lists(&self, list: List, text: &str) -> bool {
        match list {
            List::EventTypes => self.list("event_types").iter().any(|entry| entry["id"] == text),
            List::RetentionRules => self.list("rules").iter().any(|rule| rule == text),
            List::States if self.world.registry.is_none() => STATES.contains(&text),
            List::States => self.list("states").iter().any(|state| state == text),
        }
    }

    fn blocks(&self, from: &str, to: &str) -> bool {
        match self.world.registry {
            None => {
                BLOCKED_JUMPS.iter().any(|jump| jump.0.eq_ignore_ascii_case(from) && jump.1.eq_ignore_ascii_case(to))
            }
            Some(_) => self.list("blocked_jumps").iter().any(|jump| {
                let is =
                    |known: &Value, state: &str| known.as_str().is_some_and(|known| known.eq_ignore_ascii_case(state));
                is(&jump[0], from) && is(&jump[1], to)
            }),
        }
    }

    fn site_accepts(&self) -> bool {
        let registry = self.world.registry.unwrap_or(&Value::Null);
        let default = registry["default_site"].as_str();
        let is_named = self.holds(&Expr::Present(Field::SiteId));
        let Some(id) = (if is_named { self.text(Field::SiteId) } else { default }) else {
            return false;
        };
        let Some(sites) = registry["sites"].as_array() else {
            return true;
        };
        sites.iter().find(|site| site["id"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(id))).is_some_and(
            |site| match (self.world.origin, site["origins"].as_array()) {
                (Some(origin), Some(origins)) => origins.iter().any(|listed| listed == origin),
                _ => true,
            },
        )
    }
}

fn mentions(expr: &Expr, test: fn(&Expr) -> bool) -> bool {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(|part| mentions(part, test)),
        Expr::Not(part) => mentions(part, test),
        _ => test(expr),
    }
}

/// Whether the expression can only be judged once a registry is loaded; states and jumps have defaults.
fn asks_registry(expr: &Expr) -> bool {
    match expr {
        Expr::Listed(_, list) => *list != List::States,
        Expr::RuleTermsAgree | Expr::SiteAccepts | Expr::CategoryAgrees | Expr::PayloadAgrees => true,
        _ => false,
    }
}
