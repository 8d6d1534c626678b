//! Credentials: what opens a door to whoever reads it.

use super::numbers::byte_at;

/// What well-known credentials begin with; at least [`KEY`] letters, digits, hyphens and underscores follow.
pub const PREFIXES: [&str; 22] = [
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "sb_secret_",
    "whsec_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "sk-ant-",
    "sk-proj-",
    "shpat_",
    "AIza",
];
/// How many characters follow a prefix at least.
pub const KEY: usize = 16;
/// How many characters of a token follow `Bearer` at least.
pub const BEARER: usize = 20;
/// How many characters each of the first two parts of a JSON Web Token has at least.
pub const TOKEN_PART: usize = 10;
/// The parameters of a query string that are credentials.
pub const PARAMETERS: [&str; 14] = [
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "auth_token",
    "session_token",
    "password",
    "passwd",
    "pwd",
    "secret",
    "client_secret",
    "api_key",
    "apikey",
    "private_key",
];

/// Whether a text holds a credential.
pub fn is_in(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        if matches!(byte, b'?' | b'&' | b'#' | b';') && begins_with_parameter(rest.get(1..).unwrap_or_default())
            || byte == b'-' && begins_with_private_key(rest)
        {
            return true;
        }
        if is_in_token(byte) {
            let size = token_size(rest);
            if begins_with_secret(rest, size) {
                return true;
            }
            at += size;
        } else {
            at += 1;
        }
    }
    false
}

fn is_in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn token_size(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| is_in_token(byte)).count()
}

/// Whether a text that begins with a word of this size begins with a credential. Most words are shorter than any.
fn begins_with_secret(text: &[u8], size: usize) -> bool {
    let word = text.get(..size).unwrap_or_default();
    let is_prefixed = |prefix: &&str| word.starts_with(prefix.as_bytes()) && size >= prefix.len() + KEY;
    let is_aws = || {
        (word.starts_with(b"AKIA") || word.starts_with(b"ASIA"))
            && size == 20
            && word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    is_bearer(text, size)
        || size >= TOKEN_PART && is_web_token(text, size)
        || size > KEY && (is_aws() || PREFIXES.iter().any(is_prefixed))
}

fn is_web_token(text: &[u8], size: usize) -> bool {
    if !text.starts_with(b"eyJ") || byte_at(text, size) != b'.' {
        return false;
    }
    let second = token_size(text.get(size + 1..).unwrap_or_default());
    second >= TOKEN_PART && byte_at(text, size + 1 + second) == b'.'
}

fn is_bearer(text: &[u8], size: usize) -> bool {
    let is_word = size == 6 && text.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"bearer"));
    let is_in_bearer = |byte: u8| is_in_token(byte) || b".~+/=".contains(&byte);
    is_word
        && byte_at(text, 6) == b' '
        && text.get(7..7 + BEARER).is_some_and(|token| token.iter().all(|&byte| is_in_bearer(byte)))
}

fn begins_with_private_key(text: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const END: &[u8] = b"PRIVATE KEY";
    text.starts_with(BEGIN)
        && text.get(BEGIN.len()..).is_some_and(|rest| {
            let rest = rest.get(..rest.len().min(24)).unwrap_or_default();
            let size = rest.iter().take_while(|byte| byte.is_ascii_uppercase() || **byte == b' ').count();
            rest.get(..size).is_some_and(|kind| kind.windows(END.len()).any(|part| part == END))
        })
}

/// Whether a query string goes on with a parameter that is a credential, and a value of it.
fn begins_with_parameter(text: &[u8]) -> bool {
    let Some(size) = text.iter().take(LONGEST_PARAMETER + 1).position(|&byte| byte == b'=') else { return false };
    let (name, value) = text.split_at(size);
    !matches!(byte_at(value, 1), 0 | b' ' | b'&' | b'#')
        && PARAMETERS.iter().any(|own| own.len() == size && name.eq_ignore_ascii_case(own.as_bytes()))
}

const LONGEST_PARAMETER: usize = {
    let (mut longest, mut at) = (0, 0);
    while at < PARAMETERS.len() {
        longest = if PARAMETERS[at].len() > longest { PARAMETERS[at].len() } else { longest };
        at += 1;
    }
    longest
};
