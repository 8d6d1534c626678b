//! SHA-256, alone and under a key, and its hexadecimal form.

use crate::contract::limits::HASH_LENGTH;
use crate::write::hex_digit;
use sha2::{Digest, Sha256};

/// A digest as lower-case hexadecimal digits.
pub type Hash = [u8; HASH_LENGTH];

/// SHA-256 of these parts, one after the other.
#[inline(never)]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// HMAC as in RFC 2104: a dozen lines over the same hash function, instead of a second dependency in the browser.
pub fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&sha256(&[key]));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    block.iter_mut().for_each(|byte| *byte ^= INNER);
    let inner = sha256(&[&block, message]);
    block.iter_mut().for_each(|byte| *byte ^= INNER ^ OUTER);
    sha256(&[&block, &inner])
}

/// The two paddings of RFC 2104.
const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;

/// A digest in lower-case hexadecimal.
#[inline(never)]
pub fn hex(digest: &[u8]) -> Hash {
    let mut out = [0; HASH_LENGTH];
    for (digits, byte) in out.as_chunks_mut().0.iter_mut().zip(digest) {
        *digits = [hex_digit(byte >> 4), hex_digit(byte & 15)];
    }
    out
}
