//! A verdict on an event: the rules it violates, and the hash of its e-mail address.

use crate::contract::rule::Explanation;
use crate::contract::rules::EXPLANATIONS;
use crate::digest::Hash;
use crate::registry::{OwnRule, Registry};

/// How many words it takes to have a bit for every rule.
const WORDS: usize = EXPLANATIONS.len().div_ceil(64);

/// A set of rules: those of the contract by their places in the table, and the install's own by theirs in the registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Violations<const SIZE: usize = WORDS> {
    pub(super) contract: [u64; SIZE],
    pub(super) own: u128,
}

impl Violations {
    /// The empty set.
    pub const NONE: Violations = Violations::of([0; WORDS]);

    /// `parse.json` alone, the first rule of the table.
    pub const UNREADABLE: Violations = {
        let mut words = [0; WORDS];
        words[0] = 1;
        Violations::of(words)
    };

    /// The rules of the contract, in order.
    pub fn rules(self) -> impl Iterator<Item = &'static Explanation> {
        self.places().filter_map(|place| EXPLANATIONS.get(place))
    }
}

impl<const SIZE: usize> Violations<SIZE> {
    /// Rules of the contract.
    pub(super) const fn of(contract: [u64; SIZE]) -> Self {
        Violations { contract, own: 0 }
    }

    /// Whether the event is accepted.
    pub fn is_empty(self) -> bool {
        self.contract.iter().all(|&word| word == 0) && self.own == 0
    }

    /// The rules of the install's own, in order.
    pub fn own_rules(self, registry: &Registry) -> impl Iterator<Item = &OwnRule> {
        let mut left = self.own;
        registry.own_rules.iter().filter(move |_| {
            let is_violated = left & 1 == 1;
            left >>= 1;
            is_violated
        })
    }

    /// The places of the rules of the contract in the table, in order.
    pub fn places(self) -> impl Iterator<Item = usize> {
        self.contract.into_iter().enumerate().flat_map(|(index, mut left)| {
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                (bit < 64).then_some(64 * index + bit)
            })
        })
    }
}

/// The result of judging an event.
#[derive(Debug)]
pub struct Verdict {
    /// The rules it violates.
    pub violations: Violations,
    /// The hash of its e-mail address, without the pepper, if it sent a valid one.
    pub email_hash: Option<Hash>,
}

#[cfg(test)]
mod tests {
    use super::Violations;

    #[test]
    fn a_set_of_more_rules_than_a_word_has_bits_lists_them_in_order() {
        let set = Violations::of([1 << 3 | 1 << 63, 1 | 1 << 6, 1 << 63]);
        assert_eq!(set.places().collect::<Vec<_>>(), [3, 63, 64, 70, 191]);
        assert!(!Violations::of([0, 1]).is_empty() && Violations::of([0, 0]).is_empty());
    }
}
