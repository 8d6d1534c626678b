//! Telephone numbers: international ones anywhere, national ones beside a word or under a key that speaks of a telephone.

use super::numbers::byte_at;
use super::published::TELEPHONES;

/// What speaks of a telephone before a number, in the languages of the larger markets, in small letters of ASCII.
pub const WORDS: [&str; 33] = [
    "phone",
    "phones",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "cellphone",
    "call",
    "fax",
    "text",
    "sms",
    "whatsapp",
    "dial",
    "telefon",
    "handy",
    "mobil",
    "rufnummer",
    "telefonnummer",
    "portable",
    "telefono",
    "cellulare",
    "telefone",
    "celular",
    "movil",
    "telefoon",
    "telefoonnummer",
    "mobiel",
    "telefonu",
    "cep",
    "gsm",
    "whats",
    "viber",
    "signal",
];
/// The same outside ASCII: ends of words, in every case in which they are written.
pub const FOREIGN_WORDS: [&str; 16] = [
    "éléphone",
    "eléfono",
    "óvil",
    "電話番号",
    "電話",
    "携帯",
    "手机",
    "手机号",
    "电话",
    "전화",
    "전화번호",
    "елефон",
    "ТЕЛЕФОН",
    "هاتف",
    "numarası",
    "جوال",
];
/// What may stand between such a word and the number.
pub const BETWEEN: [&str; 12] = ["me", "us", "on", "at", "is", "no", "nr", "number", "numer", "nummer", "numero", "to"];
/// What a key that speaks of a telephone has in it, in small letters.
pub const KEYS: [&str; 12] = [
    "phone",
    "telefon",
    "whatsapp",
    "sms",
    "mobile",
    "callback",
    "call_to",
    "contact_number",
    "tel_",
    "fax",
    "handy",
    "contactnumber",
];

/// Whether a number goes on here, as after the point of a decimal or the colon of a time.
fn is_within(text: &[u8], at: usize) -> bool {
    match at.checked_sub(1).map_or(b' ', |before| byte_at(text, before)) {
        b'.' | b',' | b'_' | b'/' | b'-' => true,
        b':' => at.checked_sub(2).is_some_and(|before| byte_at(text, before).is_ascii_digit()),
        _ => false,
    }
}

/// Whether a text holds a telephone number.
pub fn is_in(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let before = at.checked_sub(1).map_or(b' ', |before| byte_at(text, before));
        let is_free = !before.is_ascii_alphanumeric();
        let rest = text.get(at..).unwrap_or_default();
        let start = match byte {
            b'+' if is_free => at + 1,
            b'0' if is_free && rest.starts_with(b"00") && !is_within(text, at) => at + 2,
            b't' | b'T' | b's' | b'S' | b'c' | b'C' if is_free => match scheme(rest) {
                Some(size) => {
                    let number = Number::at(text, at + size);
                    if (6..=15).contains(&number.digits) {
                        return true;
                    }
                    at = number.end.max(at + 1);
                    continue;
                }
                None => {
                    at += 1;
                    continue;
                }
            },
            _ => {
                at += 1;
                continue;
            }
        };
        let number = Number::at(text, start);
        // A hash can begin with two noughts; after a plus sign, a letter begins an extension.
        let is_of_code = byte == b'0' && byte_at(text, number.end).is_ascii_alphabetic();
        if !number.is_decimal && !is_of_code && is_international(number.first(text)) {
            return true;
        }
        at = number.end.max(at + 1);
    }
    follows_word(text)
}

/// How long the scheme of a link to a telephone is, with a plus sign after it, if the text begins with one.
fn scheme(text: &[u8]) -> Option<usize> {
    let names: [&[u8]; 3] = [b"tel:", b"sms:", b"callto:"];
    let name = names.iter().find(|name| text.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name)))?;
    Some(name.len() + usize::from(text.get(name.len()) == Some(&b'+')))
}

/// Digits with at most two joints before any of them.
struct Number {
    start: usize,
    end: usize,
    digits: usize,
    /// Whether nothing but one point joins them, or two such parts are joined: coordinates.
    is_decimal: bool,
    /// Whether they are joined as the parts of a date are.
    is_date: bool,
}

