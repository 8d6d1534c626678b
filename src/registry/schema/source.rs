//! The source of a pattern, sign by sign, and what its signs stand for.

use crate::contract::limits::PATTERN_REPEATS;
use std::str::Chars;

/// From one code point to another.
pub type Range = (u32, u32);

const DIGITS: &[Range] = &[(0x30, 0x39)];
const WORD: &[Range] = &[(0x41, 0x5a), (0x61, 0x7a), (0x30, 0x39), (0x5f, 0x5f)];
/// White space as ECMAScript lists it.
const SPACE: &[Range] = &[
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];

/// A text that is being read.
pub struct Source<'a>(Chars<'a>);

impl<'a> Source<'a> {
    /// `None` if it is not UTF-8.
    pub fn of(text: &'a [u8]) -> Option<Source<'a>> {
        std::str::from_utf8(text).ok().map(|text| Source(text.chars()))
    }

    #[inline(never)]
    pub fn next(&mut self) -> Option<char> {
        self.0.next()
    }

    #[inline(never)]
    pub fn peek(&self) -> Option<char> {
        self.0.clone().next()
    }

    pub fn take(&mut self, sign: char) -> bool {
        let is_next = self.peek() == Some(sign);
        if is_next {
            self.next();
        }
        is_next
    }

    /// Whether the hyphen of a range follows, and not a class's last character.
    pub fn has_range(&self) -> bool {
        let mut rest = Source(self.0.clone());
        rest.take('-') && rest.next().is_some_and(|sign| sign != ']')
    }

    /// A number of at most three digits.
    fn number(&mut self) -> Option<usize> {
        let mut sum = self.next()?.to_digit(10)?;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|sign| sign.to_digit(10)) else { break };
            self.next();
            sum = sum * 10 + digit;
        }
        Some(sum as usize)
    }

    /// The bounds of a repetition, after its brace.
    pub fn bounds(&mut self) -> Option<(usize, Option<usize>)> {
        let least = self.number()?;
        let most = match self.take(',') {
            false => Some(least),
            true if self.peek() == Some('}') => None,
            true => Some(self.number()?),
        };
        let is_fit = self.take('}') && most.unwrap_or(least).max(least) <= PATTERN_REPEATS;
        (is_fit && most.is_none_or(|most| most >= least)).then_some((least, most))
    }
}

/// The code point that a backslash and this sign stand for.
pub fn escaped(sign: char, in_class: bool) -> Option<u32> {
    let is_sign = |byte: &u8| char::from(*byte) == sign;
    match b"tnvfr".iter().position(is_sign) {
        Some(place) => Some(9 + place as u32),
        None => (br"^$\.*+?()[]{}|/".iter().any(is_sign) || in_class && sign == '-').then_some(sign.into()),
    }
}

/// The characters that a backslash and this sign stand for.
pub fn class(sign: char) -> Option<&'static [Range]> {
    match sign.to_ascii_lowercase() {
        'd' => Some(DIGITS),
        'w' => Some(WORD),
        's' => Some(SPACE),
        _ => None,
    }
}
