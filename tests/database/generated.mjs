// Events that a seed makes again: those of the corpus with a few changes, and those that try to break the record of a
// rejection.

/** @typedef {{ text: string, caller?: string, callerId?: string | null, origin?: string | null }} Sent */
/** @typedef {Sent & { violates?: readonly string[] }} Case */

/** A source of numbers below 1 that a seed repeats. @param {number} state */
export function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Values around every bound, of every kind, and those that the privacy rules look for.
const VALUES = [
  null,
  "",
  " ",
  "\t\n",
  true,
  false,
  0,
  -1,
  19.999,
  20,
  29,
  30,
  100,
  100.5,
  1.5,
  [],
  {},
  [1],
  { a: 1 },
  "S0",
  "S3",
  "S5",
  "x",
  "xy",
  "x".repeat(3),
  "é".repeat(7),
  "é".repeat(8),
  "x".repeat(64),
  "x".repeat(65),
  "x".repeat(128),
  "x".repeat(129),
  "x".repeat(256),
  "x".repeat(257),
  "like",
  "post_Like",
  "postLike",
  "lIKE",
  "photo\u00a0liked",
  "thumbs up",
  "sweetheart",
  "👍🏽",
  " ❤\ufe0f\u2003",
  "⭐ x",
  "\u00a0",
  "\u3000\u0085\u2028",
  "\u200b",
  "s3",
  "s0",
  "engagement",
  "system",
  "content_view",
  "email_subscribe",
  "referral_click",
  "inactivity_14d",
  "00000000-0000-4000-8000-000000000001",
  "2026-11-21T12:00:00Z",
  "2026-11-21T12:05:01Z",
  "2026-11-21T12:05:00.0000009Z",
  "2026-11-21T12:05:00.000001Z",
  "2026-11-14T11:59:59.99999999999999Z",
  "2026-11-22T11:59:00+23:59",
  "2026-11-21T12:00:00+24:00",
  "2026-11-20T23:59:60Z",
  "2026-11-20T23:59:60.5Z",
  "2026-11-21T05:44:60+05:45",
  "2026-11-20T23:59:60+00:01",
  "0001-01-01T00:00:00+00:01",
  "2026-11-14T12:00:00+00:00",
  "2026-02-30T00:00:00Z",
  "ada@example.com",
  " Ada@example.com",
  "ada%40example.com",
  "@ada",
  "+14155552671",
  "+1 (415) 555 26 71",
  "123-45-6789",
  "4111 1111 1111 1111",
  "4111111111111112",
  4111111111111111,
  20261126120000,
  "192.168.0.1",
  "4111.1111.1111.1111",
  "00491701234567",
  "030 901820",
  ["030 901820", { note: "030 901820" }],
  "GB82WEST12345698765432",
  "/reset?token=4f9c21d07b",
  "/s?first_name=Ada&q=shoes",
  "/s?email_template=a;phone=",
  "a".repeat(64),
  "a".repeat(63) + "b",
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  { prior_state: "S0", newState: "s3" },
  [{ "PRIOR STATE": "S1", "new-state": "S4" }, { lead_scores: 1 }],
  { prior_state: { "prior.state": "S0" }, newstate: "S3" },
  "\u212aate@example.com",
];
/** Pieces of which texts are made that are, or nearly are, what the privacy rules look for. */
const PIECES = [
  ...'0149 -+@._()aZé\n"\\',
  "12",
  "123",
  "4111",
  "41111111",
  "5500005555555559",
  "%2B",
  "%2b",
  "%40",
  "%2540",
  "co",
  "example",
  ".com",
  "+49 170",
  "219-09-9999",
  "tel:",
  "call ",
  "phone: ",
  "電話 ",
  "0049 ",
  "(415) 555-2671",
  "DE89 3704 0044 0532 0130 00",
  "8c5b2072-590b-4e5f-be68-539007547034",
  "eyJhbGciOiJIUzI1NiJ9",
  ".eyJzdWIiOiIx",
  ".abc",
  "Bearer ",
  "sk_live_",
  "abcdefghijklmnop0123",
  "?token=",
  "&phone=",
  ";vorname=",
  "#has_email=",
  "192.168.0.1",
  "2001:db8::7a1f:1",
  "::",
  "＠",
  "&#64;",
  "&amp;",
  "\u00a0",
  "logo@2x.png",
  "next@15.0.0",
  "3782 822463 10005",
  "2026-11-26",
];
const KEYS = [
  "session_id",
  "event_type",
  "event_category",
  "event_source",
  "utm_source",
  "utm_campaign",
  "utm_medium",
  "occurred_at",
  "user_id",
  "site_id",
  "id",
  "email",
  "metadata",
  "colour",
];
const METADATA_KEYS = [
  "content_id",
  "page_path",
  "duration_seconds",
  "scroll_depth_percent",
  "channel",
  "consent_recorded",
  "email_hash",
  "platform",
  "share_type",
  "outbound_target",
  "prior_state",
  "new_state",
  "inactivity_days",
  "rule_id",
  "landing_page",
  "source_system",
  "score",
  "engagement_score",
  "leadScores",
  "scored_at",
  "sCORE",
  "priorState",
  "prior-state",
  "newState",
  "NEW STATE",
  "new__state",
  "rejection_reason",
  "original_payload_snapshot",
  "firstName",
  "userIP",
  "email_hash_kind",
  "ip_address",
  "x1phone",
  "severity",
  "app_version",
  "callback_number",
  "note",
  "search_term",
  "answers",
  "tracker",
  "tracking_consent",
  "é",
  "a@b.co",
];

