// Every engine gives the same list of rules for every event. Each is compared with the written corpus first, then with
// the others on generated events, which a seed repeats: AUDIENCE_GATE_SEED=… npm test -- database.
// AUDIENCE_GATE_EVENTS=… generates more of them than usual.
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, test } from "node:test";
import { judge, loadRegistry } from "../../pkg/inline.js";
import { expected } from "../package/cases.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";
import { size } from "../long.mjs";

const { registry, receivedAt, cases } = expected();
const GENERATED = Number(process.env.AUDIENCE_GATE_EVENTS ?? size({ short: 4000, long: 100_000 }));
const seed = Number(process.env.AUDIENCE_GATE_SEED ?? Date.now() % 2 ** 31);

// Faults that only the text shows: Postgres refuses these before any rule is applied, or reads a value that hides them.
const ONLY_IN_TEXT = new Set(["parse.json", "parse.text", "parse.duplicate_key"]);

/** @typedef {{ text: string, caller?: string, callerId?: string | null, origin?: string | null }} Sent */

/** What the database says about events, in one round trip. @param {import("pg").Client} client @param {Sent[]} sent @returns {Promise<string[][]>} */
async function bySql(client, sent) {
  const { rows } = await client.query(
    `select audience_gate.violations(event::jsonb, caller, caller_id::uuid, origin, $5) as violated
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as t(event, caller, caller_id, origin, place)
     order by place`,
    [
      sent.map(({ text }) => text.replace(/^\ufeff/, "")),
      sent.map(({ caller }) => caller ?? "trusted"),
      sent.map(({ callerId }) => callerId ?? null),
      sent.map(({ origin }) => origin ?? null),
      new Date(receivedAt).toISOString(),
    ],
  );
  return rows.map(({ violated }) => violated);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIME =
  /^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-]0[0-9]:[0-5][0-9])$/;
/** What each column of the table accepts, so that an event can be put into a row. @type {Record<string, RegExp>} */
const COLUMNS = {
  ...Object.fromEntries(["id", "user_id", "site_id"].map((key) => [key, UUID])),
  occurred_at: TIME,
  ...Object.fromEntries(
    ["session_id", "event_type", "event_category", "event_source"].concat(
      ["source", "medium", "campaign", "content", "term"].map((tag) => `utm_${tag}`),
    ).map((key) => [key, /^/]),
  ),
};

/** Whether a row of the table can hold an event. @param {Sent} sent */
function fitsRow({ text }) {
  const event = JSON.parse(text);
  return Object.entries(event).every(([key, value]) =>
    key === "metadata" ||
    (key in COLUMNS && (value === null || (typeof value === "string" && COLUMNS[key].test(value))))
  );
}

/** What the trigger's function says about the rows of events. @param {import("pg").Client} client @param {Sent[]} sent @returns {Promise<string[][]>} */
async function byRow(client, sent) {
  const { rows } = await client.query(
    `select audience_gate.row_violations(
       jsonb_populate_record(null::public.audience_events,
         '{"site_id": "00000000-0000-4000-8000-000000000001"}' || jsonb_strip_nulls(event::jsonb - 'metadata')
           || jsonb_build_object('metadata', event::jsonb -> 'metadata')),
       caller, caller_id::uuid, origin, $5) as violated
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as t(event, caller, caller_id, origin, place)
     order by place`,
    [
      sent.map(({ text }) => text),
      sent.map(({ caller }) => caller ?? "trusted"),
      sent.map(({ callerId }) => callerId ?? null),
      sent.map(({ origin }) => origin ?? null),
      new Date(receivedAt).toISOString(),
    ],
  );
  return rows.map(({ violated }) => violated);
}

/** What the module says about an event. @param {Sent} sent @returns {string[]} */
function byWasm({ text, caller = "trusted", callerId = null, origin = null }) {
  const context = /** @type {import("../../pkg/inline.js").JudgeContext} */ ({
    caller,
    callerId,
    origin,
    receivedAt,
    seed: new Uint8Array(16).fill(7),
  });
  const { answer } = judge(new TextEncoder().encode(text), context);
  return JSON.parse(new TextDecoder().decode(answer)).results[0].violations ?? [];
}

/** A source of numbers below 1 that a seed repeats. @param {number} state */
function random(state) {
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
  "note",
  "é",
  "a@b.co",
];

/** Events that differ from the corpus in one to three places. @param {number} count @returns {Sent[]} */
function generated(count) {
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
        target[key] = structuredClone(
          next() < 0.1 ? { deep: [value()], [next() < 0.2 ? text() : one(METADATA_KEYS)]: value() } : value(),
        );
      }
    }
    return { text: JSON.stringify(event), caller: base.caller, callerId: base.callerId, origin: base.origin };
  });
}

/** Fails with every event on which two lists differ. @param {{ sent: Sent, left: string[], right: string[] }[]} pairs @param {string} names */
function agree(pairs, names) {
  const wrong = pairs.filter(({ left, right }) => left.join() !== right.join());
  const shown = wrong.slice(0, 10).map(({ sent, left, right }) => `${JSON.stringify(sent)}\n  ${left}\n  ${right}`);
  assert.equal(wrong.length, 0, `${names} disagree on ${wrong.length} of ${pairs.length} events:\n${shown.join("\n")}`);
}

loadRegistry(JSON.stringify(registry));

for (const version of VERSIONS) {
  /** @type {Awaited<ReturnType<typeof startPostgres>>} */
  let server;
  before(async () => {
    server = await startPostgres({ version });
  });
  after(() => server.stop());

  test(`Postgres ${version} finds in every case of the corpus what is listed with it`, async () => {
    const judged = cases.filter(({ violates, first, only_in_text }) =>
      !only_in_text && !(violates ?? [first]).some((id) => ONLY_IN_TEXT.has(String(id))) && (first !== "parse.number")
    );
    const found = await asClient(server.url, (client) => bySql(client, judged));
    agree(
      judged.map((sent, index) => ({
        sent,
        left: sent.violates ?? [String(sent.first)],
        right: sent.violates ? found[index] : found[index].slice(0, 1),
      })),
      "the corpus and the database",
    );
  });

  test(`Postgres ${version} and the module agree on ${GENERATED} generated events (seed ${seed})`, async () => {
    const events = generated(GENERATED);
    const found = await asClient(server.url, (client) => bySql(client, events));
    agree(
      events.map((sent, index) => ({ sent, left: byWasm(sent), right: found[index] })),
      "the module and the database",
    );
  });

  test(`Postgres ${version} finds the same in a row as in the document (seed ${seed})`, async () => {
    const written = cases.filter(({ violates, text }) =>
      violates && !violates.some((id) => ONLY_IN_TEXT.has(id)) && text.startsWith("{")
    );
    const events = [...written, ...generated(GENERATED)].filter(fitsRow);
    assert.ok(events.length > GENERATED / 4, `only ${events.length} events fit a row`);
    const [rows, documents] = await asClient(
      server.url,
      async (client) => [await byRow(client, events), await bySql(client, events)],
    );
    agree(events.map((sent, index) => ({ sent, left: rows[index], right: documents[index] })), "row and document");
  });
}
