#!/usr/bin/env node
/**
 * What the analytics cost: `npm run bench:analytics`, with `-- --large` for ten million events instead of one.
 *
 * On a throwaway real Postgres that syncs to disk: builds the site, refreshes the views, reads every function and
 * view under EXPLAIN (ANALYZE, BUFFERS), sets them beside plain queries, and folds while batches are sent.
 * Writes bench/ANALYTICS.md (bench/ANALYTICS-10M.md with --large); with `-- --events=20000` it only prints.
 * `-- --server=postgresql://…` measures on a server that holds such a site and its refreshed views already.
 */
import process from "node:process";
import { ingest } from "../tests/database/events.mjs";
import { asClient, startPostgres } from "../tests/database/postgres.mjs";
import { CALLS, NARROWED, NARROWINGS, range, REGISTERED } from "./analytics_calls.mjs";
import { arrivals, fold, processor } from "./analytics_load.mjs";
import { instead } from "./analytics_instead.mjs";
import { foldsOfOne } from "./analytics_person.mjs";
import { median, report, sorted } from "./analytics_report.mjs";
import { buildSite, PLAIN, SITE, siteSize } from "./analytics_site.mjs";

/** @typedef {import("./analytics_report.mjs").Run} Run */
/** @typedef {import("./analytics_report.mjs").Read} Read */

const LARGE = process.argv.includes("--large");
const GIVEN = Number(process.argv.find((word) => word.startsWith("--events="))?.slice(9));
const EVENTS = GIVEN || (LARGE ? 10_000_000 : 1_000_000);
const SERVER = process.argv.find((word) => word.startsWith("--server="))?.slice(9);
const READS = 11;
/** How many events a turn of sending records: two seconds' worth, so that there are folds in each turn beside them. */
const SENT = 30_000;
/** How long the folds beside a sender are apart. */
const PAUSE = 1000;

