//! International bank account numbers, and addresses on the internet.

use super::numbers::byte_at;
use super::published::ACCOUNTS;

/// Whether a text holds an international bank account number.
pub fn is_in(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        if begins(text, at) && is_account(text, at) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether two letters and two digits begin here.
fn begins(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map_or(b' ', |before| byte_at(text, before));
    byte_at(text, at).is_ascii_alphabetic()
        && byte_at(text, at + 1).is_ascii_alphabetic()
        && byte_at(text, at + 2).is_ascii_digit()
        && byte_at(text, at + 3).is_ascii_digit()
        && !before.is_ascii_alphanumeric()
}

/// The length of an account number by the letters of its country, with [`LETTERS`] where it can have letters.
static LENGTHS: [u8; 32 * 32] = {
    let mut lengths = [0; 32 * 32];
    let mut row = 0;
    while row < ACCOUNTS.len() {
        let (length, countries) = ACCOUNTS[row];
        let countries = countries.as_bytes();
        let mut at = 0;
        while at < countries.len() {
            let letters = if countries[at].is_ascii_uppercase() { LETTERS } else { 0 };
            lengths[place(countries[at], countries[at + 1])] = length as u8 | letters;
            at += 3;
        }
        row += 1;
    }
    lengths
};
const LETTERS: u8 = 128;

const fn place(first: u8, second: u8) -> usize {
    first as usize % 32 * 32 + second as usize % 32
}

fn is_account(text: &[u8], start: usize) -> bool {
    let found = LENGTHS[place(byte_at(text, start), byte_at(text, start + 1))];
    let (length, may_have_letters) = (usize::from(found % LETTERS), found & LETTERS != 0);
    let mut account = [0; 34];
    let mut at = start;
    for (place, slot) in account.iter_mut().take(length).enumerate() {
        if place > 3 && matches!(byte_at(text, at), b' ' | b'.' | b'_' | b'/' | b'-') {
            at += 1;
        }
        *slot = byte_at(text, at);
        if place > 1 && !(slot.is_ascii_digit() || may_have_letters && slot.is_ascii_alphabetic()) {
            return false;
        }
        at += 1;
    }
    if length == 0 || byte_at(text, at).is_ascii_alphanumeric() {
        return false;
    }
    let account = account.get(..length).unwrap_or_default();
    let rest = account.iter().skip(4).chain(account.iter().take(4)).fold(0, |rest, byte| {
        let value = (*byte as char).to_digit(36).unwrap_or_default();
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    });
    rest == 1
}

/// Whether a text is an address on the internet, of version 4 or 6, with a port or in brackets or not.
pub fn is_internet_address(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    if text.len() > 64 {
        return false;
    }
    let bare = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(text);
    let mut with_port = text.split(|&byte| byte == b':');
    let (host, port) = (with_port.next().unwrap_or_default(), with_port.next());
    let is_port = |port: &[u8]| (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
    with_port.next().is_none() && port.is_none_or(is_port) && is_version_4(host) || is_version_6(bare)
}

#[inline(never)]
fn is_version_4(text: &[u8]) -> bool {
    let value = |part: &[u8]| part.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let is_part = |part: &[u8]| {
        (1..=3).contains(&part.len())
            && part.iter().all(u8::is_ascii_digit)
            && value(part) < 256
            && (part.len() == 1 || part.first() != Some(&b'0'))
    };
    text.split(|&byte| byte == b'.').count() == 4 && text.split(|&byte| byte == b'.').all(is_part)
}

/// Eight groups of up to four hexadecimal digits, fewer where two colons stand for the missing ones; an address of
/// version 4 stands for the last two.
fn is_version_6(text: &[u8]) -> bool {
    let gap = text.windows(2).position(|pair| pair == b"::");
    let (left, right) = text.split_at(gap.unwrap_or(text.len()));
    let right = right.get(2..);
    let groups = |part: &[u8], is_last: bool| -> Option<usize> {
        if part.is_empty() {
            return Some(0);
        }
        let mut count = 0;
        let mut all = part.split(|&byte| byte == b':').peekable();
        while let Some(group) = all.next() {
            let is_group = (1..=4).contains(&group.len()) && group.iter().all(u8::is_ascii_hexdigit);
            let is_old = is_last && all.peek().is_none() && is_version_4(group);
            if !is_group && !is_old {
                return None;
            }
            count += if is_group { 1 } else { 2 };
        }
        Some(count)
    };
    let Some(before) = groups(left, right.is_none()) else { return false };
    match right {
        None => before == 8,
        Some(right) => groups(right, true).is_some_and(|after| (1..8).contains(&(before + after))),
    }
}

/// What a key that speaks of a version has in it, in small letters.
pub const VERSION_KEYS: [&str; 6] = ["version", "release", "build", "firmware", "revision", "semver"];
