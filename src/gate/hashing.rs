//! What is stored of an e-mail address: one value, whether the address was sent or its hash.
//!
//! Without a pepper that is the hash, as any page can make it. With one it is the hash keyed by the pepper, so whatever
//! arrives as a hash is hashed again. Nobody but a trusted caller can say that this has been done already.

use super::request::{Caller, Context};
use crate::contract::limits::{EMAIL_HASH_BYTES, HASH_KIND_BYTES};
use crate::contract::vocabulary::{Field, Kind};
use crate::digest::Hash;
use crate::parse::json::{Json, Member, sort};
use crate::parse::{Event, Value, space, string};
use crate::privacy::{email, redact};
use std::borrow::Cow;

/// Whether metadata cannot be stored as it was sent, even with members added to its end: a hash in it is to be hashed,
/// or it names the kind of a hash itself.
#[inline(never)]
pub fn is_due(text: &[u8], event: &Event, context: &Context) -> bool {
    let is_sent = event.is_given(Field::EmailHash);
    (is_sent && context.pepper.is_some())
        || (is_sent || event.is_given(Field::Email)) && (sent_kind(text, event).is_some() || is_empty(event))
}

/// Whether the hash was sent as null or as blank text.
fn is_empty(event: &Event) -> bool {
    event.value(Field::EmailHash).kind() != Kind::Absent && !event.is_given(Field::EmailHash)
}

/// The kind of hash that the sender names.
fn sent_kind(text: &[u8], event: &Event) -> Option<Value> {
    let mut members = event.members().iter();
    members.find(|member| string::equals(text, member.key, email::HASH_KIND.as_bytes())).map(|member| member.value)
}

/// How many bytes metadata grows by what is stored of an address, at most.
#[inline(never)]
pub fn growth(text: &[u8], event: &Event) -> usize {
    if !event.is_given(Field::EmailHash) {
        return if event.is_given(Field::Email) { EMAIL_HASH_BYTES } else { 0 };
    }
    let is = |kind: &str| {
        sent_kind(text, event)
            .is_some_and(|sent| sent.kind() == Kind::Text && string::equals(text, sent, kind.as_bytes()))
    };
    if is(email::KEYED) {
        0
    } else if is(email::PLAIN) {
        email::KEYED.len() - email::PLAIN.len()
    } else {
        HASH_KIND_BYTES
    }
}

/// Puts what is stored of an address, or of the hash that was sent, into metadata.
#[cold]
#[inline(never)]
pub fn settle(metadata: &mut Json, address: Option<&Hash>, context: &Context) {
    let is_keyed = metadata.get(email::HASH_KIND).text() == Some(email::KEYED.as_bytes());
    if is_keyed && address.is_none() && context.caller == Caller::Trusted {
        return;
    }
    let Json::Object(members) = metadata else { return };
    let sent = members.iter().find(|(key, _)| **key == *Field::EmailHash.key().as_bytes());
    let hash = match (address, sent) {
        (Some(hash), _) => hash.as_slice(),
        (None, Some((_, Json::Text(hash)))) if !space::is_blank(hash) => hash,
        _ => return,
    };
    let keyed = context.pepper.map(|pepper| email::stored(hash, pepper));
    // What is no hash is what it was refused for. It may be one in another form, from which the address can be found.
    let is_hidden = keyed.is_some() && !email::is_hash(hash);
    let stored = if is_hidden { redact::PERSONAL.as_bytes() } else { keyed.as_ref().map_or(hash, |keyed| keyed) };
    let stored = stored.to_vec();
    put_text(members, Field::EmailHash.key(), Cow::Owned(stored));
    if !is_hidden {
        let kind = if keyed.is_some() { email::KEYED } else { email::PLAIN };
        put_text(members, email::HASH_KIND, Cow::Borrowed(kind.as_bytes()));
    }
}

/// Puts a text under a key, instead of what was there.
#[cold]
#[inline(never)]
fn put_text<'a>(members: &mut Vec<Member<'a>>, key: &'static str, content: Cow<'a, [u8]>) {
    match members.iter_mut().find(|(other, _)| **other == *key.as_bytes()) {
        Some((_, value)) => *value = Json::Text(content),
        None => {
            members.push((Cow::Borrowed(key.as_bytes()), Json::Text(content)));
            sort(members);
        }
    }
}

/// A rejected event as its record may show it: with a pepper, an address that can be found from its hash is as little
/// shown as one that was sent.
pub fn kept<'a>(mut event: Json<'a>, context: &Context) -> Json<'a> {
    if context.pepper.is_some()
        && let Json::Object(members) = &mut event
    {
        let metadata = members.iter_mut().find(|(key, _)| **key == *Field::Metadata.key().as_bytes());
        if let Some((_, metadata)) = metadata {
            settle(metadata, None, context);
        }
    }
    event
}
