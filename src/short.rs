//! Short byte strings such as keys and ids: whether two are the same.

/// Whether two short texts are the same; by words, because a call to compare a few bytes costs more than they do.
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
