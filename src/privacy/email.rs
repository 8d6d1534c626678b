//! E-mail addresses: normalising, validating and hashing them, and finding them where they are not allowed.

use crate::contract::limits::EMAIL_BYTES;
use crate::digest::{Hash, hex, hmac, sha256};

/// The address in lower case and without surrounding white space, if it is valid by the grammar of the HTML standard
/// and has a dot in its domain.
pub fn normalise(address: &[u8]) -> Option<Vec<u8>> {
    let mut rest = address.trim_ascii();
    let mut lower = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        lower.push(match first {
            0..0x80 => first.to_ascii_lowercase(),
            // Of all characters outside ASCII, only these two, İ and the Kelvin sign, have an ASCII small letter; no
            // other may be in an address.
            0xc4 => {
                rest = rest.strip_prefix(b"\xb0")?;
                b'i'
            }
            0xe2 => {
                rest = rest.strip_prefix(b"\x84\xaa")?;
                b'k'
            }
            _ => return None,
        });
    }
    is_valid(&lower).then_some(lower)
}

fn is_valid(address: &[u8]) -> bool {
    let Some(at) = address.iter().position(|&byte| byte == b'@') else {
        return false;
    };
    let (local, domain) = address.split_at(at);
    let domain = domain.get(1..).unwrap_or_default();
    address.len() <= EMAIL_BYTES
        && !local.is_empty()
        && local.iter().all(|&byte| is_in_local_part(byte))
        && domain.contains(&b'.')
        && domain.split(|&byte| byte == b'.').all(is_label)
}

fn is_in_local_part(byte: u8) -> bool {
    LOCAL_PART.get(usize::from(byte >> 5)).is_some_and(|bits| bits >> (byte & 31) & 1 != 0)
}

/// A bit for each ASCII character that a local part may hold.
const LOCAL_PART: [u32; 4] = {
    let mut bits = [0; 4];
    let mut byte = 0u8;
    while byte < 128 {
        if byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'(' | b')' | b',' | b':'..=b'<' | b'>' | b'@' | b'['..=b']')
        {
            bits[(byte >> 5) as usize] |= 1u32 << (byte & 31);
        }
        byte += 1;
    }
    bits
};

fn is_label(label: &[u8]) -> bool {
    (1..=63).contains(&label.len())
        && label.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && label.first() != Some(&b'-')
        && label.last() != Some(&b'-')
}

/// Hashes a normalised address: SHA-256, or HMAC-SHA-256 keyed by the pepper.
pub fn hash(normalised: &[u8], pepper: Option<&[u8]>) -> Hash {
    match pepper {
        None => hex(&sha256(&[normalised])),
        Some(pepper) => hex(&hmac(pepper, normalised)),
    }
}

/// The name of the hash for `metadata.email_hash_kind`.
pub const fn hash_kind(pepper: Option<&[u8]>) -> &'static str {
    if pepper.is_none() { "sha256" } else { "hmac-sha256" }
}

/// Whether a text holds a raw e-mail address.
///
/// It looks for a character that can end a local part, `@` (or `%40`, with its percent sign encoded any number of
/// times), a label, and at least one more label, which follows a dot, begins with a letter and has a second character.
pub fn is_in(text: &[u8]) -> bool {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.iter().position(|&byte| byte == b'@' || byte == b'%'))
    {
        let at = from + found;
        from = at + 1;
        if let Some(domain) = after_at_sign(text, at)
            && at > 0
            && text.get(at - 1).is_some_and(|&byte| ends_local_part(byte))
            && begins_with_domain(text.get(domain..).unwrap_or_default())
        {
            return true;
        }
    }
    false
}

fn after_at_sign(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) == Some(&b'@') {
        return Some(at + 1);
    }
    let mut next = at + 1;
    while text.get(next..next + 2) == Some(b"25") {
        next += 2;
    }
    (text.get(next..next + 2) == Some(b"40")).then_some(next + 2)
}

fn ends_local_part(byte: u8) -> bool {
    byte >= 0x80 || is_in_local_part(byte)
}

fn in_label(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric() || byte == b'-'
}

fn begins_with_domain(text: &[u8]) -> bool {
    let label_end = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|&&byte| in_label(byte)).count()
    };
    let mut end = label_end(0);
    if end == 0 {
        return false;
    }
    while text.get(end) == Some(&b'.') {
        let start = end + 1;
        end = label_end(start);
        let label = text.get(start..end).unwrap_or_default();
        let Some(first) = label.first() else {
            return false;
        };
        let characters = label.iter().filter(|&&byte| byte & 0xc0 != 0x80).take(2).count();
        if (*first >= 0x80 || first.is_ascii_alphabetic()) && characters == 2 {
            return true;
        }
    }
    false
}
