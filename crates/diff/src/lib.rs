//! Two contracts of audience-gate as data, and for each difference an event that they judge differently.
//!
//! A difference is found by comparing; what it does is found by searching: events that are known, events that hold what
//! the two say and what is just beside it, and those with several of these changes at once. What no event was found for
//! is called undecided, never equal.

mod change;
mod contract;
mod differences;
mod fields;
mod lists;
mod pattern;
mod rules;
mod schema;
mod search;
mod shrink;

pub use contract::Contract;
pub use differences::{Change, Difference, Search, differences};
pub use search::{Example, Sender};
