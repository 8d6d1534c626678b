// What is recorded about a rejection is the same whichever engine records it: the places, the redaction, the digest, the
// snapshot. Each row is itself a valid system event. AUDIENCE_GATE_SEED=… and AUDIENCE_GATE_EVENTS=… as in the
// differential test.
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, test } from "node:test";
import { check, judge, loadRegistry } from "../../pkg/inline.js";
import { expected } from "../package/cases.mjs";
import { hostile, portions } from "./generated.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";
import { size } from "../long.mjs";

const { registry, receivedAt, cases } = expected();
const GENERATED = Number(process.env.AUDIENCE_GATE_EVENTS ?? size({ short: 1000, long: 100_000 }));
const seed = Number(process.env.AUDIENCE_GATE_SEED ?? Date.now() % 2 ** 31);
/** Faults that Postgres refuses before any rule is applied, or cannot see any more. */
const ONLY_IN_TEXT = new Set(["parse.json", "parse.text", "parse.duplicate_key", "parse.number"]);

/** @typedef {import("./generated.mjs").Sent} Sent */
/** @typedef {{ session_id: string, metadata: Record<string, any> }} Row */

/** The audit row that the module writes about an event; null if it accepts it. @param {Sent} sent @returns {Row | null} */
function byModule({ text, caller = "trusted", callerId = null, origin = null }) {
  const context = /** @type {import("../../pkg/inline.js").JudgeContext} */ ({
    caller,
    callerId,
    origin,
    receivedAt,
    seed: new Uint8Array(16).fill(7),
  });
  const { argument } = judge(new TextEncoder().encode(text), context);
  return JSON.parse(new TextDecoder().decode(argument)).batch.rejected[0] ?? null;
}

/**
 * The audit rows that the database writes about events which violate these rules, in one round trip.
 *
 * @param {import("pg").Client} client @param {{ sent: Sent, row: Row }[]} rejected @returns {Promise<{ row: Row, text: string }[]>}
 */
async function bySql(client, rejected) {
  const { rows } = await client.query(
    `select audience_gate.audit_session(case when jsonb_typeof(event -> 'session_id') = 'string' then event ->> 'session_id' end, rules)
         as session_id,
       metadata, metadata::text as text, octet_length(metadata::text) as bytes
     from (
       select sent::jsonb as event, array(select jsonb_array_elements_text(listed::jsonb)) as rules, place
       from unnest($1::text[], $2::text[]) with ordinality as t (sent, listed, place)
       offset 0
     ) e
     -- Written once, not once for each column that is read of it.
     cross join lateral (select audience_gate.rejection_metadata(event, rules, 'edge-function') as metadata offset 0) m
     order by place`,
    [
      rejected.map(({ sent }) => sent.text.replace(/^\ufeff/, "")),
      rejected.map(({ row }) => JSON.stringify(rulesOf(row))),
    ],
  );
  return rows.map(({ session_id, metadata, text, bytes }) => {
    assert.ok(bytes <= 8192, `an audit row of ${bytes} bytes`);
    return { row: { session_id, metadata }, text };
  });
}

/** @param {Row} row @returns {string[]} */
function rulesOf({ metadata }) {
  return metadata.violations.map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id);
}

/** What the contract says against an audit row, as the database keeps it. @param {string} session @param {string} metadata */
function faults(session, metadata) {
  const event = `{"session_id":${
    JSON.stringify(session)
  },"event_type":"event_validation_fail","event_category":"system","event_source":"database","metadata":${metadata}}`;
  return check(event, null, { receivedAt }).violations;
}

