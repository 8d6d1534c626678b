//! Whether one JSON number is a multiple of another, by long division.

use super::number::Decimal;

/// Whether a number is a whole multiple of another, which is above zero.
#[cold]
#[inline(never)]
pub fn is_multiple(raw: &[u8], of: &[u8]) -> bool {
    let (value, of) = (Decimal::of(raw), Decimal::of(of));
    let last = value.last_power().min(of.last_power());
    let of: Vec<u8> = of.digits_down_to(last).collect();
    // One digit more than the other has, so that it holds ten times what is left and the next digit.
    let mut rest = vec![0; of.len() + 1];
    for digit in value.digits_down_to(last) {
        rest.remove(0);
        rest.push(digit);
        while subtract(&mut rest, &of) {}
    }
    rest.iter().all(|digit| *digit == 0)
}

/// Subtracts the number that these digits write, which has one digit fewer, if it is no larger; says whether it did.
fn subtract(from: &mut [u8], digits: &[u8]) -> bool {
    let Some((first, rest)) = from.split_first() else { return false };
    if *first == 0 && rest < digits {
        return false;
    }
    let mut borrowed = 0;
    for (digit, other) in from.iter_mut().rev().zip(digits.iter().rev().chain([&0])) {
        let taken = other + borrowed;
        borrowed = u8::from(*digit < taken);
        *digit = *digit + 10 * borrowed - taken;
    }
    true
}

impl Decimal<'_> {
    /// The power of ten that its last digit stands for.
    fn last_power(&self) -> i64 {
        self.exponent - self.fraction.len() as i64
    }

    /// Its digits, from the first that is not zero down to the one that stands for this power of ten.
    fn digits_down_to(&self, power: i64) -> impl Iterator<Item = u8> {
        let end = self.length() as i64 + self.last_power() - power;
        (self.leading_zeros()..end as usize).map(|place| self.digit(place).unwrap_or(b'0') - b'0')
    }
}
