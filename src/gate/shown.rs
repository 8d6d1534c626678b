//! The redacted text of a rejected event, written from what the parser found: for nearly all events, in which every key can
//! be shown. For the others, the [redaction](crate::privacy::redact) reads the event again as a tree.

use super::request::Context;
use crate::contract::field_names::KEYS;
use crate::contract::vocabulary::{Field, Kind};
use crate::parse::json;
use crate::parse::{Event, Value, number, string};
use crate::privacy::find::{self, Found};
use crate::privacy::redact;
use crate::write::{self, put};

/// Appends the redacted text of an event, unless it has a field that is not known, a key that must not be shown, too
/// many of them, or a list or an object within its metadata.
/// `is_judged` says that the privacy rules found nothing, so what they have looked at need not be looked at again.
#[cold]
#[inline(never)]
pub fn write_event(out: &mut Vec<u8>, text: &[u8], event: &Event, context: &Context, is_judged: bool) -> Option<()> {
    let kind = |field: Field| event.value(field).kind();
    // The key of an address is replaced; a hash can be keyed by the pepper; what was another event has rules of its own.
    let is_plain = kind(Field::Email) == Kind::Absent
        && (context.pepper.is_none() || kind(Field::EmailHash) == Kind::Absent)
        && matches!(kind(Field::OriginalPayloadSnapshot), Kind::Absent | Kind::Text);
    let has_plain_keys = is_judged || !event.has_personal_key() && context.registry.personal_words.is_empty();
    if !is_plain || !has_plain_keys {
        return None;
    }
    Writer { out, text, event, is_judged }.event()
}

type Members<'a> = Vec<(&'a [u8], Value)>;

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    text: &'a [u8],
    event: &'a Event,
    is_judged: bool,
}

impl<'a> Writer<'a> {
    fn event(&mut self) -> Option<()> {
        let event = self.event;
        let members = fields(event, Field::Id as usize..Field::Email as usize);
        if !event.unknown_fields().is_empty() {
            return None;
        }
        self.members(members, false)
    }

    fn metadata(&mut self) -> Option<()> {
        let mut members = fields(self.event, Field::ContentId as usize..KEYS.len());
        for other in self.event.members() {
            members.push((self.key(other.key)?, other.value));
        }
        self.members(members, true)
    }

    /// A key without escapes, at which the privacy rules have looked or nothing is found. What stands for another key begins
    /// with a bracket.
    #[inline(never)]
    fn key(&self, key: Value) -> Option<&'a [u8]> {
        let content = key.raw(self.text);
        let is_shown = !key.has(Value::ESCAPED)
            && content.first() != Some(&b'[')
            && (self.is_judged || redact::replacement(b"", content).is_none());
        is_shown.then_some(content)
    }

    /// Appends an object of these members, which are columns or those of metadata.
    #[inline(never)]
    fn members(&mut self, mut members: Members<'a>, is_metadata: bool) -> Option<()> {
        if members.len() > json::FEW {
            return None;
        }
        json::sort_few(&mut members, |(key, _), (other, _)| json::is_after(key, other));
        self.out.push(b'{');
        for (index, &(key, value)) in members.iter().enumerate() {
            self.out.extend_from_slice(if index > 0 { b", \"" } else { b"\"" });
            put(self.out, key);
            self.out.extend_from_slice(b"\": ");
            if is_metadata {
                self.value(key, value, self.is_judged)?;
            } else {
                self.column(key, value)?;
            }
        }
        self.out.push(b'}');
        Some(())
    }

    fn name(&mut self, name: &str) {
        write::text(self.out, name.as_bytes());
    }

    /// A column. The privacy rules do not look at all of them.
    fn column(&mut self, key: &'a [u8], value: Value) -> Option<()> {
        match value.kind() {
            Kind::Object if key == Field::Metadata.key().as_bytes() => self.metadata(),
            Kind::Number | Kind::Array | Kind::Object => None,
            _ => self.value(key, value, false),
        }
    }

    /// A value that holds no other.
    fn value(&mut self, key: &'a [u8], value: Value, is_judged: bool) -> Option<()> {
        let raw = value.raw(self.text);
        match value.kind() {
            Kind::Text => {
                let is_kept = is_judged || value.suspicion() == 0;
                if is_kept && !value.has(Value::ESCAPED) {
                    put(self.out, self.text.get(value.start() - 1..value.end() + 1)?);
                    return Some(());
                }
                let content = string::content(self.text, value);
                let name = if is_kept { None } else { redact::replacement(key, &content) };
                write::text(self.out, name.map_or(&content, str::as_bytes));
            }
            Kind::Number if redact::is_long(raw) => return None,
            Kind::Number if !is_judged && find::in_number(key, raw) != Found::NOTHING => self.name(redact::PERSONAL),
            Kind::Number => number::write_plain(self.out, raw),
            Kind::Array | Kind::Object => return None,
            _ => put(self.out, raw),
        }
        Some(())
    }
}

