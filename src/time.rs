//! RFC 3339 times as microseconds since 1970.

use crate::block::{Block, Mask};

/// The seconds since 1970 at which the years begin and end that four digits can name: 1 to 9999.
const FIRST: i64 = -62_135_596_800;
const END: i64 = 253_402_300_800;

/// Reads an RFC 3339 time. Digits of the second beyond the sixth are cut, not rounded.
pub fn parse(text: &[u8]) -> Option<i64> {
    let (&[y1, y2, y3, y4, dash1, m1, m2, dash2, d1, d2, t, h1, h2, colon1, n1, n2, colon2, s1, s2], rest) =
        text.split_first_chunk()?;
    // The digits of `2026-11-21T12:00` from right to left.
    const DIGITS: Mask = 0b1101_1011_0110_1111;
    if Block::at(text, 0)?.digits() != DIGITS
        || [dash1, dash2, t | 0x20, colon1, colon2] != *b"--t::"
        || !s1.is_ascii_digit()
        || !s2.is_ascii_digit()
    {
        return None;
    }
    let two = |tens: u8, ones: u8| u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
    let (year, month, day) = (two(y1, y2) * 100 + two(y3, y4), two(m1, m2), two(d1, d2));
    let (hour, minute, second) = (two(h1, h2), two(n1, n2), two(s1, s2));
    let (micros, zone) = fraction(rest)?;
    if year == 0
        || !(1..=12).contains(&month)
        || day == 0
        || day > days_in(year, month)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let seconds = i64::from(days_since_1970(year, month, day)) * 86_400 + i64::from((hour * 60 + minute) * 60 + second)
        - offset(zone)?;
    // A leap second is the last of a day of UTC.
    let is_time = (FIRST..END).contains(&seconds) && (second < 60 || seconds % 86_400 == 0);
    is_time.then_some(seconds * 1_000_000 + i64::from(micros))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

/// The fraction of the second in microseconds, and what follows it.
fn fraction(rest: &[u8]) -> Option<(u32, &[u8])> {
    let Some((b'.', digits)) = rest.split_first() else {
        return Some((0, rest));
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let (digits, zone) = digits.split_at(count);
    let six = digits.iter().chain(b"000000").take(6);
    Some((six.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')), zone))
}

/// The offset from UTC in seconds.
#[inline]
fn offset(zone: &[u8]) -> Option<i64> {
    match *zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), hour1, hour2, b':', minute1, minute2] => {
            let (hours, minutes) = (number(&[hour1, hour2])?, number(&[minute1, minute2])?);
            let size = (hours < 24 && minutes < 60).then_some(i64::from(hours * 60 + minutes) * 60)?;
            Some(if sign == b'-' { -size } else { size })
        }
        _ => None,
    }
}

// These are 32-bit numbers, because WebAssembly engines divide those by a constant without a division.

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// How many days four hundred years have.
const ERA: u32 = 146_097;
/// The days from the first of March of the year 0 to 1970.
const TO_1970: i32 = 719_468;

/// How many days a date of the civil calendar, in a year after 0, is from 1970. It counts in years that begin in March,
/// so that the leap day comes last.
#[inline]
fn days_since_1970(year: u32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = year / 400 * ERA + year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + day_of_year;
    days as i32 - TO_1970
}

/// Whether Postgres, which takes offsets below 16 hours and rounds digits beyond the sixth, reads a time as [`parse`]
/// does.
pub fn is_plain(text: &[u8]) -> bool {
    match *text {
        [.., b'Z' | b'z'] => text.len() <= b"2026-11-21T12:00:00.000000Z".len(),
        [.., hour1, hour2, _, _, _] => {
            text.len() <= b"2026-11-21T12:00:00.000000+00:00".len() && (hour1, hour2) < (b'1', b'6')
        }
        _ => false,
    }
}

/// Writes a moment, in microseconds since 1970, as [`write`] does.
pub fn write_exactly(micros: i64) -> [u8; 27] {
    let mut out = *b"0000-00-00T00:00:00.000000Z";
    let [millis @ .., _] = write(micros.div_euclid(1000));
    out[..23].copy_from_slice(&millis);
    let mut rest = micros.rem_euclid(1000) as u32;
    for digit in out[23..26].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out
}

/// Writes a moment, in milliseconds since 1970, as RFC 3339 in UTC; its year must have four digits.
pub fn write(millis: i64) -> [u8; 24] {
    let days = millis.div_euclid(86_400_000);
    let millis = (millis - days * 86_400_000) as u32;
    let days = (days + i64::from(TO_1970)) as u32;
    let (era, day_of_era) = (days / ERA, days % ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u32::from(month <= 2);
    let seconds = millis / 1000;
    let mut out = *b"0000-00-00T00:00:00.000Z";
    let parts = [
        (0..4, year),
        (5..7, month),
        (8..10, day),
        (11..13, seconds / 3600),
        (14..16, seconds / 60 % 60),
        (17..19, seconds % 60),
        (20..23, millis % 1000),
    ];
    for (places, mut number) in parts {
        for digit in out.get_mut(places).unwrap_or_default().iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
    out
}
