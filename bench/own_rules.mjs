#!/usr/bin/env node
/**
 * What rules of an install's own cost: `npm run bench:own-rules`, with `-- 101` for as many rounds.
 *
 * Each engine judges the same page views with no such rule and with twenty on that type, in turns. Writes
 * bench/OWN_RULES.md.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { cpus } from "node:os";
import process from "node:process";
import pg from "pg";
import { check, judge, loadRegistry } from "../pkg/inline.js";
import { startPostgres } from "../tests/database/postgres.mjs";
import { registry } from "../tests/package/cases.mjs";
import { publish, record } from "./history.mjs";
import { pageViews, REQUEST, TYPE } from "./own_rules/events.mjs";
import { refusedBy, rowsOf, RULES } from "./own_rules/rules.mjs";

const EVENTS = 1000;
const ROUNDS = Number(process.argv[2] ?? 201);

/** How long an event takes with no rule and with all, in microseconds. @typedef {{ bare: number[], ruled: number[] }} Times */
/** @typedef {{ engine: string, bare: number, ruled: number, ratio: number, most: number }} Measured */

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/** @param {string} engine @param {number} most @param {Times} times @returns {Measured} */
const measured = (engine, most, { bare, ruled }) => ({
  engine,
  bare: median(bare),
  ruled: median(ruled),
  ratio: median(ruled) / median(bare),
  most,
});

/** The module, with one or the other registry, which is loaded outside the time. @returns {Measured} */
function inModule() {
  const views = pageViews(EVENTS);
  const context = { ...REQUEST, seed: new Uint8Array(16) };
  const settings = { bare: registry(), ruled: { ...registry(), own_rules: rowsOf(TYPE) } };
  loadRegistry(settings.ruled);
  const violated = (/** @type {string} */ text) => check(text, null, REQUEST).violations.map(({ rule_id }) => rule_id);
  assert.deepEqual(views.flatMap(violated), [], "every page view satisfies all rules");
  const whole = JSON.parse(views[0] ?? "");
  const unfelt = RULES.filter((rule) => !violated(JSON.stringify(refusedBy(whole, rule))).includes(rule.id));
  assert.deepEqual(unfelt, [], "every rule refuses what it should");

  const body = new TextEncoder().encode(`[${views.join(",")}]`);
  /** @type {Times} */
  const times = { bare: [], ruled: [] };
  for (let round = -ROUNDS / 4; round < ROUNDS; round++) {
    for (const name of /** @type {const} */ (["bare", "ruled"])) {
      loadRegistry(settings[name]);
      judge(body, context);
      const begun = performance.now();
      judge(body, context);
      if (round >= 0) times[name].push((performance.now() - begun) * 1000 / EVENTS);
    }
  }
  return measured("module", 1.5, times);
}

/** Postgres: rows that are inserted into the enforced table, and the rules alone beside the payload schema's. @returns {Promise<Measured[]>} */
async function inPostgres() {
  const server = await startPostgres({ version: 17 });
  const client = new pg.Client({ connectionString: server.url });
  try {
    await client.connect();
    await client.query("set role service_role");
    await client.query(
      `insert into public.audience_own_rules (id, event_type, schema, mode, reasons)
       select r.id, r.event_type, r.schema, 'off', r.reasons
       from jsonb_to_recordset($1) as r (id text, event_type text, schema jsonb, reasons jsonb)`,
      [JSON.stringify(rowsOf(TYPE))],
    );
    /** @type {Times} */
    const inserted = { bare: [], ruled: [] };
    /** @type {Times} */
    const asked = { bare: [], ruled: [] };
    const rounds = Math.ceil(ROUNDS / 10);
    for (let round = -2; round < rounds; round++) {
      for (const [name, mode] of /** @type {const} */ ([["bare", "off"], ["ruled", "enforce"]])) {
        await client.query("update public.audience_own_rules set mode = $1", [mode]);
        await insertViews(client);
        const micros = await insertViews(client);
        if (round >= 0) inserted[name].push(micros);
      }
      for (const name of /** @type {const} */ (["bare", "ruled"])) {
        const micros = await ask(client, name);
        if (round >= 0) asked[name].push(micros);
      }
    }
    return [
      measured("direct insert", 1.5, inserted),
      measured("SQL alone, beside the payload schema", 1.2, asked),
    ];
  } finally {
    await client.end();
    await server.stop();
  }
}

