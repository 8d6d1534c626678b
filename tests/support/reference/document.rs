//! An event as a tree, in which numbers stay as they were written: `serde_json`'s own tree rounds them.

use audience_gate::contract::vocabulary::Fault;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::cmp::Ordering;
use std::fmt;

/// The deepest nesting, and the longest number, that the contract accepts.
const MOST_DEPTH: usize = 32;
const MOST_CHARACTERS: usize = 64;
/// The largest exponent, either way, that Postgres holds in any number of that length.
const MOST_EXPONENT: i64 = 400;

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn members(&self) -> &[(String, Json)] {
        if let Json::Object(members) = self { members } else { &[] }
    }

    pub fn get(&self, key: &str) -> Option<&Json> {
        self.members().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    /// The text of the value as Postgres writes a `jsonb`.
    pub fn stored(&self) -> String {
        match self {
            Json::Null => "null".into(),
            Json::Boolean(is_true) => is_true.to_string(),
            Json::Number(number) => Decimal::of(number).to_string(),
            Json::Text(text) => quoted(text),
            Json::Array(items) => format!("[{}]", items.iter().map(Json::stored).collect::<Vec<_>>().join(", ")),
            Json::Object(members) => {
                let member = |(key, value): &(String, Json)| format!("{}: {}", quoted(key), value.stored());
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\0'..' ' => out += &format!("\\u{:04x}", character as u32),
            _ => out.push(character),
        }
    }
    out + "\""
}

/// A number written out without an exponent.
pub struct Decimal {
    pub is_negative: bool,
    /// The whole part, without leading zeros.
    pub whole: String,
    pub fraction: String,
}

impl Decimal {
    pub fn of(number: &str) -> Decimal {
        let (mantissa, exponent) = parts(number);
        let (whole, fraction) =
            mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), ""));
        let (mut whole, mut fraction) = (whole.to_string(), fraction.to_string());
        for _ in 0..exponent {
            whole.push(if fraction.is_empty() { '0' } else { fraction.remove(0) });
        }
        for _ in exponent..0 {
            fraction.insert(0, whole.pop().unwrap_or('0'));
        }
        let whole = whole.trim_start_matches('0').to_string();
        let is_zero = whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
        Decimal { is_negative: number.starts_with('-') && !is_zero, whole, fraction }
    }

    /// Compares by value.
    pub fn compare(&self, other: &Decimal) -> Ordering {
        let size = |one: &Decimal| (one.whole.len(), one.whole.clone(), one.fraction.trim_end_matches('0').to_string());
        match (self.is_negative, other.is_negative) {
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let sign = if self.is_negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(out, "{sign}{whole}{point}{}", self.fraction)
    }
}

/// What is before the exponent, and the exponent.
fn parts(number: &str) -> (&str, i64) {
    match number.split_once(['e', 'E']) {
        None => (number, 0),
        Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(i64::MAX)),
    }
}

/// Whether the text is an object with a member of that name.
pub fn has_member(text: &[u8], wanted: &str) -> bool {
    serde_json::from_slice(text).is_ok_and(|Members(members)| members.iter().any(|(Name(name), _)| name == wanted))
}

/// The event, or why it cannot be judged.
pub fn read(text: &[u8]) -> Result<Json, Vec<Fault>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let text = str::from_utf8(text).map_err(|_| vec![Fault::Json])?;
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| vec![Fault::Json])?;
    let faults = faults(raw);
    if faults.is_empty() { Ok(tree(raw)) } else { Err(faults) }
}

/// Looks at every value in a loop. A value that is nested too deep is scanned only once, because it may be nested very
/// deep.
fn faults(event: &RawValue) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut left = vec![(event, 1)];
    if !event.get().starts_with('{') {
        faults.push(Fault::Shape);
    }
    while let Some((raw, depth)) = left.pop() {
        let value = raw.get();
        match value.as_bytes()[0] {
            b'{' | b'[' if depth > MOST_DEPTH => {
                faults.push(Fault::Depth);
                faults.extend(scalars(value).into_iter().flat_map(fault));
            }
            b'{' => {
                let Members(members) = serde_json::from_str(value).unwrap();
                let mut names: Vec<_> =
                    members.iter().map(|(Name(name), _)| name.replace(UNSTORABLE, "\u{fffd}")).collect();
                names.sort();
                let is_twice = names.windows(2).any(|two| two[0] == two[1]);
                faults.extend(is_twice.then_some(Fault::DuplicateKey));
                let is_unstorable = members.iter().any(|(Name(name), _)| name.contains(UNSTORABLE));
                faults.extend(is_unstorable.then_some(Fault::Text));
                left.extend(members.iter().map(|&(_, value)| (value, depth + 1)));
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(value).unwrap();
                left.extend(items.iter().map(|&item| (item, depth + 1)));
            }
            _ => faults.extend(fault(value)),
        }
    }
    faults
}

