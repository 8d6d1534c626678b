//! The contract as data: what an event is made of, what a rule is, the table of all rules, and the words and limits
//! they name.

pub mod limits;
pub mod personal_keys;
pub mod personal_words;
pub mod rule;
pub mod rules;
pub mod vocabulary;
pub mod words;

pub(crate) mod field_names;
pub(crate) mod fingerprint;

pub use fingerprint::FINGERPRINT;
