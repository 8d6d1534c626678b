//! The words in a key that name personal data.

use crate::short;

/// Words and runs of words that name personal data in a key, one entry per line. They are matched as whole words after
/// snake and camel case are split, so that `event_name` and `token_count` pass.
pub const PERSONAL_WORDS: &str = "\
address
allergies
allergy
birth
birthdate
birthday
card number
credit card
cvc
cvv
diagnoses
diagnosis
disability
disease
diseases
dob
driver license
driving licence
e mail
email
emails
ethnicity
family name
fax
first name
firstname
forename
full name
fullname
given name
hiv
iban
illness
ip
ipv
last name
lastname
maiden name
mail address
medical
medication
medications
middle name
mobile number
national id
passport
password
patient
phone
phones
postal code
postcode
pregnancy
pregnant
prescription
prescriptions
religion
sexual orientation
social security
ssn
street
surname
symptom
symptoms
tax id
telephone
zip code
zipcode";

/// An entry, and the word that makes it impersonal when it follows: the contract itself asks for the hash of an e-mail
/// address.
pub const PSEUDONYM: (&str, &str) = ("email", "hash");

/// Whether a metadata key names personal data.
pub fn names_personal_data(key: &[u8]) -> bool {
    let mut words = Words { key, at: 0 };
    while let Some(first) = words.next() {
        if may_begin_personal(first) && begins_personal(first, words.clone()) {
            return true;
        }
    }
    false
}

#[cold]
fn begins_personal(first: &[u8], rest: Words) -> bool {
    if first.eq_ignore_ascii_case(PSEUDONYM.0.as_bytes())
        && rest.clone().next().is_some_and(|next| next.eq_ignore_ascii_case(PSEUDONYM.1.as_bytes()))
    {
        return false;
    }
    let initial = (first.first().copied().unwrap_or_default() & 31) as usize;
    let [start, end] = [initial, initial + 1].map(|at| INITIALS.get(at).copied().unwrap_or_default() as usize);
    let entries = PERSONAL_WORDS.as_bytes().get(start..end).unwrap_or_default();
    entries.split(|&byte| byte == b'\n').any(|entry| {
        let mut words = std::iter::once(first).chain(rest.clone());
        entry.split(|&byte| byte == b' ').all(|part| words.next().is_some_and(|word| word.eq_ignore_ascii_case(part)))
    })
}

/// Where the entries with each initial begin; `a` has number 1.
static INITIALS: [u16; 33] = {
    let text = PERSONAL_WORDS.as_bytes();
    let mut starts = [0; 33];
    let (mut at, mut line, mut initial) = (0, 0, 0);
    while at <= text.len() {
        if at == text.len() || text[at] == b'\n' {
            let own = (text[line] & 31) as usize;
            assert!(own >= initial, "the entries are in alphabetical order");
            while initial < own {
                initial += 1;
                starts[initial] = line as u16;
            }
            line = at + 1;
        }
        at += 1;
    }
    while initial < 32 {
        initial += 1;
        starts[initial] = text.len() as u16;
    }
    starts
};

/// A bit for the hash of every entry's first word, so that ordinary words pass without being compared with any entry.
static FIRST_WORDS: [u64; 64] = {
    let text = PERSONAL_WORDS.as_bytes();
    let mut marks = [0; 64];
    let mut rest = text;
    while let [_, ..] = rest {
        let mut end = 0;
        while end < rest.len() && rest[end].is_ascii_lowercase() {
            end += 1;
        }
        let mark = mark(rest.split_at(end).0);
        marks[mark / 64] |= 1 << (mark % 64);
        while end < rest.len() && rest[end] != b'\n' {
            end += 1;
        }
        rest = if end < rest.len() { rest.split_at(end + 1).1 } else { &[] };
    }
    marks
};

#[inline]
const fn mark(word: &[u8]) -> usize {
    short::hash(word) as usize % 4096
}

#[inline]
fn may_begin_personal(word: &[u8]) -> bool {
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
