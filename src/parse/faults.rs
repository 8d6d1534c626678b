//! Why a text cannot be taken as an event.

use crate::contract::vocabulary::Fault;

/// A set of [`Fault`]s.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults(u8);

impl Faults {
    /// The empty set.
    pub const NONE: Faults = Faults(0);

    /// Adds a fault.
    pub fn add(&mut self, fault: Fault) {
        self.0 |= 1 << fault as u8;
    }

    /// Whether the fault is in the set.
    pub const fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u8) != 0
    }

    /// Whether it holds no faults other than these.
    pub const fn is_within(self, others: Faults) -> bool {
        self.0 & !others.0 == 0
    }

    /// Whether there are no faults.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
