//! Texts at the edge of a pattern: some that it describes, and those that miss it by a character.

use std::iter::Peekable;
use std::str::Chars;

/// How many repetitions of anything are tried at most.
const MOST_REPEATS: usize = 40;

/// A part of a pattern.
enum Part {
    /// One of these characters, or none of them.
    Class {
        of: Vec<char>,
        is_negated: bool,
    },
    Group(Vec<Branch>),
}

/// Parts in a row, each with how often it stands at least and at most.
type Branch = Vec<(Part, usize, Option<usize>)>;

/// Texts that the pattern describes, and after them those that nearly are so. What they are is for the judge to say.
pub fn texts(pattern: &str) -> Vec<String> {
    let mut alphabet = Vec::new();
    let branches = branches(&mut pattern.chars().peekable(), &mut alphabet);
    let mut texts: Vec<String> = Vec::new();
    for more in [0, 1, 2, MOST_REPEATS] {
        texts.extend(branches.iter().flat_map(|branch| [written(branch, more, 0), written(branch, more, 1)]));
    }
    let near: Vec<char> = alphabet.iter().flat_map(|&sign| beside(sign)).collect();
    for text in texts.clone() {
        let signs: Vec<char> = text.chars().collect();
        texts.push(format!("{text}!"));
        texts.push(format!("!{text}"));
        for place in [0, signs.len() / 2, signs.len().saturating_sub(1)] {
            let without = signs.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, sign)| *sign);
            texts.push(without.collect());
            for &other in &near {
                let changed = signs.iter().enumerate().map(|(at, sign)| if at == place { other } else { *sign });
                texts.push(changed.collect());
            }
        }
    }
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

/// The character, and those before and after it.
fn beside(sign: char) -> Vec<char> {
    let code = u32::from(sign);
    [code, code.saturating_sub(1), code + 1]
        .into_iter()
        .filter_map(char::from_u32)
        .filter(|sign| *sign != '\0')
        .collect()
}

fn written(branch: &Branch, more: usize, which: usize) -> String {
    let mut text = String::new();
    for (part, least, most) in branch {
        let times = (least + more).min(most.unwrap_or(MOST_REPEATS)).min(MOST_REPEATS.max(*least));
        for _ in 0..times {
            match part {
                Part::Class { of, is_negated: false } => {
                    text.extend(if which == 0 { of.first() } else { of.last() });
                }
                Part::Class { of, .. } => text.extend(['x', '0', ' ', '-'].into_iter().find(|sign| !of.contains(sign))),
                Part::Group(branches) => {
                    let chosen = branches.get(which.min(branches.len().saturating_sub(1)));
                    text.extend(chosen.map(|branch| written(branch, more, which)));
                }
            }
        }
    }
    text
}

fn branches(signs: &mut Peekable<Chars>, alphabet: &mut Vec<char>) -> Vec<Branch> {
    let mut branches = vec![Vec::new()];
    while let Some(sign) = signs.next() {
        let part = match sign {
            ')' => break,
            '|' => {
                branches.push(Vec::new());
                continue;
            }
            '^' | '$' => continue,
            '(' => {
                let mut rest = signs.clone();
                if rest.next() == Some('?') && rest.next() == Some(':') {
                    *signs = rest;
                }
                Part::Group(self::branches(signs, alphabet))
            }
            '.' => Part::Class { of: vec!['\n'], is_negated: true },
            '[' => class(signs, alphabet),
            '\\' => {
                let (of, is_negated) = escaped(signs.next().unwrap_or('\\'));
                alphabet.extend(&of);
                Part::Class { of, is_negated }
            }
            sign => {
                alphabet.push(sign);
                Part::Class { of: vec![sign], is_negated: false }
            }
        };
        let (least, most) = repeats(signs);
        if let Some(branch) = branches.last_mut() {
            branch.push((part, least, most));
        }
    }
    branches
}

fn class(signs: &mut Peekable<Chars>, alphabet: &mut Vec<char>) -> Part {
    let is_negated = signs.next_if_eq(&'^').is_some();
    let mut of: Vec<char> = Vec::new();
    while let Some(sign) = signs.next().filter(|sign| *sign != ']') {
        match sign {
            '\\' => of.extend(escaped(signs.next().unwrap_or('\\')).0),
            // A range: its ends are in the list as they are.
            '-' => {}
            sign => of.push(sign),
        }
    }
    alphabet.extend(&of);
    Part::Class { of, is_negated }
}

/// Characters that a backslash and this sign stand for, and whether it stands for all others.
fn escaped(sign: char) -> (Vec<char>, bool) {
    let of = match sign.to_ascii_lowercase() {
        'd' => vec!['0', '9'],
        'w' => vec!['a', 'z', 'A', 'Z', '0', '9', '_'],
        's' => vec![' ', '\t'],
        _ => {
            return (
                vec![match sign {
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    sign => sign,
                }],
                false,
            );
        }
    };
    (of, sign.is_ascii_uppercase())
}

/// How often the part before stands.
fn repeats(signs: &mut Peekable<Chars>) -> (usize, Option<usize>) {
    let found = match signs.peek() {
        Some('*') => (0, None),
        Some('+') => (1, None),
        Some('?') => (0, Some(1)),
        Some('{') => {
            let bounds: String = signs.by_ref().take_while(|sign| *sign != '}').skip(1).collect();
            let (least, most) = bounds.split_once(',').map_or((&*bounds, Some(&*bounds)), |(least, most)| {
                (least, Some(most).filter(|most| !most.is_empty()))
            });
            return (least.parse().unwrap_or(1), most.and_then(|most| most.parse().ok()));
        }
        _ => return (1, Some(1)),
    };
    signs.next();
    found
}