/** A copy, which is much dearer to ask of what needs none. @param {unknown} value */
const copied = (value) => value !== null && typeof value === "object" ? structuredClone(value) : value;

/** Events that differ from the cases in one to three places. @param {number} count @param {readonly Case[]} cases @param {number} seed @returns {Sent[]} */
export function generated(count, cases, seed) {
  const next = random(seed);
  const one = (/** @type {readonly any[]} */ list) => list[Math.floor(next() * list.length)];
  const text = () => Array.from({ length: 1 + Math.floor(next() * 9) }, () => one(PIECES)).join("");
  const value = () => next() < 0.3 ? text() : one(VALUES);
  const seeds = cases.filter(({ violates, text }) =>
    violates?.every((id) => !id.startsWith("parse.")) && text.length < 3000
  );
  return Array.from({ length: count }, () => {
    const base = one(seeds);
    const event = JSON.parse(base.text.replace(/^\ufeff/, ""));
    for (let change = 1 + Math.floor(next() * 3); change > 0; change--) {
      const inside = next() < 0.6 && event.metadata !== null && typeof event.metadata === "object";
      const target = inside ? event.metadata : event;
      const key = one(inside ? METADATA_KEYS : KEYS);
      if (next() < 0.2) delete target[key];
      else {
        // This is a copy, because what one event puts into a value must not be in the next.
        target[key] = copied(
          next() < 0.1 ? { deep: [value()], [next() < 0.2 ? text() : one(METADATA_KEYS)]: value() } : value(),
        );
      }
    }
    return { text: JSON.stringify(event), caller: base.caller, callerId: base.callerId, origin: base.origin };
  });
}

/** Keys that a record must not show, or not as they are. */
const HOSTILE_KEYS = [
  "ada@example.com",
  "+14155552671",
  "[redacted:personal]",
  "[redacted:personal] 2",
  "[shortened:key]",
  "k".repeat(64),
  "k".repeat(65),
  "é".repeat(65),
  "\u0001".repeat(60),
  "~/a",
  "a/b~c",
  "first_name",
  "email",
  "4111",
  "1111",
  "",
  " ",
  "metadata",
  "prior_state",
];
/** Values that a record must not show, or has no room for. */
const HOSTILE_VALUES = [
  "ada@example.com",
  "+14155552671",
  "4111 1111 1111 1111",
  `${"9".repeat(250)}4111111111111111`,
  `${"x".repeat(250)} 4111111111111111 23`,
  "\u0001".repeat(300),
  "é".repeat(257),
  "😍".repeat(300),
  "x".repeat(5000),
  '\\"'.repeat(200),
  "[redacted:email]",
  "[shortened:nested]",
  "",
  null,
  true,
  1e300,
  1e-300,
  2.7120113372802734375e-5,
  4111111111111111,
  0.1,
  -0,
  12345678901234567890,
];

/** Events that try to make the record of their rejection large, personal or invalid. @param {number} count @param {number} seed @returns {Sent[]} */
export function hostile(count, seed) {
  const next = random(seed);
  const one = (/** @type {readonly any[]} */ list) => list[Math.floor(next() * list.length)];
  /** @returns {unknown} */
  const value = (/** @type {number} */ depth) => {
    const kind = next();
    if (depth > 0 && kind < 0.25) return object(depth - 1, 4);
    if (depth > 0 && kind < 0.4) return Array.from({ length: Math.floor(next() * 4) }, () => value(depth - 1));
    if (kind < 0.45) return Array.from({ length: 30 }, (_, index) => `${index}${"y".repeat(200)}`);
    return one(HOSTILE_VALUES);
  };
  /** @returns {Record<string, unknown>} */
  const object = (/** @type {number} */ depth, /** @type {number} */ most) =>
    Object.fromEntries(
      Array.from({ length: 1 + Math.floor(next() * most) }, () => [one(HOSTILE_KEYS), value(depth)]),
    );
  const nested = (/** @type {number} */ depth) => {
    let inner = value(1);
    for (let level = 0; level < depth; level++) inner = next() < 0.5 ? [inner] : { [one(HOSTILE_KEYS)]: inner };
    return inner;
  };
  return Array.from({ length: count }, () => {
    /** @type {Record<string, unknown>} */
    const event = {
      session_id: next() < 0.5 ? "session-0001" : one(HOSTILE_VALUES),
      event_type: next() < 0.7 ? "page_view" : one(HOSTILE_VALUES),
      event_category: next() < 0.7 ? "engagement" : one(HOSTILE_VALUES),
      event_source: next() < 0.7 ? "web" : one(HOSTILE_VALUES),
      metadata: next() < 0.1
        ? value(2)
        : { page_path: "/", ...object(3, 12), deep: next() < 0.3 ? nested(Math.floor(next() * 40)) : 1 },
    };
    for (
      const key of ["utm_source", "utm_campaign", "email", "id", "user_id", "site_id", "occurred_at", ...HOSTILE_KEYS]
    ) {
      if (next() < 0.12) event[key] = value(1);
    }
    if (next() < 0.3) event.id = "3F2B8C1E-5a4d-4f6b-9c7e-1d2a3b4c5d6e";
    const whole = next() < 0.03 ? value(2) : event;
    return { text: JSON.stringify(whole), caller: one(["trusted", "visitor"]) };
  });
}

/** How many events are held at a time. */
const PORTION = 10_000;

/**
 * The same, portion by portion, so that millions of events need no more room than thousands.
 *
 * @param {number} count @param {readonly Case[]} cases @param {number} seed
 */
export function* portions(count, cases, seed) {
  for (let done = 0; done < count; done += PORTION) {
    yield generated(Math.min(PORTION, count - done), cases, seed + done);
  }
}
