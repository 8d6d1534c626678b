//! Redaction: what is kept of a refused text, with nothing personal in it.

use super::{email, numbers};
use crate::contract::limits::{
    OUTLINE_BYTES, SNAPSHOT_BYTES, SNAPSHOT_DEPTH, SNAPSHOT_KEY, SNAPSHOT_NUMBER, SNAPSHOT_TEXT,
};
use crate::contract::personal_keys;
use crate::contract::vocabulary::{Field, Kind};
use crate::parse::{Faults, Value, members, number, space, string};
use crate::write::{self, put};

/// What stands for a text that holds an e-mail address.
pub const EMAIL: &str = "[redacted:email]";
/// What stands for a key that names personal data, for its value, and for a text that holds personal data.
pub const PERSONAL: &str = "[redacted:personal]";
/// What stands for the value of a top-level field that nobody has vetted.
pub const UNKNOWN: &str = "[redacted:unknown field]";
/// What stands for a key that is too long to be shown.
pub const SHORTENED_KEY: &str = "[shortened:key]";
/// What stands for everything nested deeper than a snapshot shows.
pub const NESTED: &str = "[shortened:nested]";

/// What replaces a content that must not be kept.
pub fn replacement(content: &[u8]) -> Option<&'static str> {
    if email::is_in(content) {
        Some(EMAIL)
    } else if numbers::holds_personal_value(content) {
        Some(PERSONAL)
    } else {
        None
    }
}

/// Appends the redacted, shortened form of a JSON value in which the reader has found no fault of form, and returns
/// whether anything was left out.
pub fn snapshot(out: &mut Vec<u8>, json: &[u8], is_event: bool) -> bool {
    let mut writer = Writer { json, at: 0, out, limit: 0, is_event, replaced_keys: 0, shortened: false };
    writer.limit = writer.out.len() + SNAPSHOT_BYTES;
    writer.value(0);
    writer.shortened
}

struct Writer<'a> {
    json: &'a [u8],
    at: usize,
    out: &'a mut Vec<u8>,
    limit: usize,
    is_event: bool,
    replaced_keys: usize,
    shortened: bool,
}

