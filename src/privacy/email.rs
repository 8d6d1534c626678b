//! E-mail addresses: normalising, validating and hashing them, and finding them where they are not allowed.

use crate::contract::limits::{EMAIL_BYTES, HASH_LENGTH};
use crate::contract::vocabulary::EMPTY_HASH;
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

/// The key under which a gate says what it made of the hash of an address.
pub const HASH_KIND: &str = "email_hash_kind";
/// The hash of an address, as a sender without the pepper makes it.
pub const PLAIN: &str = "sha256";
/// The hash of that hash under the pepper.
pub const KEYED: &str = "hmac-sha256";

/// What is stored of a normalised address: its hash, which any sender can make, or with a pepper, that hash keyed by it.
pub fn hash(normalised: &[u8], pepper: Option<&[u8]>) -> Hash {
    let plain = hex(&sha256(&[normalised]));
    pepper.map_or(plain, |pepper| stored(&plain, pepper))
}

/// What is stored of a hash with a pepper: the HMAC-SHA-256 of its 64 digits as text. The address itself is not asked for,
/// because a page may send its hash alone, and one address must have one value.
pub fn stored(hash: &[u8], pepper: &[u8]) -> Hash {
    hex(&hmac(pepper, hash))
}

/// Whether a text is the SHA-256 of something, in lower-case hexadecimal.
#[cold]
#[inline(never)]
pub fn is_hash(content: &[u8]) -> bool {
    let mut is_alike = true;
    for digit in content {
        if !matches!(digit, b'0'..=b'9' | b'a'..=b'f') {
            return false;
        }
        is_alike &= Some(digit) == content.first();
    }
    content.len() == HASH_LENGTH && !is_alike && !content.iter().eq(EMPTY_HASH.as_bytes())
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