/** Fails with the rows on which two engines differ, or that the contract refuses. @param {Sent[]} events @param {import("pg").Client} client */
async function compare(events, client) {
  // A list is a body of many events, not an event.
  const rejected = events.filter(({ text }) => !/^\s*\[/.test(text)).flatMap((sent) => {
    const row = byModule(sent);
    return row && !rulesOf(row).some((id) => ONLY_IN_TEXT.has(id)) ? [{ sent, row }] : [];
  });
  const found = await bySql(client, rejected);
  const wrong = rejected.flatMap(({ sent, row }, index) => {
    const { session_id, metadata } = row;
    const module = { session_id, metadata };
    const { row: database, text } = found[index];
    const refused = [...faults(session_id, JSON.stringify(metadata)), ...faults(database.session_id, text)];
    const differ = JSON.stringify(sorted(module)) !== JSON.stringify(sorted(database));
    return differ || refused.length > 0 ? [{ refused, ...difference(module, database), sent }] : [];
  });
  assert.equal(
    wrong.length,
    0,
    `${wrong.length} of ${rejected.length} audit rows differ or violate the contract:\n${
      wrong.slice(0, 8).map((one) => JSON.stringify(one).slice(0, 4000)).join("\n")
    }`,
  );
  return rejected.length;
}

/** The parts in which two rows differ. @param {Row} module @param {Row} database */
function difference(module, database) {
  /** @type {Record<string, unknown>} */
  const left = { session_id: module.session_id, ...module.metadata };
  /** @type {Record<string, unknown>} */
  const right = { session_id: database.session_id, ...database.metadata };
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  const differing = keys.filter((key) => JSON.stringify(sorted(left[key])) !== JSON.stringify(sorted(right[key])));
  return {
    module: Object.fromEntries(differing.map((key) => [key, left[key]])),
    database: Object.fromEntries(differing.map((key) => [key, right[key]])),
  };
}

/** A value with the keys of its objects in order. @param {any} value @returns {any} */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

loadRegistry(JSON.stringify(registry));

for (const version of VERSIONS) {
  /** @type {Awaited<ReturnType<typeof startPostgres>>} */
  let server;
  before(async () => {
    server = await startPostgres({ version });
  });
  after(() => server.stop());

  test(`Postgres ${version} records each rejected case of the corpus as the module does`, async () => {
    const written = cases.filter(({ text, only_in_text }) => !only_in_text && !/^[\ufeff[]/.test(text));
    const count = await asClient(server.url, (client) => compare(written, client));
    assert.ok(count > 100, `only ${count} cases`);
  });

  test(`Postgres ${version} and the module record the same of ${GENERATED} generated events (seed ${seed})`, async () => {
    let count = 0;
    await asClient(server.url, async (client) => {
      for (const events of portions(GENERATED, cases, seed)) count += await compare(events, client);
    });
    assert.ok(count > GENERATED / 4, `only ${count} events are rejected`);
  });

  test(`Postgres ${version} records a valid row of whatever the log refuses, however deep it is nested`, async () => {
    const nested = (/** @type {number} */ depth) => `${"[".repeat(depth - 2)}1${"]".repeat(depth - 2)}`;
    const depths = Array.from({ length: 30 }, (_, index) => index + 3);
    const events = depths.map((depth) =>
      `{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/","nested":${
        nested(depth)
      }}}`
    );
    assert.deepEqual(events.flatMap((event) => check(event, null, { receivedAt }).violations), []);
    const { rows } = await asClient(server.url, (client) =>
      client.query(
        `select audience_gate.refused_metadata(event::jsonb,
           audience_gate.rejection_metadata('{}', array['duplicate.double_fire'], 'database'))::text as metadata
         from unnest($1::text[]) with ordinality as t (event, place) order by place`,
        [events],
      ));
    assert.deepEqual(rows.flatMap(({ metadata }) => faults("session-0001", metadata)), []);
    const whole = rows.filter(({ metadata }) => JSON.parse(metadata).original_payload_snapshot.metadata?.nested);
    assert.equal(whole.length, depths.filter((depth) => depth <= 8).length);
  });

  test(`Postgres ${version} and the module record the same of hostile events (seed ${seed})`, async () => {
    const events = hostile(Math.min(10_000, Math.ceil(GENERATED / 10)), seed);
    const count = await asClient(server.url, (client) => compare(events, client));
    assert.ok(count > events.length / 2, `only ${count} events are rejected`);
  });
}
