//! JSON strings: finding their end eight bytes at a time, and decoding those that hold escapes.
//!
//! A string without escapes is its own content; only the others are ever decoded. Written by hand because no JSON
//! reader tells in its one pass what the rules need to know of a text (see `bench/`).

use crate::event::{Fault, Faults, Value};
use std::borrow::Cow;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many digits a text holds before it is worth looking for a card or social security number.
const TELLING_DIGITS: u32 = 9;

#[inline]
const fn bytes_equal_to(word: u64, byte: u8) -> u64 {
    let difference = word ^ (LOW * byte as u64);
    difference.wrapping_sub(LOW) & !difference & HIGH
}

/// The high bit of every byte that is not an ASCII digit.
#[inline]
const fn bytes_not_digits(word: u64) -> u64 {
    let low_bits = word ^ (LOW * 0x30);
    (((low_bits & !HIGH).wrapping_add(LOW * 0x76)) | low_bits) & HIGH
}

/// Reads the text that begins behind the quote before `start`; `None` where it does not end as JSON.
///
/// The second value is the number of bytes that Postgres writes for it, quotes included.
#[inline]
pub fn read(text: &[u8], start: usize, faults: &mut Faults) -> Option<(Value, usize)> {
    let mut at = start;
    let mut seen = 0u64;
    let mut marks = 0u64;
    let mut digits = 0u32;
    loop {
        let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) else {
            return read_slowly(text, start, faults);
        };
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
        let stops = bytes_equal_to(word, b'"') | bytes_equal_to(word, b'\\') | control;
        let at_signs = bytes_equal_to(word, b'@') | bytes_equal_to(word, b'%') | bytes_equal_to(word, b'+');
        if stops == 0 {
            seen |= word;
            marks |= at_signs;
            digits += 8 - bytes_not_digits(word).count_ones();
            at += 8;
            continue;
        }
        let offset = stops.trailing_zeros() >> 3;
        let before = if offset == 0 { 0 } else { u64::MAX >> (64 - 8 * offset) };
        seen |= word & before;
        marks |= at_signs & before;
        digits += offset - (bytes_not_digits(word) & before).count_ones();
        at += offset as usize;
        if text.get(at) != Some(&b'"') {
            return read_slowly(text, start, faults);
        }
        let mut flags = 0;
        if seen & HIGH != 0 {
            flags |= Value::NON_ASCII;
            std::str::from_utf8(text.get(start..at)?).ok()?;
        }
        if marks != 0 {
            flags |= Value::AT;
        }
        if digits >= TELLING_DIGITS {
            flags |= Value::DIGITS;
        }
        return Some((
            Value { kind: crate::event::Kind::Text, flags, start: start as u32, end: at as u32 },
            at - start + 2,
        ));
    }
}

/// The same for a text with escapes, or one too near the end to be read by whole words.
#[cold]
fn read_slowly(text: &[u8], start: usize, faults: &mut Faults) -> Option<(Value, usize)> {
    let mut at = start;
    let mut flags = 0;
    let mut size = 2;
    let mut digits = 0;
    loop {
        let byte = *text.get(at)?;
        at += 1;
        size += 1;
        match byte {
            b'"' => break,
            b'\\' => {
                flags |= Value::ESCAPED | Value::AT | Value::DIGITS;
                let (unit, next) = escape(text, at)?;
                at = next;
                size += match unit {
                    0x08 | 0x09 | 0x0a | 0x0c | 0x0d | 0x22 | 0x5c => 1,
                    0..0x20 => 5,
                    0x20..0x80 => 0,
                    0x80..0x800 => 1,
                    _ => 2,
                };
                if unit == 0 || (0xdc00..0xe000).contains(&unit) {
                    faults.add(Fault::Text);
                } else if (0xd800..0xdc00).contains(&unit) {
                    match (text.get(at), escape(text, at + 1)) {
                        (Some(b'\\'), Some((0xdc00..0xe000, next))) => {
                            at = next;
                            size += 1;
                        }
                        _ => faults.add(Fault::Text),
                    }
                }
            }
            0..0x20 => return None,
            b'@' | b'%' | b'+' => flags |= Value::AT,
            b'0'..=b'9' => digits += 1,
            0x80.. => flags |= Value::NON_ASCII,
            _ => {}
        }
    }
    let end = at - 1;
    if flags & Value::NON_ASCII != 0 {
        std::str::from_utf8(text.get(start..end)?).ok()?;
    }
    if digits >= TELLING_DIGITS {
        flags |= Value::DIGITS;
    }
    Some((Value { kind: crate::event::Kind::Text, flags, start: start as u32, end: end as u32 }, size - 1))
}

/// The UTF-16 unit that the escape behind a backslash stands for, and where it ends.
fn escape(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let unit = match *text.get(at)? {
        b'"' => 0x22,
        b'\\' => 0x5c,
        b'/' => 0x2f,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => 0x0a,
        b'r' => 0x0d,
        b't' => 0x09,
        b'u' => {
            let mut unit = 0;
            for digit in text.get(at + 1..at + 5)? {
                unit = unit * 16 + (*digit as char).to_digit(16)?;
            }
            return Some((unit, at + 5));
        }
        _ => return None,
    };
    Some((unit, at + 1))
}

/// The content of a text that [`read`] has read. U+0000 and halves of surrogate pairs become U+FFFD.
pub fn content(text: &[u8], value: Value) -> Cow<'_, [u8]> {
    let raw = value.raw(text);
    if !value.has(Value::ESCAPED) {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((mut unit, next)) = escape(raw, at) else {
            break;
        };
        at = next;
        if (0xd800..0xdc00).contains(&unit)
            && raw.get(at) == Some(&b'\\')
            && let Some((low @ 0xdc00..0xe000, next)) = escape(raw, at + 1)
        {
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            at = next;
        }
        let decoded = char::from_u32(unit).filter(|&c| c != '\0').unwrap_or('\u{fffd}');
        out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Cow::Owned(out)
}

/// How many Unicode code points the text has.
pub fn length(text: &[u8], value: Value) -> usize {
    if !value.has(Value::ESCAPED | Value::NON_ASCII) {
        return (value.end - value.start) as usize;
    }
    content(text, value).iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// Whether the text holds nothing besides ASCII white space.
#[inline]
pub fn is_blank(text: &[u8], value: Value) -> bool {
    if !value.has(Value::ESCAPED) {
        return value.raw(text).iter().all(u8::is_ascii_whitespace);
    }
    content(text, value).iter().all(u8::is_ascii_whitespace)
}

/// Whether two short texts are the same; by words, because a call to compare a few bytes costs more than they do.
#[inline]
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let (Some(left_end), Some(right_end)) = (left.last_chunk::<8>(), right.last_chunk::<8>()) else {
        return left.iter().zip(right).all(|(left, right)| left == right);
    };
    let mut words = left.chunks_exact(8).zip(right.chunks_exact(8));
    words.all(|(left, right)| left.first_chunk::<8>() == right.first_chunk::<8>()) && left_end == right_end
}

/// Whether the content of the text is exactly this.
#[inline]
pub fn equals(text: &[u8], value: Value, other: &[u8]) -> bool {
    if value.has(Value::ESCAPED) { *content(text, value) == *other } else { is_same(value.raw(text), other) }
}

/// Appends a content as a JSON string.
pub fn write(out: &mut Vec<u8>, content: &[u8]) {
    out.push(b'"');
    let mut plain = 0;
    for (at, &byte) in content.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(content.get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(content.get(plain..).unwrap_or_default());
    out.push(b'"');
}

/// The lower-case hexadecimal digit of a value below 16.
pub const fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}