/** Inserts page views that happen now; microseconds a row. @param {pg.Client} client */
async function insertViews(client) {
  const now = Date.now();
  const events = pageViews(EVENTS).map((text, index) => ({
    ...JSON.parse(text),
    id: randomUUID(),
    session_id: randomUUID(),
    occurred_at: new Date(now - index * 100).toISOString(),
  }));
  const begun = performance.now();
  const { rowCount } = await client.query(
    `insert into public.audience_events (id, site_id, session_id, event_type, event_category, event_source, utm_source,
       utm_medium, utm_campaign, occurred_at, metadata)
     select r.id, r.site_id, r.session_id, r.event_type, r.event_category, r.event_source, r.utm_source, r.utm_medium,
       r.utm_campaign, r.occurred_at, r.metadata
     from jsonb_populate_recordset(null::public.audience_events, $1) r`,
    [JSON.stringify(events)],
  );
  const micros = (performance.now() - begun) * 1000 / EVENTS;
  assert.equal(rowCount, EVENTS);
  const { rows: [{ rejected }] } = await client.query(
    "select count(*)::integer as rejected from public.audience_events where rejected",
  );
  assert.equal(rejected, 0, "every row is accepted");
  return micros;
}

/** The schema of the type, or the rules, for one event again and again; microseconds each. @param {pg.Client} client @param {keyof Times} what */
async function ask(client, what) {
  const [view = "{}"] = pageViews(EVENTS);
  const { rows: [{ micros }] } = await client.query(
    `with sent as materialized (
       select $1::jsonb as event, types.payload_schema as schema, clock_timestamp() as begun
       from public.audience_event_types types where types.id = $2
     ),
     judged as materialized (
       select count(*) filter (where ${
      what === "bare"
        ? "audience_gate.payload_agrees(sent.schema, sent.event -> 'metadata')"
        : "audience_gate.own_violations(sent.event, null, 'enforce') = '{}'"
    }) as fine from sent cross join generate_series(1, 10000) call
     )
     select judged.fine::integer as fine, extract(epoch from clock_timestamp() - sent.begun)::float8 * 1e6 / 10000 as micros
     from sent cross join judged`,
    [view, TYPE],
  );
  return micros;
}

const engines = [inModule(), ...await inPostgres()];

const rows = engines.map(({ engine, bare, ruled, ratio, most }) =>
  `| ${[engine, bare.toFixed(2), ruled.toFixed(2), `${ratio.toFixed(2)}×`, `${most}×`].join(" | ")} |`
);
const report = `<!-- Written by \`npm run bench:own-rules\`. -->

# What rules of an install's own cost

| engine | without, µs an event | with twenty, µs an event | times as long | may be |
| --- | --: | --: | --: | --: |
${rows.join("\n")}

Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}.
Page views of about 515 bytes, ${
  EVENTS.toLocaleString("en")
} in a body, all accepted; medians of ${ROUNDS} rounds, in each of which
they are judged without and with the rules; a tenth as many in Postgres 17. \`bench/own_rules/rules.mjs\` lists these: keys that are required, lists of values, lengths,
bounds, a pattern, values within objects and arrays, and what holds only if something else does.
`;
console.log(report);
publish("OWN_RULES.md", report);
record(
  "own-rules",
  Object.fromEntries(engines.flatMap(({ engine, ruled, ratio }) => [
    [`${engine} with twenty rules, µs an event`, { value: ruled, better: "lower" }],
    [`${engine}, times as long as without`, { value: ratio, better: "lower" }],
  ])),
);
