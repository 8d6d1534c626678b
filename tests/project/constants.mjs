/** The constants of the contract: where each stands, and how somebody might write it once more. */

const LIMITS = "src/contract/limits.rs";
const RULES = "src/contract/rules.rs";
const limit = (/** @type {string} */ name) => new RegExp(`const ${name}: \\w+ = ([\\d_]+);`);

/** Files that say a constant again, and what else holds them to it. */
const REASON = { [RULES]: "tells it to the sender of an event; `tests/table.rs` holds it to the rule" };
const FIELD = {
  "src/contract/vocabulary.rs": "says in words what a field holds; `tests/table.rs` holds it to the rules",
};
const OPENAPI = { "openapi.yaml": "describes it to callers, in a language without constants" };
const TABLE = "is the check of a table, which keeps what it holds when the contract changes";

/**
 * @typedef {object} Constant
 * @property {string} name
 * @property {[file: string, found: RegExp]} place where it stands, and as what: the groups are its values
 * @property {string} written how a second place would look: a pattern in which $1 and $2 stand for the values, and $1/60
 *   for a part of one
 * @property {string} second a second place as somebody would write it
 * @property {Record<string, string>} [also] the files in which it may stand all the same, and why: it must, so that a
 *   change of the constant names each of them
 * @property {Record<string, string>} [other] the files in which the same value means something else, and what
 */

