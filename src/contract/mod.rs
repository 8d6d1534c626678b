//! The contract as data: what an event is made of, what a rule is, and the table of all of them.

pub mod event;
pub mod rule;
pub mod rules;
