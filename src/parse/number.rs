//! JSON numbers as exact decimals: no engine rounds, so no two engines can disagree.

use crate::block::{self, Block};
use crate::contract::limits::{MOST_EXPONENT, NUMBER_LENGTH};
use crate::write::{MOST_DIGITS, decimal, put};
use std::cmp::Ordering;

/// The smallest integer that double precision rounds to infinity.
pub const INFINITE_DECIMAL: &str = "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792";
/// As many of its 309 digits as the longest number has.
const INFINITE: &[u8; NUMBER_LENGTH] = b"1797693134862315807937289714053034150799341327100378269361737789";

/// A decimal number as it was written: its digits, and where the point is.
pub(super) struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    pub(super) fraction: &'a [u8],
    pub(super) exponent: i64,
}

/// The length of the number that begins at `start` if it is simply a few digits, with a point or without, as most are.
#[inline(always)]
pub fn read_fast<const SIZE: usize>(text: &[u8; SIZE], start: usize) -> Option<usize> {
    let block = Block::at(text, start)?;
    let digits = block.digits();
    let whole = digits.trailing_ones() as usize;
    let mut length = whole;
    if text.get(start + whole) == Some(&b'.') {
        length += 1 + (digits >> whole >> 1).trailing_ones() as usize;
    }
    let goes_on = matches!(text.get(start + length), Some(b'.' | b'e' | b'E')) || length == whole + 1;
    let is_zero_led = block.first() == b'0' && whole > 1;
    // Times in milliseconds are as long as cards, but begin with 1.
    let is_short = length < CARD || length < block::SIZE && block.first() == b'1';
    (whole != 0 && is_short && !goes_on && !is_zero_led).then_some(length)
}

/// How many digits the number of a card has at least.
const CARD: usize = 13;

/// Whether the digits of a number can be those of a card.
pub fn may_be_card(raw: &[u8]) -> bool {
    raw.iter().any(|byte| matches!(byte, b'e' | b'E'))
        || raw.len() >= CARD && !matches!(raw.first(), Some(b'0' | b'1' | b'-'))
}

/// Reads the number that begins at `start`, and returns its end, whether it can be stored, and how many bytes Postgres
/// writes for it; `None` if it is not a JSON number.
#[inline]
pub fn read(text: &[u8], start: usize) -> Option<(usize, bool, usize)> {
    let mut at = start;
    let negative = text.get(at) == Some(&b'-');
    at += negative as usize;
    let whole = at;
    match text.get(at)? {
        b'0' => at += 1,
        b'1'..=b'9' => at = digits_end(text, at),
        _ => return None,
    }
    let zero = at == whole + 1 && text.get(whole) == Some(&b'0');
    match text.get(at) {
        Some(b'.' | b'e' | b'E') => read_rest(text, start, at),
        _ => Some((at, at - start <= NUMBER_LENGTH, at - start - (negative && zero) as usize)),
    }
}

fn read_rest(text: &[u8], start: usize, mut at: usize) -> Option<(usize, bool, usize)> {
    if text.get(at) == Some(&b'.') {
        let end = digits_end(text, at + 1);
        if end == at + 1 {
            return None;
        }
        at = end;
    }
    let has_power = matches!(text.get(at), Some(b'e' | b'E'));
    if has_power {
        at += 1;
        at += matches!(text.get(at), Some(b'+' | b'-')) as usize;
        let end = digits_end(text, at);
        if end == at {
            return None;
        }
        at = end;
    }
    let raw = text.get(start..at)?;
    if raw.len() > NUMBER_LENGTH {
        return Some((at, false, raw.len()));
    }
    if !has_power && raw.first() != Some(&b'-') {
        // A number with so few digits is never too large, and Postgres writes it as it came.
        return Some((at, true, raw.len()));
    }
    let decimal = Decimal::of(raw);
    Some((at, decimal.is_storable(), decimal.jsonb_size()))
}

#[inline]
fn digits_end(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b'0'..=b'9')) {
        at += 1;
    }
    at
}

/// Compares two JSON numbers by value.
pub fn compare(left: &[u8], right: &[u8]) -> Ordering {
    if let (Some((whole, has_more)), Some(right)) = (small_part(left), small(right)) {
        return whole.cmp(&right).then(has_more.cmp(&false));
    }
    Decimal::of(left).cmp_value(&Decimal::of(right))
}

/// Whether a JSON number has no fraction.
pub fn is_integer(raw: &[u8]) -> bool {
    let decimal = Decimal::of(raw);
    let point = decimal.whole.len() as i64 + decimal.exponent;
    (0..decimal.length()).all(|place| (place as i64) < point || decimal.digit(place) == Some(b'0'))
}

impl<'a> Decimal<'a> {
    /// Splits a number that [`read`] has accepted.
    pub(super) fn of(raw: &'a [u8]) -> Self {
        let negative = raw.first() == Some(&b'-');
        let raw = raw.get(negative as usize..).unwrap_or_default();
        let mantissa_end = raw.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(raw.len());
        let (mantissa, power) = raw.split_at(mantissa_end);
        let point = mantissa.iter().position(|&byte| byte == b'.').unwrap_or(mantissa.len());
        Decimal {
            negative,
            whole: mantissa.get(..point).unwrap_or_default(),
            fraction: mantissa.get(point + 1..).unwrap_or_default(),
            exponent: exponent(power.get(1..).unwrap_or_default()),
        }
    }

    /// The digit at a place, counted from the first; none after the last.
    pub(super) fn digit(&self, place: usize) -> Option<u8> {
        self.whole.get(place).or_else(|| self.fraction.get(place - self.whole.len())).copied()
    }

