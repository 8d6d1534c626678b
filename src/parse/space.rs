//! White space between the parts of JSON: the four characters of RFC 8259, and no others.

/// The place of the next byte that is not white space, or the end.
#[inline]
pub fn skip(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The text without the white space around it.
pub fn trim(text: &[u8]) -> &[u8] {
    let text = text.get(skip(text, 0)..).unwrap_or_default();
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

/// How many bytes a character of white space, as Unicode defines it, has at the beginning of a text in UTF-8.
pub fn unicode(text: &[u8]) -> Option<usize> {
    match *text {
        [b'\t'..=b'\r' | b' ', ..] => Some(1),
        [0xc2, 0x85 | 0xa0, ..] => Some(2),
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..]
        | [0xe2, 0x81, 0x9f, ..]
        | [0xe3, 0x80, 0x80, ..] => Some(3),
        _ => None,
    }
}

/// Whether a text holds nothing but white space, as Unicode defines it.
pub fn is_blank(mut text: &[u8]) -> bool {
    while let Some(size) = unicode(text) {
        text = text.get(size..).unwrap_or_default();
    }
    text.is_empty()
}
