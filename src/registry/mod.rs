//! The registry: what an install has registered, as a snapshot that the rules look things up in.

mod own;
pub mod payload;
mod plan;
pub mod schema;
#[cfg(not(target_arch = "wasm32"))]
pub mod taxonomy;

use crate::contract::limits::REGISTRY_DEPTH;
use crate::contract::rules::{BLOCKED_JUMPS, STATES};
use crate::contract::words::is_same;
use crate::parse::part::{Part, Parts};
use crate::parse::tape::Tape;
use crate::parse::{Parser, Reader};
use crate::short;
use own::MOST_OWN_RULES;
pub use own::{OwnRule, instance};
use payload::EventType;
use plan::Plan;

/// A text of the registry, in UTF-8.
pub(crate) type Name = Box<[u8]>;

/// A snapshot of the registry.
#[derive(Debug)]
pub struct Registry {
    /// Whether a snapshot was loaded; without one, only the store can judge the rules that need it.
    pub is_loaded: bool,
    /// Changes whenever an entry does.
    pub version: String,
    default_site: String,
    event_types: EventTypes,
    pub(crate) retention_rules: Vec<RetentionRule>,
    states: Vec<Name>,
    blocked_jumps: Vec<(Name, Name)>,
    /// Runs of words by which keys name personal data in this install, besides those of the contract.
    pub(crate) personal_words: Vec<Name>,
    /// Whether a payload schema says of any key that it is not personal.
    pub(crate) exempts_keys: bool,
    /// The rules of the install's own that refuse events.
    pub own_rules: Vec<OwnRule>,
    /// What they look at of an event, for each type that they bind; the last is for any other.
    plans: Vec<(Option<Name>, Plan)>,
    /// What of the snapshot this engine cannot judge by, so that only the store can.
    pub faults: Vec<String>,
    /// `None` if the snapshot does not contain them, as the public one does not: then only the store can judge.
    sites: Option<Vec<Site>>,
}

/// A rule that may explain a change of state, and what it demands of the change; `None` demands nothing.
#[derive(Debug, Default)]
pub(crate) struct RetentionRule {
    pub id: Name,
    pub prior_state: Option<Name>,
    pub new_state: Option<Name>,
    pub inactivity_days: Option<Name>,
}

#[derive(Debug)]
struct Site {
    id: Name,
    origins: Option<Vec<Name>>,
}

impl Registry {
    /// The registry before any snapshot is loaded: the states and blocked jumps of the contract.
    pub const fn unloaded() -> Self {
        Registry {
            is_loaded: false,
            version: String::new(),
            default_site: String::new(),
            event_types: EventTypes { entries: Vec::new(), slots: Vec::new() },
            retention_rules: Vec::new(),
            states: Vec::new(),
            blocked_jumps: Vec::new(),
            personal_words: Vec::new(),
            exempts_keys: false,
            own_rules: Vec::new(),
            plans: Vec::new(),
            faults: Vec::new(),
            sites: None,
        }
    }

