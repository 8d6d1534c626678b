//! Words and signs that a rule looks for in a text or key.

use super::vocabulary::{LIKE_SIGNS, LIKE_WORDS, SIGN_VARIANTS, STATE_JOINTS};
use crate::parse::space;

/// Whether two words are the same, in whatever case. One copy of the comparison is enough for all that ask it seldom.
#[inline(never)]
pub fn is_same(word: &[u8], other: &[u8]) -> bool {
    word.eq_ignore_ascii_case(other)
}

/// Whether one of these words, in whatever case, is a word of the content: a run of ASCII letters, or what camel case
/// makes of one.
#[inline(never)]
pub fn has_word(content: &[u8], words: &[&str]) -> bool {
    let is_word = |start: usize, end: usize| {
        let part = content.get(start..end).unwrap_or_default();
        let initial = part.first().map(|first| first | 0x20);
        words.iter().any(|word| {
            let word = word.as_bytes();
            word.len() == part.len() && word.first().copied() == initial && is_same(part, word)
        })
    };
    let (mut run, mut part) = (0, 0);
    for at in 0..=content.len() {
        let ends_run = !content.get(at).is_some_and(u8::is_ascii_alphabetic);
        if ends_run || begins_word(content, at) {
            if is_word(part, at) || ends_run && run != part && is_word(run, at) {
                return true;
            }
            part = at + usize::from(ends_run);
        }
        if ends_run {
            run = part;
        }
    }
    false
}

/// Whether a letter begins a word in camel case: it is a capital after a small letter, or the last of several that a
/// small letter follows.
fn begins_word(content: &[u8], at: usize) -> bool {
    let is_small = |at: usize| content.get(at).is_some_and(u8::is_ascii_lowercase);
    content.get(at).is_some_and(u8::is_ascii_uppercase) && (is_small(at + 1) || is_small(at.wrapping_sub(1)))
}

/// Whether a text names a like: a word of it does, or it is signs of one and nothing else.
pub fn names_like(content: &[u8]) -> bool {
    // Signs and white space begin with other characters.
    let may_be_signs = !content.first().is_some_and(u8::is_ascii_graphic);
    has_word(content, &LIKE_WORDS) || may_be_signs && is_signs_of_like(content)
}

/// Whether a text is signs of a like and nothing else.
#[cold]
fn is_signs_of_like(content: &[u8]) -> bool {
    let after = |text: &[u8], known: &[&str]| {
        known.iter().find_map(|known| text.strip_prefix(known.as_bytes())).map(|rest| text.len() - rest.len())
    };
    let (mut rest, mut is_sign) = (content, false);
    while !rest.is_empty() {
        let sign = after(rest, &LIKE_SIGNS);
        is_sign |= sign.is_some();
        let Some(size) = sign.or_else(|| after(rest, &SIGN_VARIANTS)).or_else(|| space::unicode(rest)) else {
            return false;
        };
        rest = rest.get(size..).unwrap_or_default();
    }
    is_sign
}

/// Whether a key names the state before a change (`true`) or after it.
pub fn state_named(key: &[u8]) -> Option<bool> {
    let (word, state) = key.split_at_checked(key.len().checked_sub(5)?)?;
    let word = match word {
        [word @ .., joint] if STATE_JOINTS.as_bytes().contains(joint) => word,
        _ => word,
    };
    if !is_same(state, b"state") {
        None
    } else if is_same(word, b"prior") {
        Some(true)
    } else {
        is_same(word, b"new").then_some(false)
    }
}