    pub(super) fn length(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    pub(super) fn leading_zeros(&self) -> usize {
        let mut zeros = 0;
        while self.digit(zeros) == Some(b'0') {
            zeros += 1;
        }
        zeros
    }

    fn is_zero(&self) -> bool {
        self.leading_zeros() == self.length()
    }

    /// How many digits are before the point, without leading zeros; negative below a tenth.
    fn magnitude(&self) -> i64 {
        self.whole.len() as i64 + self.exponent - self.leading_zeros() as i64
    }

    fn is_storable(&self) -> bool {
        if self.exponent.abs() > MOST_EXPONENT {
            return false;
        }
        if self.is_zero() || self.magnitude() < 309 {
            return true;
        }
        let smallest = Decimal { negative: false, whole: INFINITE, fraction: b"", exponent: 0 };
        self.magnitude() == 309 && self.cmp_digits(&smallest, INFINITE.len()) != Ordering::Greater
    }

    /// How many bytes Postgres writes: it keeps the digits that were written after the point, and writes no exponent.
    fn jsonb_size(&self) -> usize {
        let fraction = (self.fraction.len() as i64 - self.exponent).max(0) as usize;
        let zero = self.is_zero();
        let whole = if zero { 1 } else { self.magnitude().max(1) as usize };
        (self.negative && !zero) as usize + whole + if fraction > 0 { fraction + 1 } else { 0 }
    }

    fn cmp_value(&self, other: &Decimal) -> Ordering {
        let sign = |it: &Decimal| {
            if it.is_zero() { 0 } else { 1 - 2 * (it.negative as i32) }
        };
        let (left, right) = (sign(self), sign(other));
        if left != right || left == 0 {
            return left.cmp(&right);
        }
        let size = self.magnitude().cmp(&other.magnitude()).then_with(|| self.cmp_digits(other, usize::MAX));
        if self.negative { size.reverse() } else { size }
    }

    /// Compares at most this many significant digits.
    fn cmp_digits(&self, other: &Decimal, most: usize) -> Ordering {
        let (start, other_start) = (self.leading_zeros(), other.leading_zeros());
        let length = (self.length() - start).max(other.length() - other_start).min(most);
        for place in 0..length {
            let digits = (self.digit(start + place), other.digit(other_start + place));
            let order = digits.0.unwrap_or(b'0').cmp(&digits.1.unwrap_or(b'0'));
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

/// The exponent, limited to a range in which no arithmetic here can overflow.
fn exponent(power: &[u8]) -> i64 {
    let (sign, digits) = match power.split_first() {
        Some((b'-', digits)) => (-1, digits),
        Some((b'+', digits)) => (1, digits),
        _ => (1, power),
    };
    sign * digits.iter().fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1_000_000))
}

/// Whether a JSON number is at least `least` and, if there is an upper bound, at most that.
#[inline]
pub fn within(raw: &[u8], least: u32, most: Option<u32>) -> bool {
    if let Some((whole, has_more)) = small_part(raw) {
        return whole >= least && most.is_none_or(|most| whole < most || whole == most && !has_more);
    }
    let compare_with = |bound: u32| compare(raw, decimal(bound as usize, &mut [0; MOST_DIGITS]));
    compare_with(least).is_ge() && most.is_none_or(|most| compare_with(most).is_le())
}

/// The whole part of a number of a few plain digits, as nearly every measure is, and whether anything but zeros follows
/// its point.
#[inline(never)]
fn small_part(raw: &[u8]) -> Option<(u32, bool)> {
    let (mut whole, mut fraction, mut is_after_point) = (0u32, 0u32, false);
    if raw.len() > 9 {
        return None;
    }
    for &byte in raw {
        match byte {
            b'0'..=b'9' if is_after_point => fraction |= u32::from(byte - b'0'),
            b'0'..=b'9' => whole = whole * 10 + u32::from(byte - b'0'),
            b'.' => is_after_point = true,
            _ => return None,
        }
    }
    Some((whole, fraction != 0))
}

/// A whole number of a few plain digits.
#[inline]
pub fn small(raw: &[u8]) -> Option<u32> {
    if raw.len() > 9 {
        return None;
    }
    raw.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// Whether Postgres and every reader in double precision can hold a number that [`read`] has accepted.
#[cold]
#[inline(never)]
pub fn is_storable(raw: &[u8]) -> bool {
    read(raw, 0).is_some_and(|(_, is_storable, _)| is_storable)
}

/// Appends a number that can be [stored](is_storable) as Postgres writes it: without an exponent, and with the digits
/// that were written after the point.
#[cold]
#[inline(never)]
pub fn write_plain(out: &mut Vec<u8>, raw: &[u8]) {
    if !raw.iter().any(|byte| matches!(byte, b'e' | b'E' | b'-')) {
        return put(out, raw);
    }
    let decimal = Decimal::of(raw);
    if decimal.negative && !decimal.is_zero() {
        out.push(b'-');
    }
    let point = decimal.whole.len() as i64 + decimal.exponent;
    let fraction = (decimal.fraction.len() as i64 - decimal.exponent).max(0);
    let first = if decimal.is_zero() { point.max(1) - 1 } else { decimal.leading_zeros() as i64 };
    let digit = |place: i64| usize::try_from(place).ok().and_then(|place| decimal.digit(place)).unwrap_or(b'0');
    if point <= first {
        out.push(b'0');
    }
    (first.min(point)..point).for_each(|place| out.push(digit(place)));
    if fraction > 0 {
        out.push(b'.');
        (point..point + fraction).for_each(|place| out.push(digit(place)));
    }
}