/// The fields that are there, of the event or of its metadata.
#[inline(never)]
fn fields(event: &Event, places: std::ops::Range<usize>) -> Members<'_> {
    let mut members = Vec::with_capacity(json::FEW);
    let own = KEYS.get(places).unwrap_or_default().iter().map(|&(field, key)| (key.as_bytes(), event.value(field)));
    members.extend(own.filter(|(_, value)| value.kind() != Kind::Absent));
    members
}

#[cfg(test)]
mod tests {
    use super::super::{Caller, Context, Gate};
    use super::write_event;
    use crate::parse::json::Json;
    use crate::privacy::redact::{self, Extent};
    use crate::registry::Registry;

    /// Columns, and members of metadata, of every kind that is shown as it came, replaced, cut or named otherwise.
    const COLUMNS: [&str; 15] = [
        r#""utm_medium":"email","utm_campaign":"autumn \"26\"""#,
        r#""session_id":"\u0073-2","event_category":"engagement""#,
        r#""event_type":false,"user_id":null,"utm_content":"ü""#,
        r#""id":"9f8b1c1e-5d0e-4b57-9a42-0e1d2c3b4a59""#,
        r#""id":"+49 30 901820""#,
        r#""occurred_at":"2026-11-28T09:00:00Z","session_id":"s-1""#,
        r#""session_id":"call 030 901820","event_type":"page_view""#,
        r#""utm_source":"a@b.example""#,
        r#""utm_term":12345678901234567890"#,
        r#""event_source":{"phone":"030 901820"}"#,
        r#""site_id":null,"user_id":true"#,
        r#""email":"a@b.example""#,
        r#""email":null"#,
        r#""colour":"red""#,
        r#""first_name":"red","[shortened:key]":1"#,
    ];
    const MEMBERS: [&str; 25] = [
        r#""first":"a","second":"b\\c","third":true"#,
        r#""":"","ratio":0.25,"none":null"#,
        r#""words":"one two three","count":12"#,
        r#""note":"plain","page_path":"/a/b","content_id":7"#,
        r#""note":"a \"b\" \u00fc\n""#,
        r#""note":"ü and ＠""#,
        r#""note":"write to a@b.example""#,
        r#""note":"call 030 901820 or +49 30 901820""#,
        r#""card":4111111111111111"#,
        r#""small":-0,"large":1.50,"power":1e3"#,
        r#""power":1e64,"long":1e-63"#,
        r#""phone":"030 901820""#,
        r#""age":3,"phone":null,"last_name":"","name":true"#,
        r#""age":300,"height":[180]"#,
        r#""a@b.example":1,"zz":2"#,
        r#""[redacted:personal]":1"#,
        r#""\u0061":1,"email_hash":"00""#,
        r#""list":[],"object":{},"lists":[[1,"a"],{"b":[null,true]}]"#,
        r#""mobile":[12345678],"list":["+49 30 901820",{"x":"a@b.example"}]"#,
        r#""object":{"phone":"1","b":2}"#,
        r#""object":{"a@b.example":1}"#,
        r#""deep":[[[[[[1]]]]]]"#,
        r#""deep":[[[[[[[[1]]]]]]]]"#,
        r#""original_payload_snapshot":{"metadata":{"age":300}}"#,
        r#""original_payload_snapshot":"text","sk":"sk_live_0123456789abcdef""#,
    ];

    /// The text as this module writes it, and as the redaction does.
    fn both(event: &str, context: &Context) -> (Option<Vec<u8>>, Vec<u8>) {
        let (text, mut gate) = (event.as_bytes(), Gate::new());
        let found = gate.check(text, context);
        let read = &gate.parser.event;
        let is_judged = !found.rules().any(|rule| rule.id.starts_with("privacy."));
        let (mut shown, mut whole) = (Vec::new(), Vec::new());
        // Of two members that have a key in common, the redaction is never asked.
        let is_shown = read.faults().is_empty() && write_event(&mut shown, text, read, context, is_judged).is_some();
        redact::redacted(Json::event(text), true, Extent::Whole, context.registry).write(&mut whole);
        (is_shown.then_some(shown), whole)
    }

    #[test]
    fn what_is_written_without_a_tree_is_what_the_redaction_writes() {
        let registry = Registry::unloaded();
        let context =
            Context { caller: Caller::Trusted, origin: None, received_at: 0, registry: &registry, pepper: None };
        let mut shown = 0;
        for column in COLUMNS {
            for one in MEMBERS {
                for other in MEMBERS.iter().filter(|other| **other > one) {
                    let event = format!(r#"{{"metadata":{{{one},{other}}},{column}}}"#);
                    if let (Some(written), whole) = both(&event, &context) {
                        shown += 1;
                        let [written, whole] = [&written, &whole].map(|text| String::from_utf8_lossy(text));
                        assert_eq!(written, whole, "{event}");
                    }
                }
            }
        }
        assert!(shown > 200, "{shown} events were written without a tree");
    }
}
