//! The privacy rules by a plain reading: each looks at a text as characters, starting from every place in it.

use super::document::Json;
use audience_gate::contract::personal_words::{DESCRIBING, GROUPS, LEAST_NUMBER, QUESTIONING};
use audience_gate::contract::vocabulary::FIELDS;
use audience_gate::privacy::{accounts, email, find, phones, plain, published, secrets};
use serde_json::Value;

/// The keys that the gate writes itself, besides the fields.
const NAMED: [&str; 8] = [
    "contract",
    "email_hash_kind",
    "event_id",
    "path",
    "payload_bytes",
    "payload_digest",
    "snapshot_shortened",
    "violations",
];

/// Everything in a value that the privacy rules look at.
pub fn leaves(value: &Json, key: Option<&str>, out: &mut Vec<Leaf>) {
    let mut push = |content: String, is_number| out.push(Leaf { key: key.map(Into::into), content, is_number });
    match value {
        Json::Text(text) => push(text.clone(), false),
        Json::Number(_) => push(value.stored(), true),
        Json::Array(items) => items.iter().for_each(|item| leaves(item, key, out)),
        Json::Object(members) => members.iter().for_each(|(name, value)| {
            out.push(Leaf { key: None, content: name.clone(), is_number: false });
            leaves(value, Some(name), out);
        }),
        Json::Null | Json::Boolean(_) => {}
    }
}

/// A text or number, and the key that it stands under, even in a list.
pub struct Leaf {
    pub key: Option<String>,
    pub content: String,
    pub is_number: bool,
}

impl Leaf {
    pub fn holds_email(&self) -> bool {
        self.is_looked_at() && holds_email(&undisguised(&self.content))
    }

    pub fn holds_personal_value(&self) -> bool {
        if self.is_number {
            let is_of_digits = self.content.chars().all(|c| c.is_ascii_digit());
            return is_of_digits && !self.is_id() && is_card(&self.content) && !is_article(&self.content);
        }
        let text = undisguised(&self.content);
        let key = self.key.as_deref().unwrap_or_default().to_ascii_lowercase();
        self.is_looked_at()
            && ((text.chars().filter(char::is_ascii_digit).count() >= find::DIGITS
                && (!self.is_id() && holds_card_or_ssn(&text)
                    || holds_phone(&text)
                    || (phones::KEYS.iter().any(|part| key.contains(part)) && is_national(trimmed(&text)))))
                || holds_account(&text)
                || (!accounts::VERSION_KEYS.iter().any(|part| key.contains(part)) && is_address(trimmed(&text))))
    }

    pub fn holds_secret(&self) -> bool {
        self.is_looked_at() && holds_secret(&undisguised(&self.content))
    }

    /// Thirteen digits under a key that speaks of an id.
    fn is_id(&self) -> bool {
        let key = self.key.as_deref().unwrap_or_default();
        let text = undisguised(&self.content);
        (key == "id" || ["_id", "-id", "Id"].iter().any(|end| key.ends_with(end)))
            && text.len() == 13
            && text.chars().all(|c| c.is_ascii_digit())
    }

    /// Few texts have what numbers, addresses and credentials are made of.
    fn is_looked_at(&self) -> bool {
        !self.is_number
            && (self.content.contains(|c: char| "@%&+=".contains(c) || !c.is_ascii())
                || self.content.chars().filter(|c| ('0'..='Z').contains(c) || *c == '.').count() >= 7)
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\u{c}', '\r'])
}

/// The text as it would be read after a browser has shown it.
fn undisguised(text: &str) -> String {
    let mut out: String = text
        .chars()
        .filter_map(|c| match plain::folded(c) {
            Some(seen) => seen.map(char::from),
            None => Some(c),
        })
        .collect();
    while out.contains("&amp;") {
        out = out.replace("&amp;", "&");
    }
    for (name, byte) in plain::ENTITIES {
        out = out.replace(name, &char::from(byte).to_string());
    }
    while out.contains("%25") {
        out = out.replace("%25", "%");
    }
    for (code, byte) in plain::ESCAPES {
        for code in [code.to_owned(), code.to_uppercase()] {
            out = out.replace(&format!("%{code}"), &char::from(byte).to_string());
        }
    }
    out
}

/// Whether a text holds what can end a local part, an at sign, and the name of a domain that is no file and no version.
fn holds_email(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let before = &text[..at];
        let before = before.strip_suffix('"').unwrap_or(before);
        let ends_local_part = before
            .ends_with(|c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || email::LOCAL_END.contains(&(c as u8)));
        ends_local_part && begins_with_domain(&text[at + 1..])
    })
}

