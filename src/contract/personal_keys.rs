//! Which keys name personal data.
//!
//! The engine reads one table, made of the lists when the crate is compiled: every entry, in buckets by the first letter
//! and the length of its first word, each followed by a byte that says what it does.

use super::personal_words::{DESCRIBING, GROUPS, QUESTIONING};
use crate::block::Block;
use crate::short;

/// Whether a key names personal data. If so, it is also said whether a small number under it is personal too.
///
/// It does if a run of its words is an entry of a group, or one of an install's own, no word after it describes a thing,
/// and no word of the key makes a flag of it.
pub fn named(key: &[u8], own: &[Box<[u8]>]) -> Option<bool> {
    let mut words = Words { key, at: 0 };
    if !own.is_empty() || words.any(may_begin_name) { find(key, own) } else { None }
}

/// How many words stand before the end of the last entry, or 0 if there is none.
type End = usize;

#[cold]
#[inline(never)]
fn find(key: &[u8], own: &[Box<[u8]>]) -> Option<bool> {
    let (mut described, mut names, mut measures): (End, End, End) = (0, 0, 0);
    let mut words = Words { key, at: 0 };
    let mut at = 0;
    while let Some(word) = words.next() {
        for entry in own {
            names = names.max(begins_with(word, &mut words.clone(), entry).map_or(0, |length| at + length));
        }
        let (mut place, end) = bucket_of(word);
        while place < end {
            let rest = ENTRIES.get(place..)?;
            let (entry, next) = rest.split_at_checked(entry_size(rest)?)?;
            place += entry.len() + 1;
            let mut after = words.clone();
            let Some(length) = begins_with(word, &mut after, entry) else { continue };
            let end = at + length;
            match *next.first()? {
                QUESTIONS => return None,
                DESCRIBES => described = end,
                ALONE | MEASURES_ALONE if at > 0 || after.next().is_some() => {}
                MEASURES | MEASURES_ALONE => {
                    names = names.max(end);
                    measures = measures.max(end);
                }
                _ => names = names.max(end),
            }
        }
        at += 1;
    }
    let is_last = |end: End| end > 0 && end >= described;
    is_last(names).then_some(is_last(measures))
}

/// How many words an entry has, if a word and those after it are the entry. `after` is then moved past its last word.
fn begins_with(word: &[u8], after: &mut Words, entry: &[u8]) -> Option<usize> {
    // Most entries of a bucket differ in the first word already.
    let (first, rest) = entry.split_at_checked(word.len())?;
    if !first.eq_ignore_ascii_case(word) {
        return None;
    }
    let Some((b' ', rest)) = rest.split_first() else { return rest.is_empty().then_some(1) };
    let mut parts = 1;
    for part in rest.split(|&byte| byte == b' ') {
        if !after.next()?.eq_ignore_ascii_case(part) {
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

/// How many lengths of words have buckets of their own; longer words share them. With so many, few entries are compared
/// with a word, even if a key consists of nothing but the worst one.
const LENGTHS: usize = 10;
const BUCKETS: usize = 32 * LENGTHS;

const TABLE: ([u8; SIZE], [u16; BUCKETS + 1]) = {
    let mut starts = [0; BUCKETS + 1];
    let mut list = 0;
    while list < LISTS.len() {
        let text = LISTS[list].0.as_bytes();
        let mut at = 0;
        while at < text.len() {
            let end = end_of_entry(text, at);
            starts[bucket(first_word(text, at)) + 1] += (end - at + 1) as u16;
            at = end + 1;
        }
        list += 1;
    }
    let mut bucket_at = 0;
    while bucket_at < BUCKETS {
        starts[bucket_at + 1] += starts[bucket_at];
        bucket_at += 1;
    }
    let mut entries = [0; SIZE];
    let mut ends = starts;
    list = 0;
    while list < LISTS.len() {
        let text = LISTS[list].0.as_bytes();
        let mut at = 0;
        while at < text.len() {
            let (end, place) = (end_of_entry(text, at), &mut ends[bucket(first_word(text, at))]);
            while at < end {
                entries[*place as usize] = text[at];
                *place += 1;
                at += 1;
            }
            entries[*place as usize] = LISTS[list].1;
            *place += 1;
            at = end + 1;
        }
        list += 1;
    }
    (entries, starts)
};
static ENTRIES: [u8; SIZE] = TABLE.0;
/// Where the entries of each bucket begin.
static STARTS: [u16; BUCKETS + 1] = TABLE.1;

const fn end_of_entry(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at] != b'|' {
        at += 1;
    }
    at
}

const fn first_word(text: &[u8], at: usize) -> &[u8] {
    let mut end = at;
    while end < text.len() && text[end] != b' ' && text[end] != b'|' {
        end += 1;
    }
    text.split_at(end).0.split_at(at).1
}

const fn bucket(word: &[u8]) -> usize {
    let [first, ..] = *word else { return 0 };
    first as usize % 32 * LENGTHS + word.len() % LENGTHS
}

/// Where the entries in the bucket of a word begin and end.
fn bucket_of(word: &[u8]) -> (usize, usize) {
    let at = bucket(word);
    let [start, end] = [at, at + 1].map(|at| STARTS.get(at).copied().unwrap_or_default().into());
    (start, end)
}

/// How long the entry is with which a part of the table begins.
fn entry_size(rest: &[u8]) -> Option<usize> {
    match Block::at(rest, 0).map_or(0, Block::stops) {
        0 => rest.iter().position(|&byte| byte < b' '),
        stops => Some(stops.trailing_zeros() as usize),
    }
}

/// How many bits there are: enough that one in ten ordinary words shares one with an entry.
const MARKS: usize = 4096;
/// A bit for the hash of the first word of each entry that names personal data, of those after the lists of describing
/// and questioning words, so that ordinary words pass without being compared with any.
static FIRST_WORDS: [u64; MARKS / 64] = {
    let mut marks = [0; MARKS / 64];
    let mut list = 2;
    while list < LISTS.len() {
        let text = LISTS[list].0.as_bytes();
        let mut at = 0;
        while at < text.len() {
            let mark = mark(first_word(text, at));
            marks[mark / 64] |= 1 << (mark % 64);
            at = end_of_entry(text, at) + 1;
        }
        list += 1;
    }
    marks
};

#[inline]
const fn mark(word: &[u8]) -> usize {
    short::hash(word) as usize % MARKS
}

#[inline]
fn may_begin_name(word: &[u8]) -> bool {
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
