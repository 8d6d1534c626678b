#!/usr/bin/env node
/**
 * What archiving, detaching, restoring and loading cost: `npm run bench:archive -- [ROWS] [MONTHS]` on a throwaway
 * Postgres 17, with the release build. Prints Markdown.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import pg from "pg";
import { startPostgres } from "../tests/database/postgres.mjs";
import { applyArchive, begin, gate, monthBefore } from "../tests/scaling/archived.mjs";
import { operate, partition } from "../tests/scaling/partitioned.mjs";

const rows = Number(process.argv[2] ?? 200_000);
const months = Number(process.argv[3] ?? 4);
const folder = mkdtempSync(join(tmpdir(), "audience-gate-bench-"));
const archive = join(folder, "archive");
const postgres = await startPostgres();
const client = new pg.Client({ connectionString: postgres.url });
/** @type {[string, number, { seconds: number, peak: number }][]} what was done, to how many rows, at what cost */
const done = [];
try {
  await client.connect();
  await applyArchive(client);
  gate(postgres.url, "rules");
  await fill();
  await client.query("vacuum analyze public.audience_events");
  const { rows: [{ bytes }] } = await client.query(
    "select pg_total_relation_size('public.audience_events')::float8 as bytes",
  );

  done.push(["archive, with reading back", rows, await timed("archive", archive)]);
  done.push(["archive again: nothing to do", rows, await timed("archive", archive)]);
  done.push(["archive --verify", rows, await timed("archive", archive, "--verify")]);
  await partition(client);
  await operate(client, "drop_standby()");
  const month = await monthBefore(client, 2);
  done.push(["detach --drop, a month", rows / months, await timed("detach", archive, month, "--drop")]);
  done.push(["restore, a month", rows / months, await timed("restore", archive, month)]);

  const ndjson = join(folder, "history.ndjson");
  const { rows: lines } = await client.query(
    `select (to_jsonb(e) - array['created_at', 'rejected', 'contract'] || jsonb_build_object('occurred_at', e.created_at))::text as line
     from public.audience_events e where e.event_source = 'web'`,
  );
  writeFileSync(ndjson, lines.map(({ line }) => line + "\n").join(""));
  for (const [name, source] of [["Parquet", archive], ["NDJSON", ndjson]]) {
    for (const partitioned of [false, true]) {
      const other = await startPostgres();
      const second = new pg.Client({ connectionString: other.url });
      await second.connect();
      await applyArchive(second);
      if (partitioned) {
        await partition(second);
        await operate(second, "drop_standby()");
      }
      const cost = await timedOn(other.url, "load", source);
      done.push([`load ${name}, ${partitioned ? "partitioned" : "unpartitioned"}`, rows, cost]);
      await second.end();
      await other.stop();
    }
  }

  const parquet = readdirSync(archive, { recursive: true }).map(String).filter((name) => name.endsWith(".parquet"))
    .reduce((sum, name) => sum + statSync(join(archive, name)).size, 0);
  console.log(`${rows} rows over ${months} months, ${cpus().length} cores, Postgres 17, fsync off.\n`);
  console.log("| step | seconds | rows/s | memory of the command, MB |\n|---|---:|---:|---:|");
  for (const [step, count, { seconds, peak }] of done) {
    console.log(`| ${step} | ${seconds.toFixed(1)} | ${Math.round(count / seconds)} | ${Math.round(peak / 1024)} |`);
  }
  console.log(`\n${Math.round(parquet / rows)} bytes per event in Parquet, ${Math.round(bytes / rows)} in the table.`);
} finally {
  await client.end();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Events as a site has them: people, their sessions, a few pages and campaigns. */
async function fill() {
  await client.query("set role audience_gate_store");
  await client.query(
    `insert into public.audience_events (id, created_at, user_id, session_id, event_type, event_category, event_source,
       utm_source, utm_medium, utm_campaign, metadata, occurred_at, contract)
     select gen_random_uuid(), made.at, case when n % 3 = 0 then md5('user' || n / 60)::uuid end, md5('session' || n / 6),
       case when n % 4 = 0 then 'content_view' else 'page_view' end, 'engagement', 'web',
       case when n / 6 % 5 = 0 then 'newsletter' end, case when n / 6 % 5 = 0 then 'email' end,
       case when n / 6 % 5 = 0 then 'spring-' || n / 6 % 7 end,
       case when n % 4 = 0 then jsonb_build_object('content_id', 'article-' || n % 500, 'duration_seconds', 20 + n % 400,
           'scroll_depth_percent', n % 101)
         else jsonb_build_object('page_path', '/articles/' || n % 500, 'referrer', 'https://example.org/' || n % 50) end,
       made.at - interval '1 second', audience_gate.contract_fingerprint()
     from generate_series(1, ${rows}) n
     cross join lateral (
       select date_trunc('month', now(), 'UTC') - (n % ${months} + 1) * interval '1 month' + n * (interval '27 days' / ${rows}) as at
     ) made`,
  );
  await client.query("reset role");
}

/** @param {string[]} words */
function timed(...words) {
  return timedOn(postgres.url, ...words);
}

/** How long a command takes, and how much memory it uses at most. @param {string} url @param {string[]} words */
async function timedOn(url, ...words) {
  const start = performance.now();
  const child = begin(url, ...words);
  let peak = 0;
  const status = `/proc/${child.pid}/status`;
  const watch = setInterval(() => {
    if (existsSync(status)) peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, "utf8"))?.[1] ?? peak);
  }, 20);
  const code = await new Promise((resolve) => child.once("exit", resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}: ${gate(url, ...words).stderr}`);
  return { seconds: (performance.now() - start) / 1000, peak };
}