    /// Reads a snapshot.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        Registry::read(json, &mut Box::new(Parser::new()))
    }

    /// The same with a parser that is there already.
    pub fn read(json: &[u8], parser: &mut Parser) -> Result<Self, String> {
        let mut reader = Reader::new(json);
        if reader.event(parser).is_err() || !reader.is_done() {
            return Err("the registry snapshot is not JSON".into());
        }
        let tape = Tape::read(json, REGISTRY_DEPTH);
        let snapshot = tape.root();
        let mut registry = Registry {
            is_loaded: true,
            version: text_in(snapshot, "version")?,
            default_site: text_in(snapshot, "default_site")?,
            states: texts_in(snapshot, "states")?,
            ..Registry::unloaded()
        };
        for entry in list_in(snapshot, "event_types")? {
            let entry = EventType::read(entry, &mut registry.faults)?;
            registry.exempts_keys |= entry.1.exempts_any();
            registry.event_types.entries.push(entry);
        }
        registry.event_types.index();
        for id in texts_in(snapshot, "rules")? {
            registry.retention_rules.push(RetentionRule { id, ..RetentionRule::default() });
        }
        // A database that is older than this engine gives neither these nor any words.
        registry.personal_words = snapshot.get("personal_words").texts().unwrap_or_default();
        for terms in snapshot.get("rule_terms").items() {
            if let Some(rule) =
                registry.retention_rules.iter_mut().find(|rule| terms.get("id").text() == Some(&rule.id))
            {
                rule.demand(terms);
            }
        }
        for entry in snapshot.get("own_rules").items() {
            registry.take_own_rule(entry);
        }
        registry.plan();
        for jump in list_in(snapshot, "blocked_jumps")? {
            registry.blocked_jumps.push(pair(jump).ok_or_else(|| missing("blocked_jumps"))?);
        }
        if !snapshot.get("sites").is_nothing() {
            let mut sites = Vec::new();
            for site in list_in(snapshot, "sites")? {
                sites.push(Site::read(site).ok_or_else(|| missing("sites"))?);
            }
            registry.sites = Some(sites);
        }
        Ok(registry)
    }

    #[cold]
    #[inline(never)]
    fn take_own_rule(&mut self, entry: Part) {
        if entry.get("mode").text() != Some(b"enforce") {
            return;
        }
        match OwnRule::read(entry) {
            Ok(rule) if self.own_rules.len() < MOST_OWN_RULES => self.own_rules.push(rule),
            Ok(_) => self.faults.push("there are more rules of your own than can be judged by".into()),
            Err(place) => {
                let id = entry.get("id").text().unwrap_or_default();
                self.faults.push(unjudged(&[b"the schema of `", id, b"` cannot be judged by: mend ", &place]));
            }
        }
    }

    /// The site of an event that names no site.
    pub fn default_site(&self) -> &str {
        &self.default_site
    }

    /// The active entry with that id.
    pub fn event_type(&self, id: &[u8]) -> Option<&EventType> {
        self.event_types.get(id)
    }

    /// Whether the id is that of an active retention rule.
    pub fn has_retention_rule(&self, id: &[u8]) -> bool {
        self.retention_rules.iter().any(|rule| short::is_same(&rule.id, id))
    }

    /// Whether the id is that of a registered state.
    pub fn has_state(&self, id: &[u8]) -> bool {
        self.states.iter().any(|state| short::is_same(state, id))
            || (!self.is_loaded && STATES.iter().any(|state| state.as_bytes() == id))
    }

    /// Whether the jump is blocked, however its states are written.
    #[inline(never)]
    pub fn blocks_jump(&self, from: &[u8], to: &[u8]) -> bool {
        self.blocked_jumps.iter().any(|jump| is_same(&jump.0, from) && is_same(&jump.1, to))
            || (!self.is_loaded
                && BLOCKED_JUMPS.iter().any(|jump| is_same(jump.0.as_bytes(), from) && is_same(jump.1.as_bytes(), to)))
    }

    /// Whether the site exists and takes events from the origin; `None` asks for the default site.
    pub fn site_accepts(&self, site: Option<&[u8]>, origin: Option<&str>) -> bool {
        let site = site.unwrap_or(self.default_site.as_bytes());
        let Some(sites) = &self.sites else {
            return true;
        };
        // Nearly always, an id is written as it is registered, and then found at once.
        let Some(site) =
            sites.iter().find(|known| short::is_same(&known.id, site) || known.id.eq_ignore_ascii_case(site))
        else {
            return false;
        };
        match (origin, &site.origins) {
            (None, _) | (_, None) => true,
            (Some(origin), Some(origins)) => origins.iter().any(|listed| short::is_same(listed, origin.as_bytes())),
        }
    }
}

/// The message for a snapshot whose entry with that name is missing or has the wrong form.
#[cold]
fn missing(name: &str) -> String {
    ["the registry snapshot has no `", name, "` of the form it should have"].concat()
}

/// What is said of an entry that cannot be judged by.
#[cold]
#[inline(never)]
fn unjudged(parts: &[&[u8]]) -> String {
    String::from_utf8(parts.concat()).unwrap_or_default()
}

#[inline(never)]
fn text_in(snapshot: Part, name: &str) -> Result<String, String> {
    let content = snapshot.get(name).text().ok_or_else(|| missing(name))?;
    String::from_utf8(content.to_vec()).map_err(|_| missing(name))
}

#[inline(never)]
fn name_in(entry: Part, name: &str) -> Option<Name> {
    entry.get(name).text().map(Name::from)
}

#[inline(never)]
fn list_in<'a>(snapshot: Part<'a>, name: &str) -> Result<Parts<'a>, String> {
    snapshot.get(name).list().ok_or_else(|| missing(name))
}

#[inline(never)]
fn texts_in(snapshot: Part, name: &str) -> Result<Vec<Name>, String> {
    snapshot.get(name).texts().ok_or_else(|| missing(name))
}

fn pair(jump: Part) -> Option<(Name, Name)> {
    let [from, to] = <[Name; 2]>::try_from(jump.texts()?).ok()?;
    Some((from, to))
}

impl RetentionRule {
    fn demand(&mut self, terms: Part) {
        (self.prior_state, self.new_state) = (name_in(terms, "prior_state"), name_in(terms, "new_state"));
        self.inactivity_days = terms.get("inactivity_days").number().map(Name::from);
    }
}

impl Site {
    fn read(site: Part) -> Option<Site> {
        let origins = site.get("origins");
        let origins = if origins.is_nothing() { None } else { Some(origins.texts()?) };
        Some(Site { id: name_in(site, "id")?, origins })
    }
}

/// The event types, each found by its id in one step; a general hash table would take twice as much of the module.
#[derive(Debug)]
struct EventTypes {
    entries: Vec<(Name, EventType)>,
    /// Where an id is in the entries. The install itself has chosen the ids, so nobody else can make them collide.
    slots: Vec<u16>,
}

impl EventTypes {
    fn index(&mut self) {
        self.slots = vec![0; (2 * self.entries.len() + 1).next_power_of_two()];
        for (place, (id, _)) in self.entries.iter().enumerate() {
            short::insert(&mut self.slots, id, place);
        }
    }

    fn get(&self, id: &[u8]) -> Option<&EventType> {
        let is_id = |place: usize| self.entries.get(place).is_some_and(|(known, _)| short::is_same(known, id));
        self.entries.get(short::find(&self.slots, id, is_id)?).map(|(_, entry)| entry)
    }
}
