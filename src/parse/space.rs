//! White space between the parts of JSON.

/// The place of the next byte that is not white space, or the end.
#[inline]
pub fn skip(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}