fn begins_with_domain(text: &str) -> bool {
    let is_in_label = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '-';
    let end = text.find(|c| !is_in_label(c) && c != '.').unwrap_or(text.len());
    let domain = &text[..end];
    let labels: Vec<&str> = domain.split('.').take_while(|label| !label.is_empty()).collect();
    let is_top_level = |label: &&str| {
        label.starts_with(|c: char| !c.is_ascii() || c.is_ascii_alphabetic()) && label.chars().count() >= 2
    };
    let is_file = |name: &str| {
        domain.trim_end_matches('.').rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name))
    };
    let is_version = labels.len() > 1 && {
        let number = labels[0].strip_prefix(['v', 'V']).unwrap_or(labels[0]);
        !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
            && labels[1].starts_with(|c: char| c.is_ascii_digit())
    };
    labels.iter().skip(1).any(is_top_level) && !email::FILES.iter().any(|name| is_file(name)) && !is_version
}

/// Whether a key names personal data, by the words of the contract or by an install's own, and its value can be some.
pub fn is_personal(key: &str, value: &Json, own: &[Value]) -> bool {
    let is_named = NAMED.contains(&key) || FIELDS.iter().any(|(_, field, _)| *field == key);
    let own: Vec<_> = own.iter().filter_map(Value::as_str).filter(|_| !is_named).collect();
    let words = words(key);
    let has = |list: &str, words: &[String]| words.iter().any(|word| list.split('|').any(|entry| entry == word));
    let least = |any_number: bool| if any_number { f64::NEG_INFINITY } else { f64::from(LEAST_NUMBER) };
    let own = (own.join("|"), "", false);
    let groups = GROUPS.iter().map(|group| (group.anywhere.to_owned(), group.alone, group.any_number));
    groups.chain([own]).any(|(anywhere, alone, any_number)| {
        let can_be = match value {
            Json::Text(text) => text.chars().any(|c| !c.is_whitespace()),
            Json::Number(number) => number.parse::<f64>().is_ok_and(|number| number >= least(any_number)),
            Json::Array(list) => !list.is_empty(),
            Json::Object(members) => !members.is_empty(),
            _ => false,
        };
        let names = alone.split('|').any(|entry| !words.is_empty() && entry == words.join(" "))
            || (0..words.len()).any(|from| {
                anywhere.split('|').any(|entry| {
                    let entry: Vec<_> = entry.split(' ').map(String::from).collect();
                    words[from..].starts_with(&entry) && !has(DESCRIBING, &words[from + entry.len()..])
                })
            });
        can_be && names && !has(QUESTIONING, &words)
    })
}

