//! Card and social security numbers by a plain reading: groups of digits, and what joins them.

use audience_gate::privacy::published;

/// Whether groups of digits, each with what stands before it, make a card or social security number.
pub fn holds_card_or_ssn(text: &str) -> bool {
    // Each run is its groups and the joint between any two of them.
    let mut runs: Vec<(Vec<String>, Option<String>, bool)> = Vec::new();
    let mut is_open = false;
    let mut before = String::new();
    let mut has_group_before = false;
    let mut singles: Vec<(String, bool)> = Vec::new();
    let characters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < characters.len() {
        if !characters[at].is_ascii_digit() {
            before.push(characters[at]);
            at += 1;
            continue;
        }
        let group: String = characters[at..].iter().take_while(|c| c.is_ascii_digit()).collect();
        at += group.len();
        let after = characters.get(at).copied().unwrap_or(' ');
        let follows_point = before == "." && has_group_before;
        let precedes_point = after == '.' && characters.get(at + 1).is_some_and(char::is_ascii_digit);
        if before.ends_with(|c: char| c.is_ascii_alphabetic()) || after.is_ascii_alphabetic() {
            is_open = false;
        } else {
            let can_join =
                (1..=3).contains(&before.len()) && before.chars().all(|c| c.is_ascii() && !c.is_ascii_alphanumeric());
            let joins = |joint: &Option<String>| can_join && joint.as_ref().is_none_or(|joint| *joint == before);
            match runs.last_mut() {
                Some((groups, joint, _)) if is_open && joins(joint) => {
                    groups.push(group.clone());
                    *joint = Some(before.clone());
                }
                Some((groups, _, _)) if is_open && can_join => {
                    let shared = groups.last().unwrap().clone();
                    runs.push((vec![shared, group.clone()], Some(before.clone()), false));
                }
                _ => {
                    let lead: Vec<char> = before.chars().rev().take(2).collect();
                    let is_of_code =
                        matches!(lead[..], ['-' | '_' | '.' | '/', letter] if letter.is_ascii_alphabetic());
                    runs.push((vec![group.clone()], None, is_of_code));
                }
            }
            is_open = true;
            singles.push((group, follows_point || precedes_point));
        }
        before.clear();
        has_group_before = true;
    }
    let is_single = |(group, in_decimal): &(String, bool)| !in_decimal && is_card(group) && !is_article(group);
    singles.iter().any(is_single)
        || runs
            .iter()
            .any(|(groups, joint, is_of_code)| run_is_number(groups, joint.as_deref().unwrap_or(""), *is_of_code))
}

fn run_is_number(groups: &[String], joint: &str, is_of_code: bool) -> bool {
    let sizes: Vec<usize> = groups.iter().map(String::len).collect();
    let all = groups.concat();
    let forms: [&[usize]; 6] =
        [&[4, 4, 4, 4], &[4, 4, 4, 4, 1], &[4, 4, 4, 4, 2], &[4, 4, 4, 4, 3], &[4, 6, 4], &[4, 6, 5]];
    let has_form = forms.iter().any(|form| {
        (0..groups.len())
            .any(|from| sizes[from..].starts_with(form) && is_card(&groups[from..from + form.len()].concat()))
    });
    let is_ssn = |from: usize| sizes[from..].starts_with(&[3, 2, 4]) && is_issued(&groups[from..from + 3].concat());
    has_form
        || (groups.len() > 1 && !(groups.len() == 2 && joint == ".") && is_card(&all))
        || (groups.len() == 3 && joint.len() == 1 && !is_of_code && is_ssn(0))
        || (joint == " " && (0..groups.len()).any(is_ssn))
}

fn is_issued(digits: &str) -> bool {
    !["000", "666", "9"].iter().any(|area| digits.starts_with(area))
        && &digits[3..5] != "00"
        && !digits.ends_with("0000")
}

pub fn is_card(digits: &str) -> bool {
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let first: u16 = digits[..4].parse().unwrap();
    let is_issued =
        |&(from, to, lengths): &(u16, u16, u32)| first >= from && first <= to && lengths >> digits.len() & 1 == 1;
    published::CARDS.iter().any(is_issued) && weighed(digits, |value| value * 2 / 10 + value * 2 % 10)
}

pub fn is_article(digits: &str) -> bool {
    digits.len() == 13 && weighed(digits, |value| value * 3)
}

fn weighed(digits: &str, weigh: fn(u32) -> u32) -> bool {
    let values = digits.chars().rev().filter_map(|digit| digit.to_digit(10)).enumerate();
    values.map(|(place, value)| if place % 2 == 1 { weigh(value) } else { value }).sum::<u32>() % 10 == 0
}
