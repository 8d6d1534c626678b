//! The privacy rules by a plain reading: each looks at a text as characters, starting from every place in it.

use super::cards::{holds_card_or_ssn, is_article, is_card};
use super::document::Json;
use super::keys;
use super::telephones::{holds_phone, is_national};
use audience_gate::privacy::{accounts, email, find, phones, plain, published, secrets};

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
        let bare = without_uuids(&text);
        let key = self.key.as_deref().unwrap_or_default().to_ascii_lowercase();
        self.is_looked_at()
            && ((bare.chars().filter(char::is_ascii_digit).count() >= find::DIGITS
                && (!self.is_id() && holds_card_or_ssn(&bare)
                    || holds_phone(&bare)
                    || (phones::KEYS.iter().any(|part| key.contains(part)) && is_national(trimmed(&bare)))))
                || !holds_secret(&text)
                    && parameters(&text).iter().any(|name| keys::is_personal(name, &any_text(), &[]))
                || holds_account(&bare)
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

    /// Few texts have what numbers, addresses and credentials are made of, and are no UUID.
    fn is_looked_at(&self) -> bool {
        !self.is_number
            && !super::predicates::uuid(&self.content)
            && (self.content.contains(|c: char| "@%&+=".contains(c) || !c.is_ascii())
                || self.content.chars().filter(|c| ('0'..='Z').contains(c) || *c == '.').count() >= 7)
    }
}

/// The names of the parameters of a query string that have a value; those that are too long name nothing.
fn parameters(text: &str) -> Vec<&str> {
    let parts = text.split(['?', '&', ';', '#']).skip(1).filter_map(|part| part.split_once('='));
    let parts = parts.filter(|(name, value)| !name.contains(' ') && !value.is_empty() && !value.starts_with(' '));
    parts.map(|(name, _)| name).filter(|name| name.len() <= find::PARAMETER).collect()
}

fn any_text() -> Json {
    Json::Text("?".into())
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

/// The text without the UUIDs in it that no letter or digit stands beside.
fn without_uuids(text: &str) -> String {
    let mut out = text.to_owned();
    for (at, _) in text.char_indices() {
        let is_free = |rest: Option<char>| rest.is_none_or(|c| !c.is_ascii_alphanumeric());
        let id = text.get(at..at + 36).filter(|id| super::predicates::uuid(id));
        if id.is_some() && is_free(text[..at].chars().next_back()) && is_free(text[at + 36..].chars().next()) {
            out.replace_range(at..at + 36, &"-".repeat(36));
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
    let Some((length, countries)) = published::ACCOUNTS.iter().find(|(_, countries)| is_of(countries)) else {
        return false;
    };
    let is_of_digits = countries.contains(&country.to_ascii_lowercase());
    let mut account = String::from(&text[..4]);
    let mut at = 4;
    while account.len() < *length {
        if bytes.get(at).is_some_and(|byte| b" ._/-".contains(byte)) {
            at += 1;
        }
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_digit() || byte.is_ascii_alphabetic() && !is_of_digits => {
                account.push(*byte as char);
            }
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
