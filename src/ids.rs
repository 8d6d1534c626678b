//! UUIDs: how to recognise one, and how to mint one for an event that came without.

use crate::block::{Block, Mask};
use crate::write::hex_digit;

/// A UUID as it is written.
pub type Id = [u8; 36];

/// Whether a text is a UUID in the 8-4-4-4-12 form, in either case.
#[inline(never)]
pub fn is_uuid(content: &[u8]) -> bool {
    <&Id>::try_from(content).is_ok_and(is_id)
}

/// The same for a text of the right length.
#[inline]
pub fn is_id(content: &Id) -> bool {
    const HYPHENS: u64 = 1 << 8 | 1 << 13 | 1 << 18 | 1 << 23;
    if content[8] != b'-' || content[13] != b'-' {
        return false;
    }
    // Only the last four bytes of the last block are new.
    let blocks = [0, 16, 20]
        .map(|start| Block::at(content, start).map_or((0, 0), |block| (block.hex_digits(), block.hyphens())));
    let joined = |[first, second, last]: [Mask; 3]| u64::from(first) | u64::from(second) << 16 | u64::from(last) << 20;
    joined(blocks.map(|block| block.0)) == HYPHENS ^ ((1 << 36) - 1) && joined(blocks.map(|block| block.1)) == HYPHENS
}

/// A source of ids of UUID version 7: they begin with the time, so the primary key grows at its end.
#[derive(Debug)]
pub struct Ids {
    millis: u64,
    state: u64,
    step: u64,
}

impl Ids {
    /// Starts from random bytes and the time in milliseconds since 1970.
    pub const fn new(seed: [u8; 16], millis: i64) -> Self {
        let seed = u128::from_le_bytes(seed);
        Ids { millis: if millis > 0 { millis as u64 } else { 0 }, state: seed as u64, step: (seed >> 64) as u64 | 1 }
    }

    /// The next id.
    pub fn mint(&mut self) -> Id {
        let (a, b) = (self.random(), self.random());
        let high = self.millis << 16 | 0x7000 | a >> 52;
        let low = 0x8000_0000_0000_0000 | b >> 2;
        written(high, low)
    }

    /// SplitMix64 with a seeded increment, so that 127 bits decide the sequence.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(self.step);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

/// The UUID of these bits, in the 8-4-4-4-12 form.
pub fn written(high: u64, low: u64) -> Id {
    let mut out = [b'-'; 36];
    let mut nibbles = (0..32).map(|index| {
        let word = if index < 16 { high } else { low };
        hex_digit((word >> (60 - 4 * (index % 16)) & 15) as u8)
    });
    for (at, slot) in out.iter_mut().enumerate() {
        if !matches!(at, 8 | 13 | 18 | 23) {
            *slot = nibbles.next().unwrap_or(b'0');
        }
    }
    out
}
