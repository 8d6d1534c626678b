#!/usr/bin/env node
/**
 * How a fold and the reads grow with the site: `npm run bench:growth`, with `-- --largest=1000000` for less.
 *
 * One site on a throwaway real Postgres grows from a hundred thousand events over 90 days to thirty million. At each size
 * a thousand events of its own people are folded, several times over, and every figure is read in UTC, in a zone that the
 * site counts as well, and in one that it does not. Writes bench/GROWTH.md and bench/growth.svg anew after each size, as it takes
 * hours to the end; with less than a million it only prints.
 */
import process from "node:process";
import { ingest } from "../tests/database/events.mjs";
import { asClient, startPostgres } from "../tests/database/postgres.mjs";
import { CALLS, REGISTERED } from "./analytics_calls.mjs";
import { arrivals, fold, processor } from "./analytics_load.mjs";
import { median } from "./analytics_report.mjs";
import { buildSite, SITE } from "./analytics_site.mjs";
import { report } from "./growth_report.mjs";

const GIVEN = Number(process.argv.find((word) => word.startsWith("--largest="))?.slice(10));
const SIZES = [100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000].filter((size) =>
  size <= (GIVEN || Infinity)
);
const FOLDS = 9;
const READS = 5;

const log = (/** @type {string} */ line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

/** @typedef {{ wall: number, cpu: number }} Cost in milliseconds */

const postgres = await startPostgres({
  version: 17,
  settings: {
    fsync: "on",
    shared_buffers: "512MB",
    max_wal_size: "2GB",
    checkpoint_timeout: "15min",
    maintenance_work_mem: "512MB",
    autovacuum: "off",
  },
});
process.on("SIGINT", () => postgres.stop().then(() => process.exit(130)));
try {
  await asClient(postgres.adminUrl, (client) => asClient(postgres.url, (sender) => grow(client, sender)));
} finally {
  await postgres.stop();
}

/** @param {import("pg").Client} client a superuser's @param {import("pg").Client} sender */
async function grow(client, sender) {
  await client.query("select audience_gate.add_site_zone($1, $2)", [SITE, REGISTERED]);
  const { rows: [{ version }] } = await client.query("select current_setting('server_version') as version");
  /** @type {import("./growth_report.mjs").Step[]} */
  const steps = [];
  let before = 0;
  for (const size of SIZES) {
    log(`growing to ${size.toLocaleString("en")} events`);
    await buildSite(client, size, before);
    before = size;
    log("making the figures");
    await makeFigures(client);
    steps.push({ ...await sizes(client), ...await measure(client, sender, size) });
    report(steps, { version, folds: FOLDS, reads: READS, print: GIVEN > 0 && GIVEN < 1_000_000 });
  }
}

/** From all events, into tables that are empty, so that they are as small as they can be. @param {import("pg").Client} client */
async function makeFigures(client) {
  const { rows: [{ tables }] } = await client.query(
    "select string_agg('audience_gate.' || t.name, ', ') as tables from audience_gate.figure_tables() t",
  );
  await client.query(`truncate ${tables}`);
  await client.query("select audience_gate.rebuild_figures()");
  await fold(postgres.adminUrl);
  await client.query("vacuum (analyze)");
}

/** @param {import("pg").Client} client */
async function sizes(client) {
  const { rows: [found] } = await client.query(
    `select (select count(*) from public.audience_events)::int as events,
       pg_total_relation_size('public.audience_events')::float8 as log,
       (select sum(pg_total_relation_size(('audience_gate.' || t.name)::regclass)) from audience_gate.figure_tables() t)::float8
         as figures`,
  );
  return found;
}

/** @param {import("pg").Client} client @param {import("pg").Client} sender @param {number} size */
async function measure(client, sender, size) {
  /** @type {Cost[]} */
  const folds = [];
  for (let round = 0; round < FOLDS; round++) {
    for (let sent = 0; sent < 1000; sent += 200) await ingest(sender, arrivals(size, 200));
    folds.push(await fold(postgres.adminUrl));
  }
  log(`folded in ${folds.map(({ cpu }) => Math.round(cpu)).join(", ")} ms of a processor`);
  for (let sent = 0; sent < 1000; sent += 200) await ingest(sender, arrivals(size, 200));
  /** @type {import("./growth_report.mjs").Read[]} */
  const reads = [];
  for (const { name, what, zone, call } of CALLS) {
    /** @type {Cost[]} */
    const costs = [];
    for (let index = 0; index < READS; index++) {
      const [spent, from] = [await processor(client), performance.now()];
      await client.query(`select * from public.${call}`, [SITE]);
      costs.push({ wall: performance.now() - from, cpu: await processor(client) - spent });
    }
    reads.push({ name, what, zone, cost: middle(costs) });
  }
  return { fold: middle(folds), reads };
}

/** @param {Cost[]} costs @returns {Cost} */
function middle(costs) {
  return { wall: median(costs.map(({ wall }) => wall)), cpu: median(costs.map(({ cpu }) => cpu)) };
}
