//! The formats of schemas.

use super::keywords::FORMATS;
use crate::{ids, time};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A format that a schema asks for.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    Date,
    DateTime,
    Time,
    Uuid,
    Uri,
    Hostname,
    Ipv4,
    Ipv6,
}

/// In the order of [`FORMATS`].
const ALL: [Format; FORMATS.len()] = [
    Format::Date,
    Format::DateTime,
    Format::Time,
    Format::Uuid,
    Format::Uri,
    Format::Hostname,
    Format::Ipv4,
    Format::Ipv6,
];

impl Format {
    pub fn named(name: &[u8]) -> Option<Format> {
        FORMATS.iter().position(|known| known.as_bytes() == name).and_then(|index| ALL.get(index).copied())
    }

    /// Whether a text has the format.
    pub fn has(self, text: &[u8]) -> bool {
        let written = std::str::from_utf8(text).unwrap_or_default();
        match self {
            Format::Date => text.len() == 10 && time::parse(&[text, b"T00:00:00Z"].concat()).is_some(),
            Format::DateTime => time::parse(text).is_some(),
            Format::Time => time::parse(&[b"2000-01-01T", text].concat()).is_some(),
            Format::Uuid => ids::is_uuid(text),
            Format::Uri => is_uri(text),
            Format::Hostname => text.len() <= 253 && text.split(|&byte| byte == b'.').all(is_label),
            Format::Ipv4 => written.parse::<Ipv4Addr>().is_ok(),
            Format::Ipv6 => written.parse::<Ipv6Addr>().is_ok(),
        }
    }
}

fn is_label(label: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric();
    label.first().is_some_and(is_plain)
        && label.last().is_some_and(is_plain)
        && label.len() <= 63
        && label.iter().all(|byte| is_plain(byte) || *byte == b'-')
}

/// Whether a text is of the characters that a part of a URI takes, these besides its usual ones, with what is
/// percent-encoded.
fn is_of(text: &[u8], besides: &[u8]) -> bool {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let [high, low, after @ ..] = rest else { return false };
            if !high.is_ascii_hexdigit() || !low.is_ascii_hexdigit() {
                return false;
            }
            rest = after;
        } else if !is_usual(byte) && !besides.contains(&byte) {
            return false;
        }
    }
    true
}

fn is_usual(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~!$&'()*+,;=-".contains(&byte)
}

/// A text before and after the first byte that passes the test.
fn split(text: &[u8], test: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(test).unwrap_or(text.len()))
}

fn is_uri(text: &[u8]) -> bool {
    let (scheme, rest) = split(text, |&byte| byte == b':');
    let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte));
    let Some(rest) = rest.strip_prefix(b":").filter(|_| is_scheme) else { return false };
    let (rest, fragment) = split(rest, |&byte| byte == b'#');
    let (rest, query) = split(rest, |&byte| byte == b'?');
    let is_named = |part: &[u8]| is_of(part.get(1..).unwrap_or_default(), b":@/?");
    let path = match rest.strip_prefix(b"//") {
        Some(rest) => {
            let (authority, path) = split(rest, |&byte| byte == b'/');
            if !is_authority(authority) {
                return false;
            }
            path
        }
        None => rest,
    };
    is_of(path, b":@/") && is_named(query) && is_named(fragment)
}

fn is_authority(text: &[u8]) -> bool {
    let host = match text.iter().position(|&byte| byte == b'@') {
        Some(at) if is_of(text.get(..at).unwrap_or_default(), b":") => text.get(at + 1..).unwrap_or_default(),
        Some(_) => return false,
        None => text,
    };
    let (host, port) = match host.strip_prefix(b"[") {
        Some(host) => {
            let (address, rest) = split(host, |&byte| byte == b']');
            let Some(port) = rest.strip_prefix(b"]") else { return false };
            (is_address(address), port)
        }
        None => {
            let (host, port) = split(host, |&byte| byte == b':');
            (is_of(host, b""), port)
        }
    };
    host && (port.is_empty() || port.first() == Some(&b':') && port.iter().skip(1).all(u8::is_ascii_digit))
}

/// Whether a text is of the form of an address between brackets.
fn is_address(text: &[u8]) -> bool {
    if let Some(text) = text.strip_prefix(b"v") {
        let (version, rest) = split(text, |&byte| byte == b'.');
        let is_rest = rest.len() > 1 && rest.iter().all(|&byte| is_usual(byte) || byte == b':');
        return !version.is_empty() && version.iter().all(u8::is_ascii_hexdigit) && is_rest;
    }
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(byte))
}