impl Number {
    #[inline(never)]
    fn at(text: &[u8], start: usize) -> Number {
        let (mut at, mut end, mut digits, mut joints) = (start, start, 0, 0);
        // A bit for each joint, set for a point.
        let (mut points, mut last_points) = (0u32, 0);
        let mut sizes = 0;
        while at - end <= 2 {
            match byte_at(text, at) {
                b'0'..=b'9' => {
                    if at > end && digits > 0 {
                        joints += at - end;
                        points = points << (at - end) | last_points;
                        sizes <<= 4;
                    }
                    digits += 1;
                    sizes += usize::from(sizes & 15 < 15);
                    at += 1;
                    (end, last_points) = (at, 0);
                }
                byte @ (b' ' | b'.' | b'-' | b'(' | b')' | b'/') => {
                    last_points = last_points << 1 | u32::from(byte == b'.');
                    at += 1;
                }
                _ => break,
            }
        }
        // Eight digits as YYYY-MM-DD or DD.MM.YYYY.
        let is_date = joints == 2 && matches!(sizes, 0x422 | 0x224 | 0x411 | 0x421 | 0x412 | 0x114 | 0x124 | 0x214);
        Number { start, end, digits, is_decimal: matches!((joints, points), (1, 1) | (3, 0b101)), is_date }
    }

    /// Its first sixteen digits.
    fn first(&self, text: &[u8]) -> ([u8; 16], usize) {
        let mut first = [0; 16];
        let digits = text.get(self.start..self.end).unwrap_or_default().iter().filter(|byte| byte.is_ascii_digit());
        first.iter_mut().zip(digits).for_each(|(slot, digit)| *slot = *digit);
        (first, self.digits)
    }
}

/// Whether digits begin with a country's code and are as many as its numbers have. In North America, neither the area
/// nor the exchange begins with 0 or 1.
fn is_international((digits, count): ([u8; 16], usize)) -> bool {
    if digits[0] == b'1' {
        return count == 11 && digits[1] > b'1' && digits[4] > b'1';
    }
    TELEPHONES.iter().any(|&(least, most, codes)| {
        (least..=most).contains(&count) && codes.split(' ').any(|code| digits.starts_with(code.as_bytes()))
    })
}

/// A bit for each size that the [`WORDS`] with a first letter have.
static SIZES: [u16; 32] = {
    let mut sizes = [0; 32];
    let mut at = 0;
    while at < WORDS.len() {
        let word = WORDS[at].as_bytes();
        sizes[word[0] as usize % 32] |= 1 << word.len();
        at += 1;
    }
    sizes
};

/// Whether one of them can have this first letter and this size, as few words of a text have.
fn may_speak(first: u8, size: usize) -> bool {
    size < 16 && SIZES[usize::from(first % 32)] >> size & 1 != 0
}

/// Whether a national number follows a word that speaks of a telephone.
fn follows_word(text: &[u8]) -> bool {
    let mut at = 0;
    let mut is_beside = false;
    while let Some(&byte) = text.get(at) {
        if is_beside && (byte.is_ascii_digit() || byte == b'(') {
            let number = Number::at(text, at);
            if number.is_national() && !byte_at(text, number.end).is_ascii_alphabetic() {
                return true;
            }
            is_beside = number.digits == 0;
            at = number.end.max(at + 1);
        } else if byte.is_ascii_alphabetic() || byte >= 0x80 {
            let rest = text.get(at..).unwrap_or_default();
            let size = rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
            let word = rest.get(..size).unwrap_or_default();
            let is = |other: &&str| word.eq_ignore_ascii_case(other.as_bytes());
            is_beside = may_speak(byte, size) && WORDS.iter().any(is)
                || !word.is_ascii() && FOREIGN_WORDS.iter().any(|end| word.ends_with(end.as_bytes()))
                || is_beside && BETWEEN.iter().any(is);
            at += size;
        } else {
            at += 1;
        }
    }
    false
}

impl Number {
    fn is_national(&self) -> bool {
        (7..=15).contains(&self.digits) && !self.is_decimal && !self.is_date
    }
}

/// Whether a text is a national number and nothing else.
pub fn is_national(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let number = Number::at(text, 0);
    number.end == text.len() && number.is_national()
}