/** @type {Constant[]} */
export const CONSTANTS = [
  {
    name: "the seconds within which a repeat is a double fire",
    place: [RULES, /NoTwinWithin\((\d+)\)/],
    written: String.raw`\b$1 ?(secs?|seconds?)\b|(fire|twin|repeat|duplicate).*[ (=]$1(_?000)?\b`,
    second: "and f.happened_at > s.happened_at - interval '$1 seconds'",
  },
  {
    name: "the bytes of metadata",
    place: [LIMITS, limit("METADATA_BYTES")],
    written: String.raw`\b$1\b`,
    second: "const MOST: usize = $1;",
    also: { ...REASON, ...FIELD, ...OPENAPI },
    other: {
      "crates/cli/src/parquet_in.rs": "rows that are read at once",
      "crates/js/judge.js": "the bytes of a buffer",
    },
  },
  {
    name: "the levels of nesting",
    place: [LIMITS, limit("MOST_DEPTH")],
    written: String.raw`(depth|deep|nest|levels).*\b$1\b|\b$1 levels`,
    second: "audience_gate.depth(event) <= $1",
    also: REASON,
  },
  {
    name: "the length of a number",
    place: [LIMITS, limit("NUMBER_LENGTH")],
    written: String.raw`\b(number|digits)\b.*\b$1\b|\b$1 digits`,
    second: "const MOST_DIGITS = digits.length <= $1;",
    also: REASON,
  },
  {
    name: "the exponent of a number",
    place: [LIMITS, limit("MOST_EXPONENT")],
    written: String.raw`exponent.*\b$1\b`,
    second: "exponent > $1",
  },
  {
    name: "the length of a session's id",
    place: [LIMITS, /SESSION_LENGTH: \(u32, u32\) = \((\d+), (\d+)\)/],
    written: String.raw`session.*\b$1\b.*\b$2\b|\b$1( to |, |\.\.=?| and )$2\b`,
    second: "length(session_id) between $1 and $2",
    also: { ...REASON, ...FIELD, ...OPENAPI },
  },
  {
    name: "the length of an event type",
    place: [RULES, /Length\(F::EventType, (\d+), (\d+)\)/],
    written: String.raw`event_type.*\b$1\b.*\b$2\b|\b$1( to |, |\.\.=?| and )$2\b`,
    second: "length(event_type) between $1 and $2",
    also: {
      ...FIELD,
      ...OPENAPI,
      "supabase/migrations/20261101000500_registry.sql": TABLE,
      "supabase/migrations/20261101005604_legacy_registry.sql": "says why that table would refuse a type",
    },
  },
  {
    name: "the length of an event source",
    place: [RULES, /at_most!\(F::EventSource, (\d+)\)/],
    written: String.raw`event_?source.*\b$1\b`,
    second: "eventSource.slice(0, $1)",
    also: { ...FIELD, ...OPENAPI },
  },
  {
    name: "the length of a utm field",
    place: [LIMITS, limit("UTM_LENGTH")],
    written: String.raw`utm.*\b$1\b`,
    second: "utm[key] = value.slice(0, $1);",
    also: { ...REASON, ...FIELD, ...OPENAPI },
  },
  {
    name: "the seconds of a view",
    place: [RULES, /Number\(F::DurationSeconds, ([1-9]\d*), None\)/],
    written: String.raw`duration.*\b$1\b|\b$1 seconds`,
    second: "where (metadata ->> 'duration_seconds')::numeric >= $1",
    other: { "local/demo/people.mjs": "how long the demo's people read at least" },
  },
  {
    name: "the percent of a view",
    place: [RULES, /Number\(F::ScrollDepthPercent, ([1-9]\d*), None\)/],
    written: String.raw`scroll.*\b$1\b|\b$1 ?(%|percent)`,
    second: "if (scrollDepth >= $1) send();",
    other: { "local/demo/people.mjs": "how far the demo's people scroll at least" },
  },
  {
    name: "the ends of the scroll depth",
    place: [RULES, /Number\(F::ScrollDepthPercent, (\d+), Some\((\d+)\)\)/],
    written: String.raw`scroll.*\b$1\b.*\b$2\b`,
    second: "scroll_depth_percent between $1 and $2",
    also: FIELD,
  },
  {
    name: "how far occurred_at may be ahead",
    place: [RULES, /OccurredWithin\((\d+), /],
    written: String.raw`\b$1 seconds|\b$1/60 minutes (after|ahead)`,
    second: "received_at + interval '$1 seconds'",
    also: { ...REASON, ...FIELD, ...OPENAPI },
  },
  {
    name: "how far occurred_at may be behind",
    place: [RULES, /OccurredWithin\(\d+, ([\d_]+)\)/],
    written: String.raw`\b$1\b|\b$1/86400 days (before|behind)`,
    second: "const BEHIND = $1;",
    also: { ...REASON, ...FIELD, ...OPENAPI },
  },
  {
    name: "the digits of a hash",
    place: [LIMITS, limit("HASH_LENGTH")],
    written: String.raw`\{$1\}|\b$1 (lower|hex)`,
    second: "/^[0-9a-f]{$1}$/",
    also: { ...REASON, ...FIELD },
    other: {
      "supabase/migrations/20261101004310_signing_keys.sql": "the digits of a signature",
      "supabase/functions/ingest/settings.ts": "the digits of a signing key",
      "web/dashboard/main.ts": "the digits of the secret of a link for a screen",
      "supabase/functions/ingest/sign.ts": "the digits of a signing key",
      "supabase/functions/ingest/page_reports.ts": "tells the hashes in reports, which no engine has judged",
    },
  },
  {
    name: "the bytes of an e-mail address",
    place: [LIMITS, limit("EMAIL_BYTES")],
    written: String.raw`\b$1\b`,
    second: "octet_length(address) <= $1",
    other: { "src/privacy/published.rs": "the country code of Kenya" },
  },
  {
    name: "the events of a request",
    place: [LIMITS, limit("REQUEST_EVENTS")],
    written: String.raw`(most_events|request_events|\bevents:).*\b$1\b|\b(up to|more than) $1\b|\b$1 events`,
    second: "limits: { bytes: 5, events: $1 }",
    also: { ...OPENAPI, "src/wasm/surface.d.ts": "tells it to callers of the module" },
  },
  {
    name: "the bytes of a request",
    place: [LIMITS, limit("REQUEST_BYTES")],
    written: String.raw`\b$1\b`,
    second: "const BYTES = $1;",
    also: OPENAPI,
  },
  {
    name: "the bytes of an audit row apart from its snapshot",
    place: [LIMITS, limit("RECORD_BYTES")],
    written: String.raw`(room|snapshot|record).*\b$1\b`,
    second: "const room = most - $1; // of the snapshot: $1",
  },
  {
    name: "the bytes of a place",
    place: [LIMITS, limit("PLACE_BYTES")],
    written: String.raw`(place|pointer|path)\b.*\b$1\b`,
    second: "if octet_length(place) > $1 then",
    also: { "supabase/migrations/20261101005500_page_reports.sql": "takes from pages no more than engines write" },
  },
  {
    name: "the lengths in a snapshot",
    place: [LIMITS, /SNAPSHOT_TEXT: usize = (\d+);\n.*\n.*SNAPSHOT_KEY: usize = (\d+);/],
    written: String.raw`(length|left)\(content.*\b$1\b|length\(key\).*\b$2\b`,
    second: "if length(content) > $1 then",
  },
  {
    name: "the levels of a snapshot",
    place: [LIMITS, limit("SNAPSHOT_DEPTH")],
    written: String.raw`depth >=? $1\b|snapshot.*\b$1 levels`,
    second: "if depth > $1 then",
  },
  {
    name: "the bytes of an outline",
    place: [LIMITS, limit("OUTLINE_BYTES")],
    written: String.raw`outline.*\b$1\b`,
    second: "const outline = text.slice(0, $1);",
  },
  {
    name: "the session of an audit row without one",
    place: ["src/gate/rejected.rs", /NO_SESSION: &str = "(.+)"/],
    written: String.raw`\b$1\b|\binvalid-session\b`,
    second: 'const NONE = "$1";',
  },
  {
    name: "the default site",
    place: ["taxonomy.json", /"default_site": \{\s*"id": "(.+?)"/],
    written: "$1",
    second: 'const SITE = "$1";',
    also: { [RULES]: "has an example of an event that names it" },
  },
  {
    name: "the categories",
    place: ["src/contract/vocabulary.rs", /CATEGORIES: \[&str; \d\] = \["(.+)"\];/],
    written: "$1",
    second: '["$1"]',
    also: {
      ...OPENAPI,
      "supabase/migrations/20261101000400_events.sql": TABLE,
      "supabase/migrations/20261101000500_registry.sql": TABLE,
      "web/tracker/types.ts": "is a file of types that a site copies, so it refers to no other",
    },
  },
];
