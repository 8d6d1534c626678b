//! The gate's own records of rejections, as older contracts let it write them, brought up to the contract in force.
//! Without that an archive could not be loaded whole: nobody can send such a record again.

use audience_gate::contract::limits::METADATA_BYTES;
use audience_gate::contract::rules::EXPLANATIONS;
use audience_gate::contract::vocabulary::Field;
use audience_gate::gate::rejected::NO_SESSION;
use audience_gate::parse::json::{Json, Member, sort};
use audience_gate::privacy::redact::{self, Extent};
use audience_gate::registry::Registry;
use std::mem::replace;

const REASON: &str = Field::RejectionReason.key();
const SNAPSHOT: &str = Field::OriginalPayloadSnapshot.key();
/// The hash of what was sent, which older contracts kept and from which it could be guessed.
const HASH_OF_SENT: &str = "payload_sha256";
/// Says that the snapshot is not whole.
const SHORTENED: &str = "snapshot_shortened";
/// The reason that is given for a rule that this contract does not have.
const NO_REASON: &str = "the record says only which rule was violated";

/// Whether a record holds what none may hold today, although no rule asks for it.
pub fn is_outdated(record: &[u8]) -> bool {
    memchr::memmem::find(record, HASH_OF_SENT.as_bytes()).is_some()
}

/// The record with nothing in it that would be left out or redacted today, and with the reason and the snapshot that
/// every record has today; a snapshot that was not kept is null.
pub fn renewed(record: &[u8], registry: &Registry) -> Vec<u8> {
    let mut record = Json::event(record);
    if let Json::Object(members) = &mut record {
        for (key, value) in members {
            if **key == *Field::SessionId.key().as_bytes() {
                if value.text().is_some_and(|session| redact::replacement(key, session).is_some()) {
                    *value = words(NO_SESSION);
                }
            } else if **key == *Field::Metadata.key().as_bytes() {
                *value = complete(redact::redacted(replace(value, Json::Null), false, Extent::Whole, registry));
            }
        }
    }
    written(&record)
}

/// The metadata of a record with everything that one has, within the limit.
fn complete(mut metadata: Json) -> Json {
    if let Json::Object(members) = &mut metadata {
        members.retain(|(key, _)| **key != *HASH_OF_SENT.as_bytes());
    }
    if metadata.get(REASON).text().is_none_or(<[u8]>::is_empty) {
        let rule = metadata.get(Field::ValidationRuleId.key()).text();
        let known = EXPLANATIONS.iter().find(|known| rule == Some(known.id.as_bytes()));
        set(&mut metadata, REASON, words(known.map_or(NO_REASON, |known| known.reason)));
    }
    if !metadata.members().iter().any(|(key, _)| **key == *SNAPSHOT.as_bytes()) {
        set(&mut metadata, SNAPSHOT, Json::Null);
    }
    if written(&metadata).len() > METADATA_BYTES {
        set(&mut metadata, SHORTENED, Json::Boolean(true));
        let snapshot = set(&mut metadata, SNAPSHOT, Json::Null);
        let room = (METADATA_BYTES + "null".len()).saturating_sub(written(&metadata).len());
        set(&mut metadata, SNAPSHOT, redact::fitted(snapshot, room));
    }
    metadata
}

/// Sets a member of an object, and returns what it was.
fn set<'a>(object: &mut Json<'a>, name: &'static str, value: Json<'a>) -> Json<'a> {
    let Json::Object(members) = object else { return Json::Null };
    let is_named = |(key, _): &Member| **key == *name.as_bytes();
    let old = members.iter().position(is_named).map_or(Json::Null, |place| members.remove(place).1);
    members.push((name.as_bytes().into(), value));
    sort(members);
    old
}

fn words<'a>(content: &'static str) -> Json<'a> {
    Json::Text(content.as_bytes().into())
}

fn written(value: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    value.write(&mut out);
    out
}
