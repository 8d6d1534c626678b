//! Personal data: finding it, hashing it, and replacing it.

pub mod accounts;
pub mod email;
pub mod find;
pub mod numbers;
pub mod phones;
pub mod plain;
pub mod published;
pub mod redact;
pub mod secrets;