/// What is wrong with a text or a number.
fn fault(scalar: &str) -> Option<Fault> {
    match scalar.as_bytes()[0] {
        b'"' => serde_json::from_str::<Name>(scalar).unwrap().0.contains(UNSTORABLE).then_some(Fault::Text),
        b'-' | b'0'..=b'9' => (!is_storable(scalar)).then_some(Fault::Number),
        _ => None,
    }
}

/// Every text, key and number within, without telling keys from texts.
fn scalars(json: &str) -> Vec<&str> {
    let mut scalars = Vec::new();
    let mut rest = json;
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = &rest[start..];
        let mut is_escaped = false;
        let end = match rest.strip_prefix('"') {
            None => rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len()),
            Some(text) => {
                let ends = |c: char| {
                    let is_end = c == '"' && !is_escaped;
                    is_escaped = c == '\\' && !is_escaped;
                    is_end
                };
                text.find(ends).unwrap() + 2
            }
        };
        scalars.push(&rest[..end]);
        rest = &rest[end..];
    }
    scalars
}

fn is_storable(number: &str) -> bool {
    number.len() <= MOST_CHARACTERS
        && number.parse::<f64>().unwrap().is_finite()
        && parts(number).1.checked_abs().is_some_and(|exponent| exponent <= MOST_EXPONENT)
}

fn tree(raw: &RawValue) -> Json {
    let value = raw.get();
    match value.as_bytes()[0] {
        b'n' => Json::Null,
        b't' => Json::Boolean(true),
        b'f' => Json::Boolean(false),
        b'"' => Json::Text(serde_json::from_str(value).unwrap()),
        b'[' => Json::Array(serde_json::from_str::<Vec<&RawValue>>(value).unwrap().into_iter().map(tree).collect()),
        b'{' => {
            let Members(members) = serde_json::from_str(value).unwrap();
            Json::Object(members.into_iter().map(|(Name(name), value)| (name, tree(value))).collect())
        }
        _ => Json::Number(value.into()),
    }
}

/// U+0000, which Postgres cannot store and which in a [`Name`] stands for half of a surrogate pair as well.
const UNSTORABLE: char = '\0';

/// A text, which may have been sent with something that no `String` can hold.
struct Name(String);

/// The members of an object in order, including repeated ones.
struct Members<'a>(Vec<(Name, &'a RawValue)>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(decoder: D) -> Result<Self, D::Error> {
        decoder.deserialize_bytes(Name(String::new()))
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Name;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a text")
    }

    /// Unpaired surrogates come as the three bytes that UTF-8 would give them if it allowed them.
    fn visit_bytes<E: Error>(self, mut bytes: &[u8]) -> Result<Name, E> {
        let mut name = self.0;
        while !bytes.is_empty() {
            let half = bytes.windows(2).position(|pair| pair[0] == 0xed && pair[1] >= 0xa0).unwrap_or(bytes.len());
            name += str::from_utf8(&bytes[..half]).map_err(E::custom)?;
            if half < bytes.len() {
                name.push(UNSTORABLE);
            }
            bytes = bytes.get(half + 3..).unwrap_or_default();
        }
        Ok(Name(name))
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(decoder: D) -> Result<Self, D::Error> {
        decoder.deserialize_map(Members(Vec::new()))
    }
}

impl<'de> Visitor<'de> for Members<'de> {
    type Value = Members<'de>;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self, A::Error> {
        while let Some(member) = members.next_entry()? {
            self.0.push(member);
        }
        Ok(self)
    }
}
