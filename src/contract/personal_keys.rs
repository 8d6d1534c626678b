//! Which keys name personal data.
//!
//! The engine reads one table, made of the lists when the crate is compiled: every entry, in buckets by the first letter,
//! each followed by a byte that says what it does.

use super::personal_words::{DESCRIBING, GROUPS, QUESTIONING};
use crate::short;

/// Whether a key names personal data. If so, it is also said whether a small number under it is personal too.
///
/// It does if a run of its words is an entry of a group, or one of an install's own, no word after it describes a thing,
/// and no word of the key makes a flag of it.
pub fn named(key: &[u8], own: &[Box<[u8]>]) -> Option<bool> {
    let words = || Words { key, at: 0 };
    if !own.is_empty() || words().any(may_begin_entry) { find(&words().collect::<Vec<_>>(), own) } else { None }
}

/// How many words stand before the end of the last entry, or 0 if there is none.
type End = usize;

#[cold]
#[inline(never)]
fn find(words: &[&[u8]], own: &[Box<[u8]>]) -> Option<bool> {
    let (mut described, mut names, mut measures): (End, End, End) = (0, 0, 0);
    for (at, word) in words.iter().enumerate() {
        let from = words.get(at..).unwrap_or_default();
        for entry in own {
            names = names.max(begins_with(from, entry).map_or(0, |length| at + length));
        }
        let initial = usize::from(word.first().copied().unwrap_or_default() % 32);
        let [start, end] = [initial, initial + 1].map(|at| STARTS.get(at).copied().unwrap_or_default().into());
        let mut rest = ENTRIES.get(start..end).unwrap_or_default();
        while let Some(size) = rest.iter().position(|&byte| byte < b' ') {
            let (entry, after) = rest.split_at(size);
            let (&kind, after) = after.split_first()?;
            rest = after;
            let Some(length) = begins_with(from, entry) else { continue };
            let end = at + length;
            match kind {
                QUESTIONS => return None,
                DESCRIBES => described = end,
                ALONE | MEASURES_ALONE if length < words.len() => {}
                MEASURES | MEASURES_ALONE => {
                    names = names.max(end);
                    measures = measures.max(end);
                }
                _ => names = names.max(end),
            }
        }
    }
    let is_last = |end: End| end > 0 && end >= described;
    is_last(names).then_some(is_last(measures))
}

/// How many words an entry has, if a key goes on with it.
fn begins_with(words: &[&[u8]], entry: &[u8]) -> Option<usize> {
    let mut parts = 0;
    for part in entry.split(|&byte| byte == b' ') {
        if !words.get(parts)?.eq_ignore_ascii_case(part) {
            return None;
        }
        parts += 1;
    }
    Some(parts)
}

/// What an entry does: names personal data anywhere in a key, or as the whole key; the same for small numbers too;
/// describes a thing; or makes a flag of the key.
const NAMES: u8 = 1;
const ALONE: u8 = 2;
const MEASURES: u8 = 3;
const MEASURES_ALONE: u8 = 4;
const DESCRIBES: u8 = 5;
const QUESTIONS: u8 = 6;

/// Every list, with what its entries do.
const LISTS: [(&str, u8); 2 * GROUPS.len() + 2] = {
    let mut lists = [(DESCRIBING, DESCRIBES); 2 * GROUPS.len() + 2];
    lists[1] = (QUESTIONING, QUESTIONS);
    let mut at = 0;
    while at < GROUPS.len() {
        let group = &GROUPS[at];
        lists[2 * at + 2] = (group.anywhere, if group.any_number { MEASURES } else { NAMES });
        lists[2 * at + 3] = (group.alone, if group.any_number { MEASURES_ALONE } else { ALONE });
        at += 1;
    }
    lists
};

const SIZE: usize = {
    let (mut size, mut at) = (0, 0);
    while at < LISTS.len() {
        size += if LISTS[at].0.is_empty() { 0 } else { LISTS[at].0.len() + 1 };
        at += 1;
    }
    size
};

const TABLE: ([u8; SIZE], [u16; 33]) = {
    let mut entries = [0; SIZE];
    let mut starts = [0; 33];
    let (mut size, mut initial) = (0, 0);
    while initial < 32 {
        starts[initial] = size as u16;
        let mut list = 0;
        while list < LISTS.len() {
            let (text, kind) = (LISTS[list].0.as_bytes(), LISTS[list].1);
            let mut at = 0;
            while at < text.len() {
                let is_of_bucket = text[at] as usize % 32 == initial;
                while at < text.len() && text[at] != b'|' {
                    if is_of_bucket {
                        entries[size] = text[at];
                        size += 1;
                    }
                    at += 1;
                }
                if is_of_bucket {
                    entries[size] = kind;
                    size += 1;
                }
                at += 1;
            }
            list += 1;
        }
        initial += 1;
    }
    starts[32] = size as u16;
    (entries, starts)
};
static ENTRIES: [u8; SIZE] = TABLE.0;
/// Where the entries with each initial begin.
static STARTS: [u16; 33] = TABLE.1;

/// A bit for the hash of the first word of every entry that names personal data, so that ordinary words pass without
/// being compared with any entry.
static FIRST_WORDS: [u64; MARKS / 64] = {
    let mut marks = [0; MARKS / 64];
    let mut list = 2;
    while list < LISTS.len() {
        let mut rest = LISTS[list].0.as_bytes();
        while let [_, ..] = rest {
            let mut end = 0;
            while end < rest.len() && rest[end] != b' ' && rest[end] != b'|' {
                end += 1;
            }
            let mark = mark(rest.split_at(end).0);
            marks[mark / 64] |= 1 << (mark % 64);
            while end < rest.len() && rest[end] != b'|' {
                end += 1;
            }
            rest = if end < rest.len() { rest.split_at(end + 1).1 } else { &[] };
        }
        list += 1;
    }
    marks
};

/// How many bits there are: enough that one in ten ordinary words shares one with an entry.
const MARKS: usize = 4096;

#[inline]
const fn mark(word: &[u8]) -> usize {
    short::hash(word) as usize % MARKS
}

#[inline]
fn may_begin_entry(word: &[u8]) -> bool {
    let mark = mark(word);
    FIRST_WORDS.get(mark / 64).is_some_and(|marks| marks & 1 << (mark % 64) != 0)
}

/// The words of a key. It is split at every ASCII character that is neither letter nor digit, between letter and digit,
/// before a capital that follows a small letter, and before the last capital of a run that a small letter follows.
#[derive(Clone)]
struct Words<'a> {
    key: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let in_word = |byte: u8| byte >= 0x80 || byte.is_ascii_alphanumeric();
        while !in_word(*self.key.get(self.at)?) {
            self.at += 1;
        }
        let start = self.at;
        self.at += 1;
        while let Some(&byte) = self.key.get(self.at)
            && in_word(byte)
            && !is_boundary(self.key, self.at, byte)
        {
            self.at += 1;
        }
        self.key.get(start..self.at)
    }
}

#[inline]
fn is_boundary(key: &[u8], at: usize, byte: u8) -> bool {
    let before = at.checked_sub(1).and_then(|at| key.get(at)).copied().unwrap_or_default();
    if byte.is_ascii_digit() {
        return before.is_ascii_alphabetic();
    }
    if before.is_ascii_digit() {
        return byte.is_ascii_alphabetic();
    }
    byte.is_ascii_uppercase()
        && (before.is_ascii_lowercase()
            || (before.is_ascii_uppercase() && key.get(at + 1).is_some_and(u8::is_ascii_lowercase)))
}
