//! The sizes that the contract names, each in one place.

/// The deepest nesting of an event.
pub const MOST_DEPTH: usize = 32;

/// The fewest and the most Unicode code points of a session's id.
pub const SESSION_LENGTH: (u32, u32) = (8, 128);

/// The bytes that the hash of an e-mail address adds to `metadata`, with the longer name of its kind.
pub const EMAIL_HASH_BYTES: usize = r#""email_hash": "", "email_hash_kind": "hmac-sha256", "#.len() + 64;

/// How deep the snapshot of a rejected event goes.
pub const SNAPSHOT_DEPTH: usize = 8;
/// How many bytes of one text a snapshot shows.
pub const SNAPSHOT_TEXT: usize = 256;
/// The longest key that a snapshot shows.
pub const SNAPSHOT_KEY: usize = 64;
/// How many bytes of a snapshot are written before the rest is left out. Postgres writes at most twice as many, which
/// leaves room for the other keys of the audit row within 8 KB.
pub const SNAPSHOT_BYTES: usize = 2_600;
/// The longest number that a snapshot keeps as one; a longer one could unfold to hundreds of digits.
pub const SNAPSHOT_NUMBER: usize = 20;
/// How many bytes of a text that cannot be read the outline shows.
pub const OUTLINE_BYTES: usize = 512;
