//! A text without the disguises in which personal data comes: what was encoded for a URL or for HTML, and characters
//! that look like those of ASCII.

use super::numbers::byte_at;
use crate::ids;
use std::borrow::Cow;

/// What HTML writes for the characters that addresses and numbers need. `&amp;` is undone before.
pub const ENTITIES: [(&str, u8); 19] = [
    ("&commat;", b'@'),
    ("&#64;", b'@'),
    ("&#064;", b'@'),
    ("&#x40;", b'@'),
    ("&#X40;", b'@'),
    ("&period;", b'.'),
    ("&#46;", b'.'),
    ("&#x2e;", b'.'),
    ("&#x2E;", b'.'),
    ("&plus;", b'+'),
    ("&#43;", b'+'),
    ("&#x2b;", b'+'),
    ("&#x2B;", b'+'),
    ("&lt;", b'<'),
    ("&gt;", b'>'),
    ("&quot;", b'"'),
    ("&#34;", b'"'),
    ("&nbsp;", b' '),
    ("&#160;", b' '),
];

/// What a URL writes after `%` for the characters that addresses and numbers need, and for no-break spaces, full-width
/// at signs and en dashes. Small letters stand for capitals too. `%25` is undone before, however often it was encoded.
pub const ESCAPES: [(&str, u8); 19] = [
    ("c2%a0", b' '),
    ("ef%bc%a0", b'@'),
    ("e2%80%93", b'-'),
    ("20", b' '),
    ("22", b'"'),
    ("26", b'&'),
    ("28", b'('),
    ("29", b')'),
    ("2b", b'+'),
    ("2c", b','),
    ("2d", b'-'),
    ("2e", b'.'),
    ("2f", b'/'),
    ("3a", b':'),
    ("3c", b'<'),
    ("3d", b'='),
    ("3e", b'>'),
    ("3f", b'?'),
    ("40", b'@'),
];

/// The character of ASCII that one outside it looks like; `Some(None)` for one that is not seen.
pub const fn folded(c: char) -> Option<Option<u8>> {
    Some(Some(match c {
        '\u{ff01}'..='\u{ff5e}' => (c as u32 - 0xfee0) as u8,
        '\u{660}'..='\u{669}' => b'0' + (c as u32 - 0x660) as u8,
        '\u{6f0}'..='\u{6f9}' => b'0' + (c as u32 - 0x6f0) as u8,
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => b' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => b'-',
        '\u{fe6b}' => b'@',
        '\u{3002}' | '\u{ff61}' => b'.',
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => return Some(None),
        _ => return None,
    }))
}

/// The text as it is looked at.
pub fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Cow::Borrowed(text);
    if !text.is_ascii() {
        out = Cow::Owned(without_look_alikes(text));
    }
    if out.contains(&b'&') {
        let unescaped = collapsed(&out, b"&", b"amp;");
        out = Cow::Owned(replaced(&unescaped, b'&', |rest| {
            let next = rest.get(1);
            let is_next = |name: &[u8]| name.get(1) == next && rest.starts_with(name);
            ENTITIES.iter().find(|(name, _)| is_next(name.as_bytes())).map(|(name, byte)| (name.len(), *byte))
        }));
    }
    if out.contains(&b'%') {
        let unescaped = collapsed(&out, b"%", b"25");
        out = Cow::Owned(replaced(&unescaped, b'%', |rest| {
            // An escape has two digits. Most percent signs in a hostile text have not, and are passed over here.
            if !byte_at(rest, 2).is_ascii_hexdigit() {
                return None;
            }
            let is_next = |code: &[u8]| rest.get(1..=code.len()).is_some_and(|next| next.eq_ignore_ascii_case(code));
            ESCAPES.iter().find(|(code, _)| is_next(code.as_bytes())).map(|(code, byte)| (code.len() + 1, *byte))
        }));
    }
    out
}

/// The text with hyphens for each UUID in it, whose groups can read like those of a card, an account or a telephone.
pub fn without_uuids(text: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Cow::Borrowed(text);
    let mut before = b' ';
    for (at, id) in text.windows(36).enumerate() {
        if id.get(8) == Some(&b'-')
            && ids::is_uuid(id)
            && !before.is_ascii_alphanumeric()
            && !byte_at(text, at + 36).is_ascii_alphanumeric()
        {
            out.to_mut().iter_mut().skip(at).take(36).for_each(|byte| *byte = b'-');
        }
        before = byte_at(id, 0);
    }
    out
}

#[cold]
fn without_look_alikes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    // The content of every text is UTF-8.
    let Ok(text) = std::str::from_utf8(text) else { return text.to_vec() };
    for c in text.chars() {
        match folded(c) {
            Some(Some(byte)) => out.push(byte),
            Some(None) => {}
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// The text with a sign alone where it was followed by its own encoding, once or more.
fn collapsed(text: &[u8], sign: &[u8], encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        out.push(byte);
        while [byte] == *sign && text.get(at..).is_some_and(|rest| rest.starts_with(encoded)) {
            at += encoded.len();
        }
    }
    out
}

/// The text with every sequence that begins with a sign and that `read` knows replaced by one byte.
fn replaced(text: &[u8], sign: u8, read: impl Fn(&[u8]) -> Option<(usize, u8)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let known = if byte == sign { read(rest) } else { None };
        out.push(known.map_or(byte, |(_, byte)| byte));
        rest = known.map_or(after, |(size, _)| rest.get(size..).unwrap_or_default());
    }
    out
}
