#!/usr/bin/env node
/**
 * What the move onto monthly partitions costs, and the batch function before and after it:
 * `node bench/partitions.mjs [ROWS] [MONTHS]` on a throwaway Postgres 17. Prints Markdown.
 */
import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import process from "node:process";
import pg from "pg";
import { event, ingest } from "../tests/database/events.mjs";
import { startPostgres } from "../tests/database/postgres.mjs";
import { applyScripts, load, operate } from "../tests/scaling/partitioned.mjs";

const rows = Number(process.argv[2] ?? 100_000);
const months = Number(process.argv[3] ?? 24);
const BATCH = 100;
const BATCHES = 40;

const postgres = await startPostgres();
const client = new pg.Client({ connectionString: postgres.url });
try {
  await client.connect();
  await applyScripts(client);
  await load(
    client,
    `select gen_random_uuid(), now() - n * (interval '${months} months' / ${rows}), 'session-' || n / 5, 'page_view',
       'engagement', 'web', '{"page_path": "/pricing"}' from generate_series(1, ${rows}) n`,
  );
  await client.query("analyze public.audience_events");

  const lines = [];
  lines.push(["ingest, unpartitioned", await ingesting()]);
  lines.push(["begin_move()", await timed(() => operate(client, "begin_move()"))]);
  lines.push(["ingest, while both are written", await ingesting()]);
  const copying = await timed(() => operate(client, `copy_events('{"max_seconds": 600}')`));
  lines.push(["copy_events()", copying]);
  lines.push(["verify_move()", await timed(() => operate(client, "verify_move()"))]);
  lines.push(["swap_events()", await timed(() => operate(client, "swap_events()"))]);
  lines.push(["drop_standby()", await timed(() => operate(client, "drop_standby()"))]);
  await client.query("analyze public.audience_events");
  lines.push(["ingest, partitioned", await ingesting()]);

  console.log(`${rows} rows over ${months} months, ${cpus().length} cores, Postgres 17, fsync off.`);
  console.log(`Ingest is the median of ${BATCHES} batches of ${BATCH} events.\n`);
  console.log("| step | ms |\n|---|---:|");
  for (const [step, ms] of lines) console.log(`| ${step} | ${Number(ms).toFixed(1)} |`);
} finally {
  await client.end();
  await postgres.stop();
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function ingesting() {
  await client.query("set role service_role");
  const times = [];
  for (let i = 0; i < BATCHES; i++) {
    const batch = Array.from({ length: BATCH }, () => event());
    times.push(await timed(() => ingest(client, batch)));
  }
  await client.query("reset role");
  return times.sort((a, b) => a - b)[BATCHES / 2];
}