impl Writer<'_> {
    fn peek(&mut self) -> u8 {
        self.at = space::skip(self.json, self.at);
        self.json.get(self.at).copied().unwrap_or_default()
    }

    fn is_full(&self) -> bool {
        self.out.len() >= self.limit
    }

    fn value(&mut self, depth: usize) {
        match self.peek() {
            b'"' => {
                let content = self.text();
                self.write_text(content);
            }
            b'{' | b'[' if depth >= SNAPSHOT_DEPTH => {
                self.shortened = true;
                self.skip();
                write::text(self.out, NESTED.as_bytes());
            }
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            _ => self.scalar(),
        }
    }

    fn object(&mut self, depth: usize) {
        self.at += 1;
        self.out.push(b'{');
        let mut first = true;
        while self.peek() != b'}' && self.at < self.json.len() {
            if self.json.get(self.at) == Some(&b',') {
                self.at += 1;
                self.peek();
            }
            let key = self.text();
            self.peek();
            self.at += 1;
            if self.is_full() {
                self.shortened = true;
                self.peek();
                self.skip();
                continue;
            }
            if !first {
                self.out.push(b',');
            }
            first = false;
            self.member(key, depth);
        }
        self.at += 1;
        self.out.push(b'}');
    }

    fn member(&mut self, key: Value, depth: usize) {
        let content = string::content(self.json, key);
        let is_suspicious = key.suspicion() != 0;
        let is_of_event = self.is_event && depth == 0;
        let field = if is_of_event { Field::top_level(&content) } else { Field::of_metadata(&content) };
        // The address is the only personal field, so the others need no check.
        let is_personal = match field {
            Some(field) => field == Field::Email,
            None => {
                personal_keys::named(&content)
                    .is_some_and(|measures| members::can_be(measures, self.json, self.next_value()))
                    || is_suspicious && replacement(&content).is_some()
            }
        };
        // A sender's own key that reads like a replacement is numbered like one; otherwise a key could occur twice.
        let reads_personal = is_personal || content.starts_with(PERSONAL.as_bytes());
        if reads_personal || content.len() > SNAPSHOT_KEY || content.starts_with(SHORTENED_KEY.as_bytes()) {
            let name = if reads_personal { PERSONAL } else { SHORTENED_KEY };
            self.replaced_keys += 1;
            write::text(self.out, name.as_bytes());
            if self.replaced_keys > 1 {
                self.out.pop();
                self.out.push(b' ');
                write::number(self.out, self.replaced_keys);
                self.out.push(b'"');
            }
        } else {
            self.write_content(key, &content);
        }
        self.out.push(b':');
        let is_unknown = is_of_event && field.is_none();
        if !is_personal && !is_unknown {
            return self.value(depth + 1);
        }
        let first = self.peek();
        let start = self.at;
        self.skip();
        let value = self.json.get(start..self.at).unwrap_or_default();
        let holds_email = first == b'"' && email::is_in(value);
        let name = if holds_email {
            EMAIL
        } else if is_personal {
            PERSONAL
        } else {
            UNKNOWN
        };
        write::text(self.out, name.as_bytes());
    }

    fn array(&mut self, depth: usize) {
        self.at += 1;
        self.out.push(b'[');
        let mut first = true;
        while self.peek() != b']' && self.at < self.json.len() {
            if self.json.get(self.at) == Some(&b',') {
                self.at += 1;
                self.peek();
            }
            if self.is_full() {
                self.shortened = true;
                self.skip();
                continue;
            }
            if !first {
                self.out.push(b',');
            }
            first = false;
            self.value(depth + 1);
        }
        self.at += 1;
        self.out.push(b']');
    }

    /// Reads the text whose quote is next.
    fn text(&mut self) -> Value {
        match string::read(self.json, self.at + 1, &mut Faults::default()) {
            Some(value) => {
                self.at = value.end() + 1;
                value
            }
            None => {
                self.at = self.json.len();
                Value::new(Kind::Text, 0, 0, 0)
            }
        }
    }

    /// The value that is next, which stays so.
    fn next_value(&mut self) -> Value {
        let kind = match self.peek() {
            b'"' => Kind::Text,
            b'{' | b'[' => Kind::Object,
            b'-' | b'0'..=b'9' => Kind::Number,
            _ => Kind::Null,
        };
        let start = self.at;
        let value = if kind == Kind::Text {
            self.text()
        } else {
            self.skip();
            Value::new(kind, 0, start, self.at)
        };
        self.at = start;
        value
    }

    fn write_text(&mut self, value: Value) {
        let content = string::content(self.json, value);
        if value.suspicion() != 0
            && let Some(name) = replacement(&content)
        {
            return write::text(self.out, name.as_bytes());
        }
        if content.len() <= SNAPSHOT_TEXT {
            return self.write_content(value, &content);
        }
        self.shortened = true;
        // A character that the cut would split is left out whole.
        let is_inside = |at: usize| content.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        let end = (0..=SNAPSHOT_TEXT).rev().find(|&at| !is_inside(at)).unwrap_or_default();
        let cut = [content.get(..end).unwrap_or_default(), "…".as_bytes()].concat();
        let shown = replacement(&cut).map_or(cut.as_slice(), str::as_bytes);
        write::text(self.out, shown);
    }

    fn write_content(&mut self, value: Value, content: &[u8]) {
        if value.has(Value::ESCAPED) {
            return write::text(self.out, content);
        }
        self.out.push(b'"');
        put(self.out, content);
        self.out.push(b'"');
    }

    fn scalar(&mut self) {
        let start = self.at;
        self.skip();
        let raw = self.json.get(start..self.at).unwrap_or_default();
        if number::read(raw, 0).is_none() || number::is_shown(raw) {
            put(self.out, raw);
        } else {
            self.shortened = true;
            let cut = raw.get(..SNAPSHOT_NUMBER).unwrap_or(raw);
            write::text(self.out, replacement(cut).map_or(cut, str::as_bytes));
        }
    }

    /// Passes over the value that is next.
    fn skip(&mut self) {
        let mut open = 0usize;
        loop {
            match self.peek() {
                0 if self.at >= self.json.len() => return,
                b'"' => {
                    self.text();
                }
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    open = open.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    while !matches!(
                        self.json.get(self.at),
                        None | Some(b',' | b'}' | b']' | b':' | b' ' | b'\n' | b'\r' | b'\t')
                    ) {
                        self.at += 1;
                    }
                }
            }
            if open == 0 {
                return;
            }
        }
    }
}

/// Appends, as a JSON string, the outline of a text that cannot be read as an event, and returns whether anything was
/// left out. Letters and digits are masked, so that the fault in its form can be seen but nothing that it said.
pub fn mask(out: &mut Vec<u8>, body: &[u8]) -> bool {
    let shown = body.get(..OUTLINE_BYTES).unwrap_or(body);
    let masked: Vec<u8> = shown
        .iter()
        .filter(|&&byte| byte & 0xc0 != 0x80)
        .map(|&byte| match byte {
            b'0'..=b'9' => b'9',
            b'a'..=b'z' | b'A'..=b'Z' | b'@' | b'%' | b'+' | 0x80.. => b'x',
            0..0x20 => b' ',
            _ => byte,
        })
        .collect();
    write::text(out, &masked);
    shown.len() < body.len()
}
