//! Sixteen bytes of text at a time.
//!
//! No library finds within one pass the several kinds of byte that the reader and the privacy rules ask for; beside
//! eight bytes a step in plain integers this was measured (`benches/gate.rs`).

use wide::u8x16;

/// How many bytes a block has.
pub const SIZE: usize = 16;

/// A bit for each byte of a block, the first byte's lowest.
pub type Mask = u32;

/// Sixteen bytes.
#[derive(Clone, Copy)]
pub struct Block(u8x16);

impl Block {
    /// The block that begins there, if the text is long enough.
    #[inline]
    pub fn at(text: &[u8], start: usize) -> Option<Block> {
        text.get(start..)?.first_chunk().map(Block::of)
    }

    /// The block of these bytes.
    #[inline]
    pub fn of(bytes: &[u8; SIZE]) -> Block {
        Block(u8x16::new(*bytes))
    }

    /// The bytes where a run of plain characters of a JSON text ends: quotes, backslashes and control characters.
    #[inline]
    pub fn stops(self) -> Mask {
        (self.equal(b'"') | self.equal(b'\\') | at_most(self.0, 0x1f)).to_bitmask()
    }

    /// The bytes without which a text holds neither an e-mail address nor a phone number.
    #[inline]
    pub fn signs(self) -> Mask {
        (self.equal(b'@') | self.equal(b'%') | self.equal(b'+')).to_bitmask()
    }

    /// Digits, and what joins the groups of a card number.
    #[inline]
    pub fn digits_and_joints(self) -> Mask {
        (at_most(self.0 - u8x16::splat(b'0'), 9) | self.equal(b' ') | self.equal(b'-')).to_bitmask()
    }

    /// The bytes outside ASCII.
    #[inline]
    pub fn non_ascii(self) -> Mask {
        self.0.to_bitmask()
    }

    /// The bytes in which two pairs of blocks are the same.
    #[inline]
    pub fn same(left: &[u8; 2 * SIZE], right: &[u8; 2 * SIZE]) -> Mask {
        let half = |start| match (Block::at(left, start), Block::at(right, start)) {
            (Some(left), Some(right)) => left.0.simd_eq(right.0).to_bitmask(),
            _ => 0,
        };
        half(0) | half(SIZE) << SIZE
    }

    #[inline]
    fn equal(self, byte: u8) -> u8x16 {
        self.0.simd_eq(u8x16::splat(byte))
    }
}

#[inline]
fn at_most(bytes: u8x16, most: u8) -> u8x16 {
    bytes.min(u8x16::splat(most)).simd_eq(bytes)
}
