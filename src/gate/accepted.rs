//! The row of an accepted event: its own bytes, apart from what the gate adds or replaces.

use super::hashing;
use super::request::{Caller, Context};
use crate::contract::field_names::KEYS;
use crate::contract::vocabulary::{Field, Kind};
use crate::digest::Hash;
use crate::ids::Id;
use crate::parse::json::Json;
use crate::parse::{Event, Value, string};
use crate::privacy::email;
use crate::time;
use crate::write::{self, put, separate};

/// An event that violates no rule.
#[derive(Clone, Copy, Debug)]
pub struct Accepted<'a> {
    /// The text it was read from.
    pub text: &'a [u8],
    /// The event.
    pub event: &'a Event,
    /// The hash of its e-mail address, without the pepper.
    pub email_hash: Option<&'a Hash>,
}

impl Accepted<'_> {
    /// Appends its row: what the gate adds, then the event's own bytes.
    pub(super) fn write_row(&self, out: &mut Vec<u8>, index: usize, minted: Option<&Id>, context: &Context) {
        separate(out);
        out.extend_from_slice(br#"{"index":"#);
        write::number(out, index);
        write_own(out, self.event, minted, context);
        self.write_sent(out, context);
    }

    /// Appends the event as a line.
    pub fn write_line(&self, out: &mut Vec<u8>, context: &Context) {
        let start = out.len();
        out.push(b'{');
        self.write_sent(out, context);
        out.remove(start + 1);
        out.push(b'\n');
    }

    /// Appends the members that were sent, each after a comma, and the closing brace.
    #[inline]
    fn write_sent(&self, out: &mut Vec<u8>, context: &Context) {
        let Accepted { text, event, .. } = *self;
        let is_fit = !says_nothing(event) && self.new_time().is_none() && !hashing::is_due(text, event, context);
        if event.value(Field::Email).kind() != Kind::Absent {
            if is_fit && self.replace_email(out, context).is_some() {
                return;
            }
        } else if is_fit {
            out.push(b',');
            return put(out, text.get(event.start + 1..event.end).unwrap_or_default());
        }
        self.rewrite(out, context);
    }

    /// Appends the event as it was sent, but with the hash of its e-mail address instead of the address. `None` if the
    /// event is not in the usual order: the address after other fields, and metadata after the address.
    fn replace_email(&self, out: &mut Vec<u8>, context: &Context) -> Option<()> {
        let Accepted { text, event, .. } = *self;
        let (email, metadata) = (event.value(Field::Email), event.value(Field::Metadata));
        let hash = self.new_hash().filter(|_| metadata.kind() == Kind::Object)?;
        let before = text.get(event.start + 1..email.start())?.strip_suffix(br#","email":""#)?;
        let after = text.get(email.end() + 1..metadata.end() - 1)?;
        put(out, b",");
        put(out, before);
        put(out, after);
        write_hash(out, hash, context);
        put(out, text.get(metadata.end() - 1..event.end)?);
        Some(())
    }

    /// The time it occurred, if the store would read another in what was sent.
    fn new_time(&self) -> Option<[u8; 27]> {
        let sent = self.event.value(Field::OccurredAt);
        if sent.kind() != Kind::Text || !sent.has(Value::ESCAPED) && time::is_plain(sent.raw(self.text)) {
            return None;
        }
        time::parse(&string::content(self.text, sent)).map(time::write_exactly)
    }

    /// The hash of its address, unless the event brings one itself.
    fn new_hash(&self) -> Option<&Hash> {
        self.email_hash.filter(|_| !self.event.is_given(Field::EmailHash))
    }

    /// Appends the event member by member.
    fn rewrite(&self, out: &mut Vec<u8>, context: &Context) {
        let Accepted { text, event, .. } = *self;
        for &(field, key) in &KEYS {
            let value = event.value(field);
            let is_column = !field.in_metadata() && !matches!(field, Field::Email | Field::Metadata);
            if is_column && (event.is_given(field) || field == Field::UserId && value.kind() != Kind::Absent) {
                put(out, br#",""#);
                put(out, key.as_bytes());
                put(out, br#"":"#);
                match self.new_time().filter(|_| field == Field::OccurredAt) {
                    Some(time) => write::text(out, &time),
                    None => put(out, if event.is_given(field) { with_quotes(text, value) } else { b"null" }),
                }
            }
        }
        put(out, br#","metadata":"#);
        let metadata = event.value(Field::Metadata).raw(text);
        let metadata = if metadata.first() == Some(&b'{') { metadata } else { b"{}" };
        match self.new_hash() {
            _ if hashing::is_due(text, event, context) => {
                let mut metadata = Json::event(metadata);
                hashing::settle(&mut metadata, self.email_hash, context);
                metadata.write(out);
            }
            None => put(out, metadata),
            Some(hash) => {
                put(out, metadata.strip_suffix(b"}").unwrap_or(metadata));
                write_hash(out, hash, context);
                out.push(b'}');
            }
        }
        out.push(b'}');
    }
}

/// Appends what the gate adds: the id that it minted, and the user whose token came with the request.
fn write_own(out: &mut Vec<u8>, event: &Event, minted: Option<&Id>, context: &Context) {
    if let Some(id) = minted {
        put(out, br#","id":""#);
        put(out, id);
        out.push(b'"');
    }
    if let Caller::User(id) = context.caller
        && event.value(Field::UserId).kind() == Kind::Absent
    {
        put(out, br#","user_id":"#);
        write::text(out, id.as_bytes());
    }
}

/// Whether a field is there but empty, in a form that the store could not read.
#[inline]
fn says_nothing(event: &Event) -> bool {
    let is_empty = |field: Field| event.value(field).kind() != Kind::Absent && !event.is_given(field);
    event.value(Field::Metadata).kind() == Kind::Null
        || [Field::Id, Field::OccurredAt, Field::UserId, Field::SiteId].into_iter().any(is_empty)
}

/// Appends the hash of an address to an object that is not closed.
fn write_hash(out: &mut Vec<u8>, hash: &Hash, context: &Context) {
    let members = out.trim_ascii_end();
    put(out, if members.ends_with(b"{") { br#""email_hash":""# } else { br#","email_hash":""# });
    let keyed = context.pepper.map(|pepper| email::stored(hash, pepper));
    put(out, keyed.as_ref().unwrap_or(hash));
    put(out, br#"","email_hash_kind":""#);
    put(out, if keyed.is_some() { email::KEYED } else { email::PLAIN }.as_bytes());
    out.push(b'"');
}

fn with_quotes(body: &[u8], value: Value) -> &[u8] {
    match value.kind() {
        Kind::Text => body.get(value.start() - 1..value.end() + 1).unwrap_or_default(),
        _ => value.raw(body),
    }
}
