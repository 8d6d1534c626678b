//! What a text holds that must not be kept. The rules, the redaction and the module ask this one finder.

use crate::contract::personal_keys;
use crate::ids;
use crate::parse::json::Json;
use crate::parse::number;
use crate::time;

use super::{accounts, email, numbers, phones, plain, secrets};

/// What was found, a bit for each kind.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Found(pub u8);

impl Found {
    /// Nothing.
    pub const NOTHING: Found = Found(0);
    /// A raw e-mail address.
    pub const EMAIL: Found = Found(1);
    /// A number that belongs to a person, or an address on the internet.
    pub const PERSONAL: Found = Found(2);
    /// A credential.
    pub const SECRET: Found = Found(4);

    /// Whether all of the other is in this.
    pub const fn has(self, other: Found) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    pub const fn and(self, other: Found) -> Found {
        Found(self.0 | other.0)
    }
}

/// How many [marks](is_mark) a text without any [sign](is_sign) has at least if it holds anything.
pub const MARKS: u32 = 7;

/// Whether a character alone makes a text worth looking at.
pub const fn is_sign(byte: u8) -> bool {
    matches!(byte, b'@' | b'%' | b'&' | b'+' | b'=' | 0x80..)
}

/// Whether a character makes a text worth looking at together with others: what numbers, addresses and credentials are
/// made of.
pub const fn is_mark(byte: u8) -> bool {
    matches!(byte, b'0'..=b'Z' | b'.')
}

/// How many digits a text has at least if it holds the number of a person's telephone, card or social security.
pub const DIGITS: usize = 6;

fn may_hold(text: &[u8]) -> bool {
    let mut marks = 0;
    for &byte in text {
        if is_sign(byte) {
            return true;
        }
        marks += u32::from(is_mark(byte));
    }
    marks >= MARKS
}

/// What a value holds, be it a text or a number, under this key if it has one.
pub fn in_value(key: &[u8], value: &Json) -> Found {
    match value {
        Json::Text(content) => in_text(key, content),
        Json::Number(raw) => in_number(key, raw),
        _ => Found::NOTHING,
    }
}

/// What a text holds, under this key if it has one.
pub fn in_text(key: &[u8], text: &[u8]) -> Found {
    // Most of what may hold something is a UUID, whose first groups can read like a telephone number, or a time.
    if ids::is_uuid(text) || !may_hold(text) || text.get(10) == Some(&b'T') && time::parse(text).is_some() {
        return Found::NOTHING;
    }
    let plain = &*plain::plain(text);
    let bare = &*plain::without_uuids(plain);
    let holds_number = || {
        !is_id(key, bare) && numbers::is_in(bare)
            || phones::is_in(bare)
            || phones::is_national(bare) && speaks_of(key, &phones::KEYS)
    };
    let holds_secret = secrets::is_in(plain);
    let holds_personal_value = || {
        !holds_secret && has_personal_parameter(plain)
            || bare.iter().filter(|byte| byte.is_ascii_digit()).count() >= DIGITS && holds_number()
            || accounts::is_in(bare)
            || accounts::is_internet_address(plain) && !speaks_of(key, &accounts::VERSION_KEYS)
    };
    let mut found = Found::NOTHING;
    for (is_there, kind) in
        [(email::is_in(plain), Found::EMAIL), (holds_personal_value(), Found::PERSONAL), (holds_secret, Found::SECRET)]
    {
        if is_there {
            found = found.and(kind);
        }
    }
    found
}

/// How many bytes the name of a parameter has at most that names personal data.
pub const PARAMETER: usize = 64;

/// Whether a query string in a text has a parameter with the name of personal data, and a value.
#[cold]
#[inline(never)]
fn has_personal_parameter(text: &[u8]) -> bool {
    text.split(|byte| b"?&;#".contains(byte)).skip(1).any(|parameter| {
        let end = parameter.iter().position(|&byte| byte == b'=' || byte == b' ');
        let (name, value) = parameter.split_at(end.unwrap_or_default());
        matches!(value, [b'=', first, ..] if *first != b' ')
            && name.len() <= PARAMETER
            && personal_keys::named(name, &[]).is_some()
    })
}

/// What a JSON number holds under this key: its digits can be those of a card.
pub fn in_number(key: &[u8], raw: &[u8]) -> Found {
    if !number::may_be_card(raw) || !number::is_storable(raw) {
        return Found::NOTHING;
    }
    let mut digits = Vec::new();
    number::write_plain(&mut digits, raw);
    if !is_id(key, &digits) && numbers::is_card_number(&digits) { Found::PERSONAL } else { Found::NOTHING }
}

/// Whether a key has one of these in it, in whatever case.
fn speaks_of(key: &[u8], parts: &[&str]) -> bool {
    let key = key.to_ascii_lowercase();
    parts.iter().any(|part| key.windows(part.len()).any(|own| own == part.as_bytes()))
}

/// Whether digits are the id that their key speaks of: shops count theirs in thirteen digits, as many as cards had in the
/// last century.
fn is_id(key: &[u8], digits: &[u8]) -> bool {
    let is_of_id = key == b"id" || [b"_id", b"-id"].iter().any(|end| key.ends_with(*end)) || key.ends_with(b"Id");
    is_of_id && digits.len() == 13 && digits.iter().all(u8::is_ascii_digit)
}
