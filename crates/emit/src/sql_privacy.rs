//! The tables and words of the finder as SQL.

use crate::taxonomy_sql::quote;
use std::collections::BTreeSet;

use audience_gate::privacy::{accounts, email, find, phones, plain, published, secrets};

/// The template with every table and list of the core in its place.
pub fn filled(template: &str) -> String {
    let (from, to) = look_alikes();
    let numbers = [
        ("{{marks}}", find::MARKS as usize),
        ("{{personal_digits}}", find::DIGITS),
        ("{{secret_key}}", secrets::KEY),
        ("{{parameter}}", find::PARAMETER),
        ("{{bearer}}", secrets::BEARER),
        ("{{jwt_first}}", secrets::TOKEN_PART - 3),
        ("{{jwt_part}}", secrets::TOKEN_PART),
    ];
    let text = numbers.iter().fold(template.to_owned(), |text, (name, number)| text.replace(name, &number.to_string()));
    text.replace("{{look_alikes}}", &from)
        .replace("{{looks}}", &to)
        .replace("{{entities}}", &replacements(&entities()))
        .replace("{{escapes}}", &replacements(&escapes()))
        .replace("{{files}}", &alternatives(&email::FILES))
        .replace("{{cards}}", &cards())
        .replace("{{between}}", &alternatives(&phones::BETWEEN))
        .replace("{{accounts}}", &lengths_of_accounts())
        .replace("{{accounts_of_digits}}", &accounts_of_digits())
        .replace("{{prefixes}}", &alternatives(&secrets::PREFIXES))
        .replace("{{parameters}}", &alternatives(&secrets::PARAMETERS))
        .replace("{{telephone_signs}}", &telephone_signs())
        .replace("{{telephone_keys}}", &alternatives(&phones::KEYS))
        .replace("{{version_keys}}", &alternatives(&accounts::VERSION_KEYS))
}

/// Words as the alternatives of a pattern, within a literal that goes on from line to line.
fn alternatives(words: &[&str]) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in words {
        let separator = if out.is_empty() { "" } else { "|" };
        if width + word.len() > 70 {
            out += "'\n      '";
            width = 0;
        }
        out = out + separator + word;
        width += word.len() + 1;
    }
    out
}

/// The characters that look like one of ASCII, or are not seen, and those that they look like.
fn look_alikes() -> (String, String) {
    let (mut from, mut to, mut unseen) = (Vec::new(), Vec::new(), Vec::new());
    for c in '\u{80}'..='\u{ffff}' {
        let escaped = format!("\\u{:04x}", c as u32);
        match plain::folded(c) {
            Some(Some(byte)) => {
                from.push(escaped);
                to.push(match byte {
                    b'\'' => "\\u0027".to_owned(),
                    b'\\' => "\\u005c".to_owned(),
                    _ => char::from(byte).to_string(),
                });
            }
            Some(None) => unseen.push(escaped),
            None => {}
        }
    }
    from.extend(unseen);
    let literal = |parts: Vec<String>, many: usize| {
        let lines: Vec<_> = parts.chunks(many).map(|some| some.concat()).collect();
        format!("E'{}'", lines.join("'\n      '"))
    };
    (literal(from, 15), literal(to, 80))
}

fn entities() -> Vec<(String, char)> {
    plain::ENTITIES.iter().map(|(name, byte)| ((*name).to_owned(), char::from(*byte))).collect()
}

/// Each in small letters and in capitals: only one of two digits is ever a letter, but for the longer ones.
fn escapes() -> Vec<(String, char)> {
    let written = |code: &str| {
        let code = format!("%{code}");
        let mut both = vec![code.clone(), code.to_uppercase()];
        both.dedup();
        both
    };
    plain::ESCAPES
        .iter()
        .flat_map(|(code, byte)| written(code).into_iter().map(|code| (code, char::from(*byte))))
        .collect()
}

fn replacements(all: &[(String, char)]) -> String {
    let lines: Vec<_> = all
        .iter()
        .map(|(from, to)| format!("shown := replace(shown, {}, {});", quote(from), quote(&to.to_string())))
        .collect();
    lines.join("\n    ")
}

fn cards() -> String {
    let ranges: Vec<_> = published::CARDS
        .iter()
        .map(|(from, to, lengths)| {
            let lengths: Vec<_> =
                (13..=19).filter(|length| lengths & 1 << length != 0).map(|length| length.to_string()).collect();
            let first = if from == to { format!("first = {from}") } else { format!("first between {from} and {to}") };
            format!("{first} and many in ({})", lengths.join(", "))
        })
        .collect();
    ranges.join("\n    or ")
}

fn lengths_of_accounts() -> String {
    let cases: Vec<_> = published::ACCOUNTS
        .iter()
        .map(|(length, countries)| {
            let countries: Vec<_> = countries.to_uppercase().split(' ').map(quote).collect();
            format!("when upper(left(piece, 2)) in ({}) then {length}", countries.join(", "))
        })
        .collect();
    cases.join("\n      ")
}

/// The countries whose accounts are of digits alone, as a list that goes on from line to line.
fn accounts_of_digits() -> String {
    let all = published::ACCOUNTS.iter().flat_map(|(_, countries)| countries.split(' '));
    let all: Vec<_> = all.filter(|own| own.starts_with(|c: char| c.is_ascii_lowercase())).collect();
    let lines =
        all.chunks(12).map(|some| some.iter().map(|own| quote(&own.to_uppercase())).collect::<Vec<_>>().join(", "));
    lines.collect::<Vec<_>>().join(",\n            ")
}

/// The pattern of the digits of an international number.
pub fn telephone_numbers() -> String {
    let others = published::TELEPHONES.iter().map(|(least, most, codes)| {
        let codes: Vec<_> = codes.split(' ').collect();
        format!("|(?=[0-9]{{{least},{most}}}$)(?:{})", alternatives(&codes))
    });
    let lines: Vec<_> = others.collect();
    format!("'^(?:1[2-9][0-9]{{2}}[2-9][0-9]{{6}}$'\n    '{})'", lines.join("'\n    '"))
}

/// The pattern of what every word that speaks of a telephone has, and few other texts do: it is much the quicker one.
fn telephone_signs() -> String {
    let beginnings: BTreeSet<_> = phones::WORDS.iter().filter_map(|word| word.get(..3)).collect();
    let beginnings: Vec<_> = beginnings.into_iter().collect();
    format!("{}|[\\u0080-\\U0010ffff]", beginnings.join("|"))
}

/// The pattern of a word that speaks of a telephone, in a text in small letters.
pub fn telephone_words() -> String {
    const LETTER: &str = r"[a-z\u0080-\U0010ffff]";
    format!(
        "'(?<!{LETTER})(?:(?:'\n      '{})'\n    '|{LETTER}*(?:'\n      '{}))'\n    '(?!{LETTER})'",
        alternatives(&phones::WORDS),
        alternatives(&phones::FOREIGN_WORDS)
    )
}
