//! A verdict: the set of rules that an event violates.

use crate::contract::rule::Explanation;
use crate::contract::rules::EXPLANATIONS;

/// A set of rules, by their place in [`EXPLANATIONS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Violations(pub u64);

impl Violations {
    /// `parse.json` alone, the first rule of the table.
    pub const UNREADABLE: Violations = Violations(1);

    /// Whether the event is accepted.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rules, in order.
    pub fn rules(self) -> impl Iterator<Item = &'static Explanation> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let rule = EXPLANATIONS.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(rule)
        })
    }
}
