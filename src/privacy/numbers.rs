//! Card and social security numbers: groups of digits with joints between them.

use super::published::CARDS;

/// How many digits the longest card number has.
const MOST: usize = 19;
/// How many bytes stand between two groups at most.
const JOINT: usize = 3;

/// Whether a text holds a card or social security number.
pub fn is_in(text: &[u8]) -> bool {
    let mut run = Run::default();
    let mut at = 0;
    let mut last_end = 0;
    while let Some(&byte) = text.get(at) {
        if !byte.is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        at += digits_at(text, at);
        let group = text.get(start..at).unwrap_or_default();
        let joint = text.get(last_end..start).unwrap_or_default();
        let before = text.get(..last_end).unwrap_or_default();
        // Digits beside a letter are part of a code.
        let is_of_code = joint.last().is_some_and(u8::is_ascii_alphabetic) || byte_at(text, at).is_ascii_alphabetic();
        if is_of_code {
            if run.is_whole_number(before) {
                return true;
            }
            run = Run::default();
        } else {
            if !run.is_continued(joint) {
                if run.is_whole_number(before) {
                    return true;
                }
                run = run.next(joint);
            } else if run.groups == 1 {
                run.joint = joint;
            }
            run.add(group.len());
            let in_decimal =
                byte_at(text, at) == b'.' && byte_at(text, at + 1).is_ascii_digit() || last_end > 0 && joint == b".";
            if !in_decimal && is_card(group) && !is_article(group)
                || run.ends_with_number(text.get(..at).unwrap_or_default())
            {
                return true;
            }
        }
        last_end = at;
    }
    run.is_whole_number(text.get(..last_end).unwrap_or_default())
}

/// Whether a whole JSON number, or what was written of one, is that of a card.
pub fn is_card_number(number: &[u8]) -> bool {
    number.iter().all(u8::is_ascii_digit) && is_card(number) && !is_article(number)
}

pub(super) fn byte_at(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or_default()
}

/// How many digits stand at a place.
pub(super) fn digits_at(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Groups of digits with the same joint between any two of them.
#[derive(Default)]
struct Run<'a> {
    joint: &'a [u8],
    /// Whether letters and a joint stand before it, as in a part's number.
    is_of_code: bool,
    groups: usize,
    /// How many digits there are.
    digits: usize,
    /// The sizes of the last groups, a byte for each, the last one lowest; a size that a byte cannot hold is of no number.
    sizes: u64,
}

impl Run<'_> {
    fn is_continued(&self, joint: &[u8]) -> bool {
        self.groups > 0 && is_joint(joint) && (self.groups == 1 || joint == self.joint)
    }

    /// The run that begins after another joint; the last group of this one belongs to it too.
    fn next<'b>(&self, joint: &'b [u8]) -> Run<'b> {
        let mut next = Run { joint, is_of_code: is_end_of_code(joint), ..Run::default() };
        if self.groups > 0 && is_joint(joint) {
            next.add((self.sizes & 0xff) as usize);
        }
        next
    }

    fn add(&mut self, size: usize) {
        self.groups += 1;
        self.digits += size;
        self.sizes = self.sizes << 8 | size.min(0xff) as u64;
    }

    /// Whether the last groups, with which a text ends, are grouped as cards and, between spaces, social security numbers
    /// are.
    fn ends_with_number(&self, text: &[u8]) -> bool {
        let size = match self.sizes.to_le_bytes() {
            [4, 4, 4, 4, ..] => 16,
            [extra @ 1..=3, 4, 4, 4, 4, ..] => 16 + usize::from(extra),
            [4, 6, 4, ..] => 14,
            [5, 6, 4, ..] => 15,
            [4, 2, 3, ..] if self.joint == b" " => return is_social_security(last(text, 9, &mut [0; MOST])),
            _ => return false,
        };
        is_card(last(text, size, &mut [0; MOST]))
    }

    /// Whether all groups together, with which a text ends, are a number. A point alone is that of a decimal.
    fn is_whole_number(&self, text: &[u8]) -> bool {
        let is_grouped = self.groups > 1 && !(self.groups == 2 && self.joint == b".");
        is_grouped && (13..=MOST).contains(&self.digits) && is_card(last(text, self.digits, &mut [0; MOST]))
            || self.groups == 3
                && self.sizes == 0x30204
                && self.joint.len() == 1
                && !self.is_of_code
                && is_social_security(last(text, 9, &mut [0; MOST]))
    }
}

/// As many of the last digits of a text as are asked for.
#[inline(never)]
fn last<'a>(text: &[u8], count: usize, room: &'a mut [u8; MOST]) -> &'a [u8] {
    let digits = text.iter().rev().filter(|byte| byte.is_ascii_digit());
    room.iter_mut().rev().take(count).zip(digits).for_each(|(slot, digit)| *slot = *digit);
    room.get(MOST.saturating_sub(count)..).unwrap_or_default()
}

/// Whether this joins two groups of a number.
fn is_joint(between: &[u8]) -> bool {
    (1..=JOINT).contains(&between.len()) && between.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric())
}

/// Whether a letter and a joint other than white space end what stands before a run.
fn is_end_of_code(before: &[u8]) -> bool {
    matches!(before, [.., letter, b'-' | b'_' | b'.' | b'/'] if letter.is_ascii_alphabetic())
}

/// Whether nine digits are a social security number: no part of it is one that is never issued.
#[inline(never)]
fn is_social_security(digits: &[u8]) -> bool {
    !digits.starts_with(b"000")
        && !digits.starts_with(b"666")
        && !digits.starts_with(b"9")
        && !digits.ends_with(b"0000")
        && digits.get(3..5) != Some(b"00")
}

/// Whether digits begin as a brand's cards do, are as many as it issues, and satisfy Luhn's check.
#[inline(never)]
fn is_card(digits: &[u8]) -> bool {
    if !(13..=MOST).contains(&digits.len()) {
        return false;
    }
    let first = digits.iter().take(4).fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    CARDS.iter().any(|&(from, to, lengths)| (from..=to).contains(&first) && lengths & 1 << digits.len() != 0)
        && sum(digits, |value| if value > 4 { 2 * value - 9 } else { 2 * value }).is_multiple_of(10)
}

/// Whether thirteen digits satisfy the check of an article's number (EAN).
#[inline(never)]
fn is_article(digits: &[u8]) -> bool {
    digits.len() == 13 && sum(digits, |value| 3 * value).is_multiple_of(10)
}

/// The sum of the digits, where every second one before the last is changed.
fn sum(digits: &[u8], change: fn(u32) -> u32) -> u32 {
    let values = digits.iter().rev().map(|digit| u32::from(digit - b'0')).enumerate();
    values.map(|(place, value)| if place % 2 == 1 { change(value) } else { value }).sum()
}