/// The words of a key in lower case. It is split at what is neither letter nor digit, between letters and digits,
/// before a capital that follows a small letter, and before the last capital of a run that a small letter follows.
fn words(key: &str) -> Vec<String> {
    let characters: Vec<char> = key.chars().collect();
    let mut words = vec![String::new()];
    for (at, &c) in characters.iter().enumerate() {
        let before = if at > 0 { characters[at - 1] } else { ' ' };
        let after = characters.get(at + 1).copied().unwrap_or(' ');
        let begins_word = (c.is_ascii_digit() && before.is_ascii_alphabetic())
            || (c.is_ascii_alphabetic() && before.is_ascii_digit())
            || (c.is_ascii_uppercase() && before.is_ascii_lowercase())
            || (c.is_ascii_uppercase() && before.is_ascii_uppercase() && after.is_ascii_lowercase());
        let is_joint = c.is_ascii() && !c.is_ascii_alphanumeric();
        if begins_word || is_joint {
            words.push(String::new());
        }
        if !is_joint {
            words.last_mut().unwrap().push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether groups of digits, each with what stands before it, make a card or social security number.
fn holds_card_or_ssn(text: &str) -> bool {
    let text = without_uuids(text);
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

/// The text with white space for every UUID that begins with a digit.
fn without_uuids(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut follows_digit = false;
    while let Some(c) = rest.chars().next() {
        let is_uuid = c.is_ascii_digit() && !follows_digit && rest.get(..36).is_some_and(super::predicates::uuid);
        follows_digit = !is_uuid && c.is_ascii_digit();
        if is_uuid {
            out.push_str("    ");
            rest = &rest[36..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn is_card(digits: &str) -> bool {
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let first: u16 = digits[..4].parse().unwrap();
    let is_issued =
        |&(from, to, lengths): &(u16, u16, u32)| first >= from && first <= to && lengths >> digits.len() & 1 == 1;
    published::CARDS.iter().any(is_issued) && weighed(digits, |value| value * 2 / 10 + value * 2 % 10)
}

fn is_article(digits: &str) -> bool {
    digits.len() == 13 && weighed(digits, |value| value * 3)
}

fn weighed(digits: &str, weigh: fn(u32) -> u32) -> bool {
    let values = digits.chars().rev().filter_map(|digit| digit.to_digit(10)).enumerate();
    values.map(|(place, value)| if place % 2 == 1 { weigh(value) } else { value }).sum::<u32>() % 10 == 0
}

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

fn is_national(text: &str) -> bool {
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

fn holds_phone(text: &str) -> bool {
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

fn holds_account(text: &str) -> bool {
    text.char_indices().any(|(at, _)| {
        let is_free = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        is_free && begins_with_account(&text[at..])
    })
}

fn begins_with_account(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(country), Some(check)) = (text.get(..2), text.get(2..4)) else { return false };
    if !country.bytes().all(|byte| byte.is_ascii_alphabetic()) || !check.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let is_of = |countries: &str| countries.split(' ').any(|own| own.eq_ignore_ascii_case(country));
    let Some((length, _)) = published::ACCOUNTS.iter().find(|(_, countries)| is_of(countries)) else { return false };
    let mut account = String::from(&text[..4]);
    let mut at = 4;
    while account.len() < *length {
        if bytes.get(at).is_some_and(|byte| b" ._/-".contains(byte)) {
            at += 1;
        }
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_alphanumeric() => account.push(*byte as char),
            _ => return false,
        }
        at += 1;
    }
    let value: String =
        (account[4..].to_owned() + &account[..4]).chars().map(|c| c.to_digit(36).unwrap().to_string()).collect();
    let rest = value.chars().fold(0, |rest, digit| (rest * 10 + digit.to_digit(10).unwrap()) % 97);
    rest == 1 && !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

fn is_address(text: &str) -> bool {
    let is_old = |text: &str| {
        let strict = text.split('.').all(|part| part == "0" || !part.starts_with('0'));
        strict && text.parse::<std::net::Ipv4Addr>().is_ok()
    };
    let is_port = |port: &str| (1..=5).contains(&port.len()) && port.chars().all(|c| c.is_ascii_digit());
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    text.len() <= 64
        && (is_old(text)
            || text.split_once(':').is_some_and(|(host, port)| is_old(host) && is_port(port))
            || (bare != "::" && bare.parse::<std::net::Ipv6Addr>().is_ok()))
}

fn holds_secret(text: &str) -> bool {
    let is_in_token = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let token = |text: &str| text.chars().take_while(|&c| is_in_token(c)).count();
    text.char_indices().any(|(at, c)| {
        let rest = &text[at..];
        if "?&;#".contains(c) {
            return secrets::PARAMETERS.iter().any(|name| {
                let Some(own) = rest.get(1..=name.len()) else { return false };
                let value = rest[1 + name.len()..].strip_prefix('=');
                own.eq_ignore_ascii_case(name)
                    && value.is_some_and(|value| !value.is_empty() && !value.starts_with([' ', '&', '#']))
            });
        }
        if text[..at].ends_with(is_in_token) || !is_in_token(c) {
            return false;
        }
        let word = &rest[..token(rest)];
        let after = &rest[word.len()..];
        let is_key = |prefix: &&str| word.strip_prefix(*prefix).is_some_and(|key| key.len() >= secrets::KEY);
        let is_of_amazon = (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.len() == 20
            && !word.contains(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit());
        let is_web_token = word.starts_with("eyJ") && word.len() >= secrets::TOKEN_PART && after.starts_with('.') && {
            let second = token(&after[1..]);
            second >= secrets::TOKEN_PART && after[1 + second..].starts_with('.')
        };
        let is_bearer = word.eq_ignore_ascii_case("bearer")
            && after.starts_with(' ')
            && after[1..].chars().take_while(|&c| is_in_token(c) || ".~+/=".contains(c)).count() >= secrets::BEARER;
        let is_private_key = rest.strip_prefix("-----BEGIN ").is_some_and(|kind| {
            let kind: String = kind.chars().take(24).take_while(|&c| c.is_ascii_uppercase() || c == ' ').collect();
            kind.contains("PRIVATE KEY")
        });
        secrets::PREFIXES.iter().any(is_key) || is_of_amazon || is_web_token || is_bearer || is_private_key
    })
}
