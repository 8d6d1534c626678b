#!/usr/bin/env node
/**
 * What ingest notices of a back-test: `npm run bench:back-test -- [EVENTS] [SECONDS]`, over a million stored events unless told
 * otherwise. One client sends a batch of twenty events ten times a second; in every other turn another asks
 * `public.audience_back_test()` for page after page, waiting for as long as the last one took. It prints how long a batch took
 * in each kind of turn, and how many events the back-test read.
 */
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { event, ingest } from "../tests/database/events.mjs";
import { asClient, startPostgres } from "../tests/database/postgres.mjs";

const EVENTS = Number(process.argv[2] ?? 1_000_000);
const SECONDS = Number(process.argv[3] ?? 15);
const TURNS = 6;
const SCHEMA = {
  properties: {
    metadata: { properties: { page_path: { pattern: "^/shop/[0-9]+$", maxLength: 40 } }, required: ["page_path"] },
  },
};

const STORED = `
  insert into public.audience_events
    (id, created_at, session_id, event_type, event_category, event_source, metadata, site_id, contract)
  select gen_random_uuid(), now() - interval '30 days' + n * interval '30 days' / $1::int, 'session-' || n / 6, 'page_view', 'engagement',
    'source-' || n % 40, jsonb_build_object('page_path', case when n % 3 = 0 then '/blog/' else '/shop/' end || n % 900),
    audience_gate.default_site(), audience_gate.contract_fingerprint()
  from generate_series(1, $1::int) n`;

/** @param {number[]} values @param {number} share */
const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? NaN;
const shown = (/** @type {number[]} */ values) =>
  [0.5, 0.95, 0.99].map((share) => `p${share * 100} ${quantile(values, share).toFixed(1)} ms`).join(", ");

const postgres = await startPostgres();
try {
  await asClient(postgres.adminUrl, async (client) => {
    await client.query("set session_replication_role = replica");
    await client.query("set synchronous_commit = off");
    await client.query(STORED, [EVENTS]);
    await client.query("vacuum (analyze) public.audience_events");
  });
  /** @type {number[]} */
  const alone = [];
  /** @type {number[]} */
  const beside = [];
  /** @type {number[]} */
  const pages = [];
  /** @type {{ found: { examined: number, refused: number, next: unknown } | null }} */
  const so_far = { found: null };
  for (let turn = 0; turn < TURNS; turn += 1) {
    const until = performance.now() + SECONDS * 1000;
    const asking = turn % 2 === 0 ? undefined : asClient(postgres.url, async (client) => {
      while (performance.now() < until && so_far.found?.next !== null) {
        const begun = performance.now();
        const { rows: [row] } = await client.query(
          "select public.audience_back_test(schema => $1, so_far => $2) as found",
          [
            SCHEMA,
            so_far.found,
          ],
        );
        so_far.found = row.found;
        pages.push(performance.now() - begun);
        await pause(performance.now() - begun);
      }
    });
    await asClient(postgres.url, async (client) => {
      for (let at = performance.now(); at < until; at += 100) {
        await pause(Math.max(0, at - performance.now()));
        const begun = performance.now();
        await ingest(client, Array.from({ length: 20 }, () => event()));
        (turn % 2 === 0 ? alone : beside).push(performance.now() - begun);
      }
    });
    await asking;
  }
  console.log(`ingest alone:               ${shown(alone)}, of ${alone.length} batches`);
  console.log(`ingest beside a back-test:  ${shown(beside)}, of ${beside.length} batches`);
  console.log(
    `pages: ${
      shown(pages)
    }, of ${pages.length}; ${so_far.found?.examined} of ${EVENTS} events read, ${so_far.found?.refused} refused`,
  );
} finally {
  await postgres.stop();
}
