//! The limits that the contract names, each in one place.

/// The deepest nesting of an event.
pub const MOST_DEPTH: usize = 32;

/// The most characters of a number.
pub const NUMBER_LENGTH: usize = 64;
/// The largest exponent, either way, that Postgres can hold in every number of that length.
pub const MOST_EXPONENT: i64 = 400;

/// The fewest and the most Unicode code points of a session's id.
pub const SESSION_LENGTH: (u32, u32) = (8, 128);

/// The most Unicode code points of a `utm_*` field.
pub const UTM_LENGTH: u32 = 256;

/// The most bytes of an e-mail address.
pub const EMAIL_BYTES: usize = 254;
/// The hexadecimal digits of a SHA-256.
pub const HASH_LENGTH: usize = 64;
/// How many bytes the hash of an e-mail address adds to `metadata`, at most: with the longer name of its kind.
pub const EMAIL_HASH_BYTES: usize = r#""email_hash": "", "#.len() + HASH_LENGTH + HASH_KIND_BYTES;
/// How many of them are the name of its kind.
pub const HASH_KIND_BYTES: usize = r#""email_hash_kind": "hmac-sha256", "#.len();

/// The most events of one request.
pub const REQUEST_EVENTS: usize = 1000;
/// The most bytes of one request, before and after compression.
pub const REQUEST_BYTES: usize = 1_048_576;

/// The most bytes of `metadata` as Postgres writes it.
pub const METADATA_BYTES: usize = 8192;

/// The most Unicode code points that an event type with a closed payload schema takes under a key of the tracker's or
/// the gate's own.
pub const OWN_TEXT: usize = 128;

/// How deep the snapshot of a rejected event goes.
pub const SNAPSHOT_DEPTH: usize = 8;
/// How many Unicode code points of one text a snapshot shows.
pub const SNAPSHOT_TEXT: usize = 256;
/// The longest key that a snapshot or a place shows, in Unicode code points.
pub const SNAPSHOT_KEY: usize = 64;
/// How many bytes an audit row's `metadata` has for everything but its reason, its violations and its snapshot.
pub const RECORD_BYTES: usize = 1024;
/// The most bytes of a place, as a JSON text.
pub const PLACE_BYTES: usize = 128;
/// How many bytes of a text that cannot be read the outline shows.
pub const OUTLINE_BYTES: usize = 512;

/// The most bytes of a schema as Postgres writes it.
pub const SCHEMA_BYTES: usize = 65_536;
/// How deep the schemas within a schema are nested.
pub const SCHEMA_DEPTH: usize = 32;
/// The deepest nesting of a snapshot of the registry, in which each schema within a schema may be two levels.
pub const REGISTRY_DEPTH: usize = 2 * SCHEMA_DEPTH + 32;
/// The most schemas within a schema, itself included.
pub const SCHEMA_PARTS: usize = 2000;
/// The most schemas on a way that looks at one and the same value.
pub const SCHEMA_CHAIN: usize = 16;
/// The most schemas that lead to the judgement of one part of a value; what takes more is refused.
pub const SCHEMA_NESTED: usize = 128;
/// The most schemas that are asked about one value, each as often as it is; what takes more is refused.
pub const SCHEMA_WORK: usize = 200_000;
/// The most values of an `enum`.
pub const SCHEMA_CHOICES: usize = 1000;
/// The most positions that a pattern expands to.
pub const PATTERN_POSITIONS: usize = 1000;
/// The largest bound of a repetition in a pattern.
pub const PATTERN_REPEATS: usize = 255;
