//! Writing JSON: appends bytes, texts, numbers and lists.

use crate::block::{self, Block};
use crate::parse::json::Step;

/// Appends bytes. In the module this is not inlined, because the hundred places that call it would be a tenth of all
/// code; and it copies a few bytes at a time, because copying many at once is a call out of the module, which few bytes
/// are not worth.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline)]
pub fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    if !cfg!(target_arch = "wasm32") || bytes.len() >= 256 {
        out.extend_from_slice(bytes);
    } else if let Some(last) = bytes.last_chunk::<16>() {
        let (blocks, rest) = bytes.as_chunks::<16>();
        blocks.iter().for_each(|block| out.extend_from_slice(block));
        append_end(out, last, rest.len());
    } else if let Some(last) = bytes.last_chunk::<4>() {
        let (words, rest) = bytes.as_chunks::<4>();
        words.iter().for_each(|word| out.extend_from_slice(word));
        append_end(out, last, rest.len());
    } else {
        bytes.iter().for_each(|&byte| out.push(byte));
    }
}

/// Appends the last bytes of a block of which the others are there already.
#[inline]
fn append_end<const SIZE: usize>(out: &mut Vec<u8>, block: &[u8; SIZE], missing: usize) {
    if missing > 0 {
        out.truncate(out.len() + missing - SIZE);
        out.extend_from_slice(block);
    }
}

/// Appends content as a JSON string.
pub fn text(out: &mut Vec<u8>, content: &[u8]) {
    out.push(b'"');
    let mut plain = 0;
    while let Some((at, byte)) = next_to_escape(content, plain) {
        put(out, content.get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => put(out, b"\\n"),
            b'\r' => put(out, b"\\r"),
            b'\t' => put(out, b"\\t"),
            0x08 => put(out, b"\\b"),
            0x0c => put(out, b"\\f"),
            0 => put(out, "\u{fffd}".as_bytes()),
            _ => {
                put(out, b"\\u00");
                put(out, &[hex_digit(byte >> 4), hex_digit(byte & 15)]);
            }
        }
    }
    put(out, content.get(plain..).unwrap_or_default());
    out.push(b'"');
}

/// The next byte that a JSON text cannot hold as it is, and its place.
#[inline]
fn next_to_escape(content: &[u8], mut from: usize) -> Option<(usize, u8)> {
    // One follows another in a text made to be dear, for which a whole block would be looked at each time.
    if let Some(&byte @ (b'"' | b'\\')) = content.get(from) {
        return Some((from, byte));
    }
    while let Some(block) = Block::at(content, from) {
        let stops = block.stops();
        if stops != 0 {
            let at = from + stops.trailing_zeros() as usize;
            return Some((at, *content.get(at)?));
        }
        from += block::SIZE;
    }
    let rest = content.get(from..).unwrap_or_default();
    let found = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')?;
    Some((from + found, *rest.get(found)?))
}

/// The lower-case hexadecimal digit of a value below 16.
pub const fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// How many digits a number has at most.
pub const MOST_DIGITS: usize = 20;

/// A number in decimal, at the end of the array.
#[inline(never)]
pub fn decimal(mut number: usize, room: &mut [u8; MOST_DIGITS]) -> &[u8] {
    let mut first = room.len();
    for (at, digit) in room.iter_mut().enumerate().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        first = at;
        if number == 0 {
            break;
        }
    }
    room.get(first..).unwrap_or_default()
}

/// Appends a number in decimal.
#[inline]
pub fn number(out: &mut Vec<u8>, number: usize) {
    put(out, decimal(number, &mut [0; MOST_DIGITS]));
}

/// Appends a comma unless the list has only just begun.
#[inline]
pub fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'[')) {
        out.push(b',');
    }
}

/// Appends a step of a JSON pointer.
#[cold]
#[inline(never)]
pub fn step(out: &mut Vec<u8>, step: Step) {
    out.push(b'/');
    match step {
        Step::Item(index) => number(out, index),
        Step::Key(key) => key.iter().for_each(|byte| match byte {
            b'~' => put(out, b"~0"),
            b'/' => put(out, b"~1"),
            _ => out.push(*byte),
        }),
    }
}
