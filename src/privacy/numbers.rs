//! Numbers that look like personal data: card, social security and phone numbers.

/// Whether a text holds a card, social security or phone number.
pub fn holds_personal_value(text: &[u8]) -> bool {
    holds_phone(text) || holds_card_or_ssn(text)
}

/// Whether a text holds a phone number as in E.164: a plus sign (or `%2B`) that does not follow a letter or digit, then
/// 7 to 15 digits that do not begin with 0, with single spaces, dots, hyphens or parentheses between them.
fn holds_phone(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, &byte)| {
        let start = match byte {
            b'+' => at + 1,
            b'%' if text.get(at + 1..at + 3).is_some_and(|code| code.eq_ignore_ascii_case(b"2b")) => at + 3,
            _ => return false,
        };
        let after_word = at.checked_sub(1).and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric);
        !after_word && text.get(start) != Some(&b'0') && (7..=15).contains(&phone_digits(text, start))
    })
}

fn phone_digits(text: &[u8], start: usize) -> usize {
    let (mut at, mut digits, mut gap) = (start, 0, 0);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                gap = 0;
            }
            b' ' | b'.' | b'-' | b'(' | b')' if digits > 0 && gap < 2 => gap += 1,
            _ => break,
        }
        at += 1;
    }
    digits
}

fn holds_card_or_ssn(text: &[u8]) -> bool {
    any_run(text, holds_ssn) || (any_run(text, holds_card) && any_run(&without_codes(text), holds_card))
}

/// Looks at every run of digits joined by single spaces or hyphens.
#[inline(never)]
fn any_run(text: &[u8], test: fn(&[u8]) -> bool) -> bool {
    let mut at = 0;
    while at < text.len() {
        if !text.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
            continue;
        }
        let end = run_end(text, at);
        let run = text.get(at..end).unwrap_or_default();
        if run.len() >= 11 && test(run) {
            return true;
        }
        at = end;
    }
    false
}

/// The text with an `x` for every UUID, and for every word that mixes letters and digits, because the digits of ids and
/// hashes satisfy a card's check by chance.
fn without_codes(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let is_uuid = text.get(at..at + 36).is_some_and(crate::ids::is_uuid);
        plain.push(if is_uuid { b'x' } else { byte });
        at += if is_uuid { 36 } else { 1 };
    }
    for word in plain.split_mut(|byte| !byte.is_ascii_alphanumeric()) {
        if word.iter().any(u8::is_ascii_alphabetic) {
            word.fill(b'x');
        }
    }
    plain
}

fn run_end(text: &[u8], start: usize) -> usize {
    let mut end = start;
    loop {
        match (text.get(end), text.get(end + 1)) {
            (Some(b'0'..=b'9'), _) => end += 1,
            (Some(b' ' | b'-'), Some(b'0'..=b'9')) => end += 2,
            _ => return end,
        }
    }
}

fn groups(run: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    run.split(|byte| !byte.is_ascii_digit())
}

/// Whether a run holds a social security number: neighbouring groups of three, two and four digits, none of them one
/// that is never issued.
fn holds_ssn(run: &[u8]) -> bool {
    let is_digit = |at: Option<usize>| at.and_then(|at| run.get(at)).is_some_and(u8::is_ascii_digit);
    run.windows(11).enumerate().any(|(start, number)| {
        let has_form = number.iter().zip(b"000-00-0000").all(|(byte, form)| byte.is_ascii_digit() == (*form == b'0'));
        has_form
            && !is_digit(start.checked_sub(1))
            && !is_digit(Some(start + 11))
            && !number.starts_with(b"000")
            && !number.starts_with(b"666")
            && !number.starts_with(b"9")
            && !number.ends_with(b"0000")
            && number.get(4..6) != Some(b"00")
    })
}

/// Whether a run holds a card number: neighbouring groups that make 13 to 19 digits, begin as cards do (2 to 6) and
/// satisfy Luhn's check.
fn holds_card(run: &[u8]) -> bool {
    let starts = (0..run.len()).filter(|&at| {
        run.get(at).is_some_and(u8::is_ascii_digit)
            && !at.checked_sub(1).and_then(|at| run.get(at)).is_some_and(u8::is_ascii_digit)
    });
    starts.into_iter().any(|start| {
        let from = run.get(start..).unwrap_or_default();
        matches!(from.first(), Some(b'2'..=b'6')) && begins_with_card(from)
    })
}

fn begins_with_card(run: &[u8]) -> bool {
    let mut digits = [0u8; 19];
    let mut count = 0;
    for group in groups(run) {
        for &digit in group {
            let Some(slot) = digits.get_mut(count) else {
                return false;
            };
            *slot = digit - b'0';
            count += 1;
        }
        if count >= 13 && luhn(digits.get(..count).unwrap_or_default()) {
            return true;
        }
    }
    false
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &digit)| {
            let value = u32::from(digit) << (index % 2);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}
