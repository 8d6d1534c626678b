//! JSON strings: finding their end a block at a time, and decoding those that hold escapes.
//!
//! A string without escapes is its own content; only the others are ever decoded. Written by hand, because no JSON
//! reader finds out in its one pass what the rules need to know about a text (see `bench/`).

use super::faults::Faults;
use super::space;
use super::value::Value;
use crate::block::{self, Block, Mask};
use crate::contract::vocabulary::{Fault, Kind};
use crate::privacy::find::{self, MARKS};
use crate::{ids, short};
use std::borrow::Cow;

/// The text that begins at `start`, after its quote, if it is one of the many that need no second look: a UUID, or
/// plain ASCII of less than two blocks that is not blank and holds no sign of anything personal. It may hold
/// [marks](find::is_mark), as every time does.
///
/// The end is found in as few steps as possible, from the first quote alone, because the next text can only be read
/// once it is known where this one ends. Whether anything else came before the quote is left to branches, which the
/// processor nearly always predicts.
#[inline(always)]
pub fn read_fast<const SIZE: usize>(text: &[u8; SIZE], start: usize) -> Option<Fast> {
    let block = Block::at(text, start)?;
    let quotes = block.quotes();
    if quotes == 0 {
        return read_fast_beyond(text, start, block);
    }
    let length = quotes.trailing_zeros() as usize;
    let within = quotes.wrapping_sub(1) & !quotes;
    let marks = (block.marks() & within).count_ones();
    let is_plain = block.unusual() & within == 0 && block.first() != b' ' && length != 0;
    is_plain.then_some(Fast { length, flags: suspicion(0, marks) })
}

/// How many bytes a plain text has at most, with its closing quote: as many as a UUID.
pub const MOST_FAST: usize = 37;

/// What [`read_fast`] found.
pub struct Fast {
    /// How many bytes the text has.
    pub length: usize,
    /// What was found in it.
    pub flags: u8,
}

/// The same for a text of more than one block.
#[inline(always)]
fn read_fast_beyond<const SIZE: usize>(text: &[u8; SIZE], start: usize, block: Block) -> Option<Fast> {
    if let Some([id @ .., b'"']) = text.get(start..).and_then(<[u8]>::first_chunk::<MOST_FAST>)
        && ids::is_id(id)
    {
        return Some(Fast { length: id.len(), flags: Value::UUID });
    }
    let second = Block::at(text, start + block::SIZE)?;
    let quotes = second.quotes();
    let within = quotes.wrapping_sub(1) & !quotes;
    let marks = (block.marks() | (second.marks() & within) << block::SIZE).count_ones();
    let unusual = block.unusual() | second.unusual() & within;
    let is_plain = quotes != 0 && unusual == 0 && block.first() != b' ';
    let length = block::SIZE + quotes.trailing_zeros() as usize;
    is_plain.then_some(Fast { length, flags: suspicion(0, marks) })
}

/// Reads the text that begins at `start`, after its quote; `None` if it is not JSON up to its end.
#[inline(never)]
pub fn read(text: &[u8], start: usize, faults: &mut Faults) -> Option<Value> {
    if let Some([id @ .., b'"']) = text.get(start..).and_then(<[u8]>::first_chunk::<MOST_FAST>)
        && ids::is_uuid(id)
    {
        return Some(Value::new(Kind::Text, Value::UUID, start, start + id.len()));
    }
    let mut at = start;
    let (mut non_ascii, mut signs, mut marks) = (0, 0, 0);
    loop {
        let Some(block) = Block::at(text, at) else {
            return read_slowly(text, start, faults);
        };
        let stops = block.stops();
        let first = stops & stops.wrapping_neg();
        // The bytes up to the first stop.
        let within = first.wrapping_sub(1);
        non_ascii |= block.non_ascii() & within;
        signs |= block.signs() & within;
        marks += (block.marks() & within).count_ones();
        if stops == 0 {
            at += block::SIZE;
            continue;
        }
        if first & block.quotes() == 0 {
            return read_slowly(text, start, faults);
        }
        at += first.trailing_zeros() as usize;
        let mut flags = suspicion(signs | non_ascii, marks);
        if non_ascii != 0 {
            flags |= Value::NON_ASCII;
            std::str::from_utf8(text.get(start..at)?).ok()?;
        }
        return Some(Value::new(Kind::Text, flags, start, at));
    }
}

#[inline]
const fn suspicion(signs: Mask, marks: u32) -> u8 {
    let signs = if signs == 0 { 0 } else { Value::SIGNS };
    signs | if marks < MARKS { 0 } else { Value::DIGITS }
}

