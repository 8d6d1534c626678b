//! Personal data: finding it, hashing it, and replacing it.

pub mod email;
pub mod numbers;
pub mod redact;
