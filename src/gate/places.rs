//! Where an event violates a rule: a JSON pointer to the very key or column.
//!
//! Every engine names the same place. Of several, it is the first in the order in which Postgres keeps the members of an
//! object; a text column comes before the metadata.

use super::judge;
use super::request::Context;
use super::values::{blocked_state, claims_score};
use super::violations::Violations;
use crate::contract::limits::PLACE_BYTES;
use crate::contract::rule::Explanation;
use crate::contract::rules::EXPLANATIONS;
use crate::contract::vocabulary::{Fault, Field, TEXT_COLUMNS};
use crate::parse::json::{Json, Step};
use crate::parse::{Event, number, string};
use crate::privacy::find::{self, Found};
use crate::privacy::redact;
use crate::registry::{self, Registry};
use crate::write::{self, put, separate};
use std::cell::OnceCell;

/// Where a rule is violated, as far as the table and a few questions tell.
pub enum Place {
    /// Where the table says.
    OfRule,
    /// Here.
    At(&'static str),
    /// At a fault of form.
    Fault(Fault),
    /// At the first field that is not known.
    UnknownField,
    /// At the first key that claims a score.
    Score,
    /// At the state to which a blocked jump leads.
    BlockedJump,
    /// At the first key that names personal data.
    PersonalKey,
    /// At the first key, text or number that holds this.
    Holds(Found),
    /// At the first property that does not satisfy its schema.
    Payload,
}

/// An event, and all by which it was judged.
pub struct Judged<'a, 't> {
    /// The text it was read from.
    pub text: &'t [u8],
    /// The event.
    pub event: &'a Event,
    /// The same as a tree, once a place is searched for.
    pub tree: &'a OnceCell<Json<'t>>,
    /// What it was judged against.
    pub context: &'a Context<'a>,
}

impl Judged<'_, '_> {
    /// Appends each violated rule with its place, as a list, and with its reason if that is asked for.
    #[cold]
    #[inline(never)]
    pub fn write(&self, out: &mut Vec<u8>, violations: Violations, with_reasons: bool) {
        out.push(b'[');
        for index in violations.places() {
            let Some(rule) = EXPLANATIONS.get(index) else { continue };
            let reason = with_reasons.then_some(rule.reason.as_bytes());
            write_violation(out, rule.id.as_bytes(), reason, &self.pointer(rule, index));
        }
        let mut instance = None;
        for rule in violations.own_rules(self.context.registry) {
            let instance = instance.get_or_insert_with(|| registry::instance(self.text, self.event));
            let place = rule.fault(instance.root()).and_then(|steps| written(&steps));
            write_violation(out, &rule.id, with_reasons.then_some(&*rule.reason), &place.unwrap_or_default());
        }
        out.push(b']');
    }

    /// The place at which it violates the rule with this index in the table.
    #[cold]
    #[inline(never)]
    fn pointer(&self, rule: &Explanation, index: usize) -> Vec<u8> {
        let Judged { text, event, context, .. } = *self;
        let tree = || self.tree.get_or_init(|| Json::event(event.raw(text)));
        let found = match judge::place(text, event, context, index) {
            Place::OfRule => None,
            Place::At(path) => return path.into(),
            Place::Fault(fault) => walk(tree(), &[], &|part| part.has(fault)),
            Place::UnknownField => {
                let mut unknown = tree().members().iter().filter(|(key, _)| Field::top_level(key).is_none());
                unknown.next().map(|(key, _)| vec![Step::Key(key)])
            }
            Place::Score => {
                in_metadata(tree(), &|part| !part.is_of_snapshot() && part.own_key().is_some_and(claims_score))
            }
            Place::BlockedJump => blocked_jump(tree(), context.registry),
            Place::Holds(found) => in_texts(tree(), &|key, value| find::in_value(key, value).has(found)),
            Place::PersonalKey => personal_key(tree(), context.registry),
            Place::Payload => return payload(self).unwrap_or_else(|| rule.path.into()),
        };
        found.and_then(|steps| written(&steps)).unwrap_or_else(|| rule.path.into())
    }
}

#[cold]
#[inline(never)]
fn write_violation(out: &mut Vec<u8>, id: &[u8], reason: Option<&[u8]>, path: &[u8]) {
    separate(out);
    put(out, br#"{"rule_id":""#);
    put(out, id);
    out.push(b'"');
    if let Some(reason) = reason {
        put(out, br#","reason":"#);
        write::text(out, reason);
    }
    put(out, br#","path":"#);
    write::text(out, path);
    out.push(b'}');
}

/// A part of a value, and the way to it.
struct Part<'a, 'b> {
    steps: &'b [Step<'a>],
    value: &'b Json<'a>,
    /// Whether its key is that of the member before it too.
    is_repeated: bool,
}

impl<'a> Part<'a, '_> {
    /// Its key, if it is a member of an object.
    fn own_key(&self) -> Option<&'a [u8]> {
        if let Some(Step::Key(key)) = self.steps.last() { Some(key) } else { None }
    }

    /// The key that its value stands under, even if it stands there in a list.
    fn key(&self) -> &'a [u8] {
        let key = |step: &Step<'a>| if let Step::Key(key) = step { Some(*key) } else { None };
        self.steps.iter().rev().find_map(key).unwrap_or_default()
    }

    /// Whether it shows what was kept of another event.
    fn is_of_snapshot(&self) -> bool {
        matches!(self.steps.get(1), Some(Step::Key(key)) if *key == Field::OriginalPayloadSnapshot.key().as_bytes())
    }