/// The same for a text with escapes, whose content is still to be looked at, or for one too near the end to be read in
/// whole blocks.
#[cold]
fn read_slowly(text: &[u8], start: usize, faults: &mut Faults) -> Option<Value> {
    let mut at = start;
    let mut flags = 0;
    let mut marks = 0;
    loop {
        let byte = *text.get(at)?;
        at += 1;
        marks += u32::from(find::is_mark(byte));
        if find::is_sign(byte) {
            flags |= Value::SIGNS;
        }
        match byte {
            b'"' => break,
            b'\\' => {
                flags |= Value::ESCAPED | Value::SIGNS | Value::DIGITS;
                let (unit, next) = escape(text, at)?;
                at = next;
                if unit == 0 || (0xdc00..0xe000).contains(&unit) {
                    faults.add(Fault::Text);
                } else if (0xd800..0xdc00).contains(&unit) {
                    match (text.get(at), escape(text, at + 1)) {
                        (Some(b'\\'), Some((0xdc00..0xe000, next))) => at = next,
                        _ => faults.add(Fault::Text),
                    }
                }
            }
            0..0x20 => return None,
            0x80.. => flags |= Value::NON_ASCII,
            _ => {}
        }
    }
    let end = at - 1;
    flags |= suspicion(0, marks);
    if flags & Value::NON_ASCII != 0 {
        std::str::from_utf8(text.get(start..end)?).ok()?;
    }
    Some(Value::new(Kind::Text, flags, start, end))
}

/// How many more bytes Postgres writes for a text than it was sent in.
#[cold]
pub fn jsonb_growth(text: &[u8], value: Value) -> isize {
    let size = |byte: &u8| match byte {
        0x08 | b'\t' | b'\n' | 0x0c | b'\r' | b'"' | b'\\' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    content(text, value).iter().map(size).sum::<isize>() - value.raw(text).len() as isize
}

/// The UTF-16 unit that the escape after a backslash stands for, and where it ends.
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

/// The content of a text that [`read`] has accepted. U+0000 and unpaired surrogates become U+FFFD.
#[inline]
pub fn content(text: &[u8], value: Value) -> Cow<'_, [u8]> {
    let raw = value.raw(text);
    if value.has(Value::ESCAPED) { Cow::Owned(decoded(raw)) } else { Cow::Borrowed(raw) }
}

/// The same, decoded into `room` if it has to be. This result stays in registers, whereas the other is put together in
/// memory and read back at once, which processors wait for.
#[inline]
pub fn content_in<'a>(text: &'a [u8], value: Value, room: &'a mut Vec<u8>) -> &'a [u8] {
    let raw = value.raw(text);
    if !value.has(Value::ESCAPED) {
        return raw;
    }
    *room = decoded(raw);
    room
}

#[cold]
#[inline(never)]
fn decoded(raw: &[u8]) -> Vec<u8> {
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
    out
}

/// Every text, key and number within an object or array that was read from `text`; a value comes with the key that it
/// stands under, even if it stands there in a list.
pub fn leaves(text: &[u8], value: Value) -> impl Iterator<Item = (Option<Value>, Value)> {
    let mut at = if matches!(value.kind(), Kind::Array | Kind::Object) { value.start() } else { value.end() };
    let mut key = None;
    let mut lists = Vec::new();
    std::iter::from_fn(move || {
        while at < value.end() {
            let byte = *text.get(at)?;
            match byte {
                b'"' => {
                    let found = read(text, at + 1, &mut Faults::default())?;
                    at = space::skip(text, found.end() + 1);
                    if text.get(at) != Some(&b':') {
                        return Some((key, found));
                    }
                    key = Some(found);
                    return Some((None, found));
                }
                b'-' | b'0'..=b'9' => {
                    let start = at;
                    let goes_on = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'e' | b'E');
                    at += text.get(at..)?.iter().take_while(|byte| goes_on(byte)).count();
                    return Some((key, Value::new(Kind::Number, 0, start, at)));
                }
                b'{' | b'[' => lists.push(if byte == b'[' { key } else { None }),
                b'}' | b']' => _ = lists.pop(),
                b',' => key = lists.last().copied().flatten(),
                _ => {}
            }
            at += 1;
        }
        None
    })
}

/// How many Unicode code points the text has.
#[inline]
pub fn length(text: &[u8], value: Value) -> usize {
    let is_plain = !value.has(Value::ESCAPED | Value::NON_ASCII);
    if is_plain { value.end() - value.start() } else { count_characters(text, value) }
}

#[cold]
#[inline(never)]
fn count_characters(text: &[u8], value: Value) -> usize {
    content(text, value).iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// Whether the text holds nothing but white space, as Unicode defines it.
#[inline]
pub fn is_blank(text: &[u8], value: Value) -> bool {
    // After an empty text comes its closing quote.
    match text.get(value.start()) {
        // These begin the characters of white space, ASCII or not, and an escape.
        Some(byte) if !matches!(byte, 0..=b' ' | b'"' | b'\\' | 0xc2 | 0xe1..=0xe3) => false,
        _ => holds_only_space(text, value),
    }
}

#[cold]
fn holds_only_space(text: &[u8], value: Value) -> bool {
    space::is_blank(&content(text, value))
}

/// Whether the content of the text is exactly this.
#[inline]
pub fn equals(text: &[u8], value: Value, other: &[u8]) -> bool {
    if value.has(Value::ESCAPED) { *content(text, value) == *other } else { short::is_same(value.raw(text), other) }
}
