//! Telephone numbers by a plain reading: by country, after a word, and alone.

use audience_gate::privacy::{phones, published};

/// Digits with at most two joints before each, from the beginning of a text on.
fn number_at(text: &str) -> &str {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if c.is_ascii_digit() {
            end = at + 1;
        } else if !" ./()-".contains(c) || at + 1 - end > 2 {
            break;
        }
    }
    &text[..end]
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn is_decimal(number: &str) -> bool {
    let number = number.trim_start_matches(|c: char| !c.is_ascii_digit());
    let joints: Vec<char> = number.chars().filter(|c| !c.is_ascii_digit()).collect();
    matches!(joints[..], ['.'] | ['.', ' ' | '/' | '(' | ')' | '-', '.'])
        && number.split(|c: char| !c.is_ascii_digit()).all(|group| !group.is_empty())
}

fn is_date(number: &str) -> bool {
    let number = number.trim_start_matches(|c: char| !c.is_ascii_digit());
    let sizes: Vec<usize> = number.split(|c: char| !c.is_ascii_digit()).map(str::len).collect();
    matches!(sizes[..], [4, 1 | 2, 1 | 2] | [1 | 2, 1 | 2, 4])
}

pub fn is_national(text: &str) -> bool {
    number_at(text) == text && (7..=15).contains(&digits(text).len()) && !is_decimal(text) && !is_date(text)
}

fn is_international(number: &str) -> bool {
    let all = digits(number);
    let in_north_america = || all.len() == 11 && &all[1..2] > "1" && &all[4..5] > "1";
    let has_length = |&(least, most, codes): &(usize, usize, &str)| {
        (least..=most).contains(&all.len()) && codes.split(' ').any(|code| all.starts_with(code))
    };
    !is_decimal(number)
        && if all.starts_with('1') { in_north_america() } else { published::TELEPHONES.iter().any(has_length) }
}

pub fn holds_phone(text: &str) -> bool {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let before = text[..at].chars().next_back().unwrap_or(' ');
        let is_of_time = text[..at].strip_suffix(':').is_some_and(|hour| hour.ends_with(|c: char| c.is_ascii_digit()));
        let scheme = ["tel:", "sms:", "callto:"]
            .iter()
            .find(|scheme| rest.get(..scheme.len()).is_some_and(|own| own.eq_ignore_ascii_case(scheme)));
        let sign = match scheme {
            Some(scheme) => scheme.len() + usize::from(rest[scheme.len()..].starts_with('+')),
            None if rest.starts_with('+') => 1,
            None if rest.starts_with("00") && !".,_/-".contains(before) && !is_of_time => 2,
            None => 0,
        };
        if sign == 0 || before.is_ascii_alphanumeric() {
            at += rest.chars().next().unwrap().len_utf8();
            continue;
        }
        let number = number_at(&rest[sign..]);
        let is_of_code =
            rest.starts_with('0') && rest[sign + number.len()..].starts_with(|c: char| c.is_ascii_alphabetic());
        let is_number =
            if scheme.is_some() { (6..=15).contains(&digits(number).len()) } else { is_international(number) };
        if is_number && !is_of_code {
            return true;
        }
        at += sign + number.len();
    }
    follows_word(text)
}

fn follows_word(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || !c.is_ascii();
    let mut rest = text;
    let mut is_beside = false;
    while let Some(c) = rest.chars().next() {
        let mut size = c.len_utf8();
        if is_letter(c) {
            size = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
            let word = rest[..size].to_ascii_lowercase();
            is_beside = phones::WORDS.contains(&&*word)
                || phones::FOREIGN_WORDS.iter().any(|end| rest[..size].ends_with(end))
                || is_beside && phones::BETWEEN.contains(&&*word);
        } else if c.is_ascii_digit() {
            let number = number_at(rest);
            let is_apart = !rest[number.len()..].starts_with(|c: char| c.is_ascii_alphabetic());
            if is_beside && is_apart && is_national(number) {
                return true;
            }
            is_beside = false;
            size = number.len();
        }
        rest = &rest[size..];
    }
    false
}
