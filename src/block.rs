//! Blocks: sixteen bytes of text that are looked at together.
//!
//! Written by hand, because no library finds in one pass all the kinds of byte that the reader and the privacy rules
//! ask for. It was measured against eight bytes per step in plain integers (`benches/gate.rs`).

use wide::i8x16;

/// How many bytes a block has.
pub const SIZE: usize = 16;

/// A bit for each byte of a block; the lowest bit is the first byte's.
pub type Mask = u32;

/// The first place of a byte in a text, from a place on.
#[inline]
pub fn position(text: &[u8], byte: u8, mut from: usize) -> Option<usize> {
    while let Some(block) = Block::at(text, from) {
        let found = block.equal(byte).to_bitmask();
        if found != 0 {
            return Some(from + found.trailing_zeros() as usize);
        }
        from += SIZE;
    }
    Some(from + text.get(from..)?.iter().position(|&own| own == byte)?)
}

/// Sixteen bytes as signed numbers, because WebAssembly engines compare those in one instruction, and unsigned ones in
/// four.
#[derive(Clone, Copy)]
pub struct Block(i8x16);

impl Block {
    /// The block that begins at `start`, if the text is long enough.
    #[inline]
    pub fn at(text: &[u8], start: usize) -> Option<Block> {
        text.get(start..)?.first_chunk().map(Block::of)
    }

    /// The block of these bytes.
    #[inline]
    pub fn of(bytes: &[u8; SIZE]) -> Block {
        Block(i8x16::new(bytes.map(u8::cast_signed)))
    }

    /// The bytes where a run of plain characters of a JSON text ends: quotes, backslashes and control characters.
    #[inline]
    pub fn stops(self) -> Mask {
        let is_below_space = self.0.simd_lt(i8x16::splat(b' ' as i8));
        // Bytes outside ASCII are negative here, so they too compare as below the space.
        (self.equal(b'"') | self.equal(b'\\') | is_below_space).to_bitmask() & !self.non_ascii()
    }

    /// Backslashes, control characters, bytes outside ASCII, and the [`signs`](Block::signs).
    #[inline]
    pub fn unusual(self) -> Mask {
        let is_below_space = self.0.simd_lt(i8x16::splat(b' ' as i8));
        (self.equal(b'\\') | is_below_space | self.is_sign()).to_bitmask()
    }

    /// The first byte.
    #[inline]
    pub fn first(self) -> u8 {
        self.0.to_array()[0].cast_unsigned()
    }

    /// The quotes.
    #[inline]
    pub fn quotes(self) -> Mask {
        self.equal(b'"').to_bitmask()
    }

    /// The bytes of which one alone makes a text worth a closer look.
    #[inline]
    pub fn signs(self) -> Mask {
        self.is_sign().to_bitmask()
    }

    #[inline]
    fn is_sign(self) -> i8x16 {
        self.equal(b'@') | self.between(b'%', b'&') | self.equal(b'+') | self.equal(b'=')
    }

    /// What numbers, addresses and credentials are made of: digits, capitals, points, and what lies between digits and
    /// capitals in ASCII, because one comparison is cheaper than three.
    #[inline]
    pub fn marks(self) -> Mask {
        (self.between(b'0', b'Z') | self.equal(b'.')).to_bitmask()
    }

    /// The digits.
    #[inline]
    pub fn digits(self) -> Mask {
        self.between(b'0', b'9').to_bitmask()
    }

    /// Hexadecimal digits of either case.
    #[inline]
    pub fn hex_digits(self) -> Mask {
        let small = Block(self.0 | i8x16::splat(0x20));
        (self.between(b'0', b'9') | small.between(b'a', b'f')).to_bitmask()
    }

    /// The hyphens.
    #[inline]
    pub fn hyphens(self) -> Mask {
        self.equal(b'-').to_bitmask()
    }

    /// The bytes outside ASCII.
    #[inline]
    pub fn non_ascii(self) -> Mask {
        self.0.to_bitmask()
    }

    /// The bytes in which two pairs of blocks agree.
    #[inline]
    pub fn same(left: &[u8; 2 * SIZE], right: &[u8; 2 * SIZE]) -> Mask {
        let half = |start| match (Block::at(left, start), Block::at(right, start)) {
            (Some(left), Some(right)) => left.0.simd_eq(right.0).to_bitmask(),
            _ => 0,
        };
        half(0) | half(SIZE) << SIZE
    }

    #[inline]
    fn equal(self, byte: u8) -> i8x16 {
        self.0.simd_eq(i8x16::splat(byte as i8))
    }

    /// The bytes from `first` to `last` in ASCII. They are moved up until `last` is the largest number, so that one
    /// comparison is enough.
    #[inline]
    fn between(self, first: u8, last: u8) -> i8x16 {
        let moved = self.0 + i8x16::splat((0x7f - last) as i8);
        moved.simd_gt(i8x16::splat((0x7f - last + first) as i8 - 1))
    }
}
