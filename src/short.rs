//! Short byte strings such as keys and ids: whether two are equal, and where one is in a table.

/// Whether two short texts are equal. They are compared by words, because a call would cost more than comparing a few
/// bytes does.
#[inline]
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let (Some(left_end), Some(right_end)) = (left.last_chunk::<8>(), right.last_chunk::<8>()) else {
        return left.iter().zip(right).all(|(left, right)| left == right);
    };
    let mut words = left.chunks_exact(8).zip(right.chunks_exact(8));
    words.all(|(left, right)| left.first_chunk::<8>() == right.first_chunk::<8>()) && left_end == right_end
}

/// A hash of a short byte string that ignores the case of letters, made from the first and the last four bytes, the one
/// in the middle and the length. Whoever chooses the strings can make them collide, so it never serves a table of
/// strings that a sender chooses.
#[inline]
pub const fn hash(key: &[u8]) -> u32 {
    let [first, last] = match (key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last)) => [u32::from_le_bytes(*first), u32::from_le_bytes(*last)],
        _ => match *key {
            [first] => [first as u32, 0],
            [first, second] => [first as u32, second as u32],
            [first, second, third] => [first as u32 | (second as u32) << 8, third as u32],
            _ => [0, 0],
        },
    };
    let middle = if key.is_empty() { 0 } else { key[key.len() / 2] as u32 };
    let ends = (first | FOLD).wrapping_mul(0x9e37_79b1) ^ (last | FOLD).wrapping_mul(0x85eb_ca6b);
    let mixed = ends ^ (middle | FOLD).wrapping_mul(0x27d4_eb2f) ^ (key.len() as u32) << 24;
    mixed ^ mixed >> 15
}

/// The bit in which ASCII capitals and small letters differ, in each of four bytes.
const FOLD: u32 = 0x2020_2020;

/// Puts the place of a key into a table of slots: into the first free slot from where its hash points. The number of
/// slots is a power of two, and at least half of them stay free, so that every search ends.
pub const fn insert(slots: &mut [u16], key: &[u8], place: usize) {
    let last = slots.len() - 1;
    let mut at = hash(key) as usize & last;
    while slots[at] != 0 {
        at = (at + 1) & last;
    }
    slots[at] = place as u16 + 1;
}

/// The place of a key that was [put into](insert) a table; `is_key` says whether a place is that of the key.
#[inline]
pub fn find(slots: &[u16], key: &[u8], is_key: impl Fn(usize) -> bool) -> Option<usize> {
    let last = slots.len().wrapping_sub(1);
    let mut at = hash(key) as usize & last;
    loop {
        let place = usize::from(slots.get(at)?.checked_sub(1)?);
        if is_key(place) {
            return Some(place);
        }
        at = (at + 1) & last;
    }
}
