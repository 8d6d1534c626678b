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

/// What is stored of a hash with a pepper: the HMAC-SHA-256 of it as text. The address itself is not asked for,
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

/// Whether a [plain](super::plain) text holds a raw e-mail address.
///
/// It looks for a character that can end a local part, an at sign, a label, and at least one more label, which follows a
/// dot, begins with a letter and has a second character. Handles after a slash, versions of packages and names of files
/// have that form too, and are none.
pub fn is_in(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, &byte)| {
        byte == b'@'
            && ends_local_part(text.get(..at).unwrap_or_default())
            && begins_with_domain(text.get(at + 1..).unwrap_or_default())
    })
}

/// The last names of files that no domain ends in.
pub const FILES: [&str; 31] = [
    "png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "ico", "bmp", "css", "js", "mjs", "cjs", "jsx", "ts", "tsx",
    "json", "html", "htm", "php", "pdf", "xml", "txt", "csv", "mp3", "mp4", "webm", "woff", "woff2", "ttf", "wasm",
];

/// What of a local part can stand before an at sign in a text, so that neither paths nor parameters end in one.
pub const LOCAL_END: &[u8] = b".!$'*+^_`{|}~-";

fn ends_local_part(text: &[u8]) -> bool {
    let ends = |text: &[u8]| {
        text.last().is_some_and(|byte| *byte >= 0x80 || byte.is_ascii_alphanumeric() || LOCAL_END.contains(byte))
    };
    ends(text) || text.strip_suffix(b"\"").is_some_and(ends)
}

fn in_label(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric() || byte == b'-'
}

fn begins_with_domain(text: &[u8]) -> bool {
    let size = text.iter().take_while(|&&byte| in_label(byte) || byte == b'.').count();
    let domain = text.get(..size).unwrap_or_default();
    let mut labels = domain.split(|&byte| byte == b'.').take_while(|label| !label.is_empty());
    let (first, rest) = (labels.next(), labels.clone());
    let is_top_level = |label: &[u8]| {
        label.first().is_some_and(|byte| *byte >= 0x80 || byte.is_ascii_alphabetic())
            && label.iter().filter(|&&byte| byte & 0xc0 != 0x80).take(2).count() == 2
    };
    let is_number = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_digit);
    let is_version = first
        .is_some_and(|label| is_number(label.strip_prefix(b"v").or(label.strip_prefix(b"V")).unwrap_or(label)))
        && rest.clone().next().is_some_and(|label| label.first().is_some_and(u8::is_ascii_digit));
    let last = domain.split(|&byte| byte == b'.').rfind(|label| !label.is_empty()).unwrap_or_default();
    let is_file = || FILES.iter().any(|name| last.eq_ignore_ascii_case(name.as_bytes()));
    labels.any(is_top_level) && !is_version && !is_file()
}