    #[cold]
    #[inline(never)]
    fn has(&self, fault: Fault) -> bool {
        match fault {
            Fault::Json | Fault::Shape => false,
            Fault::Depth => *self.value == Json::Deep,
            // What stands for a character that no text can hold.
            Fault::Text => self.own_key().is_some_and(is_mended) || self.value.text().is_some_and(is_mended),
            Fault::Number => matches!(self.value, Json::Number(raw) if !number::is_storable(raw)),
            Fault::DuplicateKey => self.is_repeated,
        }
    }
}

#[cold]
#[inline(never)]
fn is_mended(content: &[u8]) -> bool {
    content.windows(3).any(|character| character == "\u{fffd}".as_bytes())
}

/// The way to the first part that passes the test.
#[cold]
#[inline(never)]
fn walk<'a>(value: &'a Json<'a>, start: &[Step<'a>], test: &dyn Fn(&Part) -> bool) -> Option<Vec<Step<'a>>> {
    let mut steps = start.to_vec();
    find(value, false, &mut steps, test).then_some(steps)
}

#[cold]
#[inline(never)]
fn find<'a>(value: &'a Json<'a>, is_repeated: bool, steps: &mut Vec<Step<'a>>, test: &dyn Fn(&Part) -> bool) -> bool {
    if test(&Part { steps, value, is_repeated }) {
        return true;
    }
    for (index, item) in value.list().unwrap_or_default().iter().enumerate() {
        steps.push(Step::Item(index));
        if find(item, false, steps, test) {
            return true;
        }
        steps.pop();
    }
    let mut last = None;
    for (key, part) in value.members() {
        steps.push(Step::Key(key));
        if find(part, last == Some(key), steps, test) {
            return true;
        }
        steps.pop();
        last = Some(key);
    }
    false
}

#[cold]
#[inline(never)]
fn in_metadata<'a>(tree: &'a Json<'a>, test: &dyn Fn(&Part) -> bool) -> Option<Vec<Step<'a>>> {
    walk(tree.get("metadata"), &[Step::Key(b"metadata")], test)
}

/// The way to the first text column, text or key of the metadata that passes a test of a value and its key.
#[cold]
#[inline(never)]
fn in_texts<'a>(tree: &'a Json<'a>, test: &dyn Fn(&[u8], &Json) -> bool) -> Option<Vec<Step<'a>>> {
    let column = TEXT_COLUMNS.iter().map(|field| field.key()).find(|key| test(key.as_bytes(), tree.get(key)));
    if let Some(key) = column {
        return Some(vec![Step::Key(key.as_bytes())]);
    }
    in_metadata(tree, &|part| {
        part.own_key().is_some_and(|key| test(b"", &Json::Text(key.into()))) || test(part.key(), part.value)
    })
}

#[cold]
#[inline(never)]
fn blocked_jump<'a>(tree: &'a Json<'a>, registry: &Registry) -> Option<Vec<Step<'a>>> {
    let steps =
        in_metadata(tree, &|part| !part.is_of_snapshot() && blocked_state(part.value.members(), registry).is_some())?;
    let within = steps.iter().try_fold(tree, |value, step| match step {
        Step::Key(key) => value.members().iter().find(|(known, _)| **known == **key).map(|(_, value)| value),
        Step::Item(index) => value.list()?.get(*index),
    });
    let key = blocked_state(within?.members(), registry)?;
    Some([steps, vec![Step::Key(key)]].concat())
}

/// Whether a key of metadata names personal data, by an install's own words too and in spite of what its payload schemas
/// say.
#[cold]
#[inline(never)]
pub fn names_personal_data(event: &Json, registry: &Registry) -> bool {
    personal_key(event, registry).is_some()
}

#[cold]
#[inline(never)]
fn personal_key<'a>(tree: &'a Json<'a>, registry: &Registry) -> Option<Vec<Step<'a>>> {
    in_metadata(tree, &|part| {
        let is_personal = |key| redact::is_personal(key, part.value, registry);
        part.own_key().is_some_and(is_personal) && !is_exempt(tree, part.steps, registry)
    })
}

/// Whether the payload schema of an event's type says that a key is not personal; and what an audit row shows of an
/// event is as little personal as it was in that event.
#[cold]
#[inline(never)]
fn is_exempt(event: &Json, steps: &[Step], registry: &Registry) -> bool {
    const SNAPSHOT: &str = Field::OriginalPayloadSnapshot.key();
    let (event, key) = match steps {
        [_, Step::Key(key)] => (event, key),
        [_, Step::Key(snapshot), Step::Key(b"metadata"), Step::Key(key)] if *snapshot == SNAPSHOT.as_bytes() => {
            (event.get("metadata").get(SNAPSHOT), key)
        }
        _ => return false,
    };
    let id = event.get(Field::EventType.key()).text();
    id.and_then(|id| registry.event_type(id)).is_some_and(|entry| entry.exempts(key))
}

#[cold]
#[inline(never)]
fn payload(judged: &Judged) -> Option<Vec<u8>> {
    let Judged { text, event, context, .. } = *judged;
    let id = string::content(text, event.value(Field::EventType));
    let entry = context.registry.event_type(&id)?;
    let seen = entry.seen(text, event);
    let way = entry.fault(text, event, seen.root())?;
    written(&[vec![Step::Key(b"metadata")], way].concat())
}

/// The pointer, up to a key that must not be shown or has no room; `None` if the keys say something personal together.
#[cold]
#[inline(never)]
pub fn written(steps: &[Step]) -> Option<Vec<u8>> {
    let mut pointer = Vec::new();
    for step in steps {
        let before = pointer.len();
        if matches!(step, Step::Key(key) if is_mended(key) || !redact::is_shown(key)) {
            break;
        }
        write::step(&mut pointer, *step);
        if redact::text_size(&pointer) > PLACE_BYTES {
            pointer.truncate(before);
            break;
        }
    }
    redact::replacement(b"", &pointer).is_none().then_some(pointer)
}