const log = (/** @type {string} */ line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

if (SERVER) {
  await asClient(SERVER, (client) => asClient(SERVER, (sender) => measure(SERVER, client, sender)));
} else {
  const postgres = await startPostgres({
    version: 17,
    settings: { fsync: "on", shared_buffers: "512MB", max_wal_size: "4GB", checkpoint_timeout: "15min" },
  });
  process.on("SIGINT", () => postgres.stop().then(() => process.exit(130)));
  try {
    await asClient(postgres.adminUrl, async (client) => {
      log(`building ${EVENTS.toLocaleString("en")} events`);
      await buildSite(client, EVENTS);
      await client.query("select audience_gate.add_site_zone($1, $2)", [SITE, REGISTERED]);
      log("the first refresh");
      await client.query("select audience_gate.refresh_analytics()");
      await client.query("vacuum (analyze)");
      await asClient(postgres.url, (sender) => measure(postgres.adminUrl, client, sender));
    });
  } finally {
    await postgres.stop();
  }
}

/** @param {string} url @param {import("pg").Client} client @param {import("pg").Client} sender */
async function measure(url, client, sender) {
  const built = await siteSize(client);
  const { rows: [{ version }] } = await client.query("select current_setting('server_version') as version");
  const { rows: [{ first }] } = await client.query(
    `select sum(duration_ms)::float8 as first from audience_gate.analytics_runs
     where covered_until = (select min(covered_until) from audience_gate.analytics_runs)`,
  );

  /** @type {{ wall: number, cpu: number }[]} */
  const refreshes = [];
  const refresh = async () => {
    const before = await processor(client);
    const { rows: [{ result }] } = await client.query("select audience_gate.refresh_analytics() as result");
    if (result.outcome !== "ok") throw new Error(`refresh: ${JSON.stringify(result)}`);
    refreshes.push({ wall: result.duration_ms, cpu: await processor(client) - before });
    log(`refreshed in ${result.duration_ms} ms`);
  };
  /** @type {Run[]} */
  const folds = [];
  if (!SERVER) {
    for (let round = 0; round < 9; round++) {
      await ingest(sender, arrivals(EVENTS, 1000));
      folds.push(await fold(url));
    }
    log(`folded in ${folds.map(({ wall }) => wall).join(", ")} ms`);
    for (let round = 0; round < 3; round++) {
      await ingest(sender, arrivals(EVENTS, 1000));
      await refresh();
    }
  }
  const { rows: views } = await client.query(
    `select view_name, duration_ms::float8 as duration, row_count::int as rows,
       (select a.attname from pg_catalog.pg_attribute a where a.attrelid = ('audience_gate.' || view_name)::regclass
        and a.attname in ('slot', 'day', 'cohort') order by a.attname desc limit 1) as period,
       pg_size_pretty(pg_total_relation_size(('audience_gate.' || view_name)::regclass)) as size
     from audience_gate.analytics_runs
     where covered_until = (select max(covered_until) from audience_gate.analytics_runs) and view_name <> 'figures'
     order by id desc`,
  );
  const { rows: tables } = await client.query(
    `select c.relname as name, c.reltuples::int as rows, pg_size_pretty(pg_total_relation_size(c.oid)) as size
     from pg_catalog.pg_class c
     where c.relnamespace = 'audience_gate'::regnamespace and c.relname in (select t.name from audience_gate.figure_tables() t)
     order by pg_total_relation_size(c.oid) desc`,
  );

  log("erasing");
  /** @type {Run[]} */
  const erasures = [];
  const { rows: members } = await client.query(
    `select user_id from public.audience_events where user_id is not null and site_id = $1
     group by 1 having count(*) between 10 and 50 order by md5(user_id::text) limit 5`,
    [SITE],
  );
  for (const { user_id } of SERVER ? [] : members) {
    const [before, from] = [await processor(client), performance.now()];
    await client.query("select audience_gate.erase_subject('user_id', $1, 'benchmark')", [user_id]);
    erasures.push({ wall: performance.now() - from, cpu: await processor(client) - before });
  }

  // A live tail as long as the settings allow: a minute's worth of arrivals, and some more.
  for (let index = 0; index < 5; index++) await ingest(sender, arrivals(EVENTS, 200));
  log("reading");
  /** @type {Read[]} */
  const reads = [];
  for (const { name, what, zone, call } of CALLS) {
    const times = [];
    const before = await processor(client);
    for (let index = 0; index < READS; index++) {
      const from = performance.now();
      await client.query(`select * from public.${call}`, [SITE]);
      times.push(performance.now() - from);
    }
    const cpu = (await processor(client) - before) / READS;
    const { rows: [{ "QUERY PLAN": [plan] }] } = await client.query(
      `explain (analyze, buffers, format json) select * from public.${call}`,
      [SITE],
    );
    const plain = zone === "UTC" && (what.startsWith("30") && name in PLAIN && !reads.some((read) =>
            read.name === name && read.plain
          ) ||
        name === "kpi_retention" && what.includes("week"))
      ? await timed(client, PLAIN[/** @type {keyof typeof PLAIN} */ (name)])
      : undefined;
    reads.push({
      name,
      what,
      zone,
      plain,
      cpu,
      median: median(times),
      slow: sorted(times)[Math.floor(READS * 0.95)],
      hit: plan.Plan["Shared Hit Blocks"],
      read: plan.Plan["Shared Read Blocks"],
    });
  }
  log("asking the same of the events, of views and of an archive");
  const other = SERVER ? undefined : await instead(client, url);
  log("reading what is narrowed");
  /** @type {{ what: string, times: number[] }[]} */
  const narrowed = [];
  for (const { what, call } of NARROWED) {
    const times = [];
    for (const narrowing of NARROWINGS) {
      const costs = [];
      for (let index = 0; index < 5; index++) {
        const from = performance.now();
        await client.query(`select * from public.${call}`, [SITE, narrowing]);
        costs.push(performance.now() - from);
      }
      times.push(median(costs));
    }
    narrowed.push({ what, times });
  }
  const plans = [];
  for (const { view_name, period } of [...views].reverse().filter(({ period }) => period !== null)) {
    const mine = period === "slot"
      ? `site_id = '${SITE}'`
      : `site_zone = (select z.id from audience_gate.site_zones z where z.site_id = '${SITE}' and z.time_zone = 'UTC')`;
    const { rows } = await client.query(
      `explain (analyze, buffers) select * from audience_gate.${view_name} where ${mine} and ${period} > current_date - 30`,
    );
    plans.push(`${view_name}\n${rows.map((row) => `  ${row["QUERY PLAN"]}`).join("\n")}`);
  }

  log("lag");
  const lags = [];
  for (let index = 0; index < 8; index++) {
    const seen = async () =>
      Number((await client.query(`select events from public.kpi_overview(${range(1)})`, [SITE])).rows[0].events);
    const before = await seen();
    const from = performance.now();
    await ingest(sender, arrivals(EVENTS, 1));
    while (await seen() <= before) { /* again, until the event is counted */ }
    lags.push(performance.now() - from);
  }

  // Before a sender makes the site larger by a third.
  log("folding what somebody did who did more than anybody");
  const ones = SERVER ? [] : await foldsOfOne(url, client, sender, EVENTS);
  log("sending beside folds");
  const rounds = [];
  const { rows: [{ pid }] } = await sender.query("select pg_backend_pid() as pid");
  const charged = async () => {
    const before = await processor(client, pid);
    const spent = await sending(sender);
    return { rate: SENT / spent * 1000, cpu: (await processor(client, pid) - before) / SENT * 1000 };
  };
  for (let round = 0; round < 5; round++) {
    const alone = await charged();
    await fold(url);
    let done = false;
    const folding = (async () => {
      while (!done) {
        await fold(url);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    })();
    const beside = await charged();
    done = true;
    await folding;
    rounds.push({ alone, beside, slowdown: 1 - beside.rate / alone.rate });
    log(`events/s alone ${Math.round(alone.rate)}, beside folds ${Math.round(beside.rate)}`);
  }
  report(
    {
      built,
      version,
      first,
      folds,
      refreshes,
      erasures,
      tables,
      views,
      reads,
      other,
      narrowed,
      plans,
      lags,
      rounds,
      ones,
    },
    { large: LARGE, given: GIVEN > 0, calls: READS, sent: SENT },
  );
}

/** How many milliseconds it takes one sender to record that many events, in batches of 100. @param {import("pg").Client} sender */
async function sending(sender) {
  let spent = 0;
  for (let sent = 0; sent < SENT; sent += 100) {
    const events = arrivals(EVENTS, 100);
    const from = performance.now();
    await ingest(sender, events);
    spent += performance.now() - from;
  }
  return spent;
}

/** @param {import("pg").Client} client @param {string} query */
async function timed(client, query) {
  const from = performance.now();
  await client.query(query, [SITE]);
  return performance.now() - from;
}
