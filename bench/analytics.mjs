#!/usr/bin/env node
/**
 * What the analytics cost: `npm run bench:analytics`, with `-- --large` for ten million events instead of one.
 *
 * On a throwaway real Postgres that syncs to disk: builds the site, refreshes the views, reads every function and
 * view under EXPLAIN (ANALYZE, BUFFERS), sets them beside plain queries, and folds while batches are sent.
 * Writes bench/ANALYTICS.md (bench/ANALYTICS-10M.md with --large); with `-- --events=20000` it only prints.
 * `-- --server=postgresql://…` measures on a server that holds such a site and its refreshed views already.
 */
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ingest, newSession } from "../tests/database/events.mjs";
import { asClient, startPostgres } from "../tests/database/postgres.mjs";
import { buildSite, PLAIN, SITE, siteSize } from "./analytics_site.mjs";
import { record } from "./history.mjs";

const LARGE = process.argv.includes("--large");
const GIVEN = Number(process.argv.find((word) => word.startsWith("--events="))?.slice(9));
const EVENTS = GIVEN || (LARGE ? 10_000_000 : 1_000_000);
const SERVER = process.argv.find((word) => word.startsWith("--server="))?.slice(9);
const READS = 11;
/** How many events a round of sending records, so that the log stays the size it is measured at. */
const SENT = 10_000;
/** How long the folds beside a sender are apart. */
const PAUSE = 1000;
const TARGETS = { read: LARGE ? 150 : 50, other: 300, fold: 200, refresh: 30_000, slowdown: 0.05, lag: 2000 };

const range = (/** @type {number} */ days) => `$1, now() - interval '${days} days', now()`;
/** UTC, a zone whose days the site counts as well, and one that it does not. */
const [REGISTERED, OTHER] = ["Europe/Berlin", "Asia/Kolkata"];
const ZONES = ["UTC", REGISTERED, OTHER];
/** The figures that count local days: name, range, days, and what else is asked. @type {[string, string, number, string][]} */
const ZONED = [
  ["kpi_overview", "30 days", 30, ""],
  ["kpi_overview", "90 days", 90, ""],
  ["kpi_people", "30 days", 30, ""],
  ["kpi_people", "90 days", 90, ""],
  ["kpi_engagement", "30 days by day", 30, ""],
  ["kpi_engagement", "90 days by week", 90, ", grain => 'week'"],
  ["kpi_feature_adoption", "30 days", 30, ""],
  ["kpi_feature_adoption", "90 days", 90, ""],
  ["kpi_funnel", "30 days", 30, ""],
  ["kpi_funnel", "90 days", 90, ""],
  ["kpi_visits", "30 days by day", 30, ""],
  ["kpi_visits", "90 days by week", 90, ", grain => 'week'"],
  ["kpi_pages", "30 days, where visits began", 30, ""],
  ["kpi_pages", "30 days, where visits ended", 30, ", by => 'exit'"],
  ["kpi_referrers", "30 days", 30, ""],
  ["kpi_devices", "30 days", 30, ""],
  ["kpi_campaigns", "30 days by last touch", 30, ""],
  ["kpi_campaigns", "90 days by first touch", 90, ", by => 'first'"],
  ["kpi_retention", "90 days by week", 90, ""],
  ["kpi_retention", "30 days by day", 30, ", grain => 'day', periods => 30"],
  ["kpi_errors", "30 days by day", 30, ""],
  ["kpi_performance", "30 days", 30, ""],
  ["kpi_performance", "30 days by day", 30, ", grain => 'day'"],
  ["kpi_data_quality", "30 days", 30, ""],
  ["kpi_state_funnel", "30 days", 30, ""],
  ["kpi_state_dwell", "30 days", 30, ""],
  ["kpi_state_trend", "30 days by day", 30, ""],
];
/** @type {{ name: string, what: string, zone: string, call: string }[]} */
const CALLS = [
  ...ZONES.flatMap((zone) =>
    ZONED.map(([name, what, days, more]) => ({
      name,
      what,
      zone,
      call: `${name}(${range(days)}, time_zone => '${zone}'${more})`,
    }))
  ),
  { name: "kpi_funnels", what: "", zone: "", call: "kpi_funnels($1)" },
  { name: "kpi_live", what: "30 minutes", zone: "", call: "kpi_live($1)" },
  { name: "kpi_freshness", what: "", zone: "", call: "kpi_freshness($1)" },
];

const sorted = (/** @type {number[]} */ values) => [...values].sort((a, b) => a - b);
const median = (/** @type {number[]} */ values) => sorted(values)[Math.floor(values.length / 2)];
const ms = (/** @type {number} */ value) => value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
const log = (/** @type {string} */ line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

if (SERVER) {
  await asClient(SERVER, (client) => asClient(SERVER, (sender) => measure(client, sender)));
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
      await asClient(postgres.url, (sender) => measure(client, sender));
    });
  } finally {
    await postgres.stop();
  }
}

/** @param {import("pg").Client} client @param {import("pg").Client} sender */
async function measure(client, sender) {
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
  const fold = async () => {
    const before = await processor(client);
    const { rows: [{ result }] } = await client.query("select audience_gate.fold_analytics() as result");
    if (result.outcome !== "ok") throw new Error(`fold: ${JSON.stringify(result)}`);
    return { wall: result.duration_ms, cpu: await processor(client) - before };
  };
  if (!SERVER) {
    for (let round = 0; round < 9; round++) {
      await ingest(sender, batch(1000));
      folds.push(await fold());
    }
    log(`folded in ${folds.map(({ wall }) => wall).join(", ")} ms`);
    for (let round = 0; round < 3; round++) {
      await ingest(sender, batch(1000));
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
  for (let index = 0; index < 5; index++) await ingest(sender, batch(200));
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
    await ingest(sender, batch(1));
    while (await seen() <= before) { /* again, until the event is counted */ }
    lags.push(performance.now() - from);
  }

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
    let done = false;
    const folding = (async () => {
      while (!done) {
        await fold();
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    })();
    const beside = await charged();
    done = true;
    await folding;
    rounds.push({ alone, beside, slowdown: 1 - beside.rate / alone.rate });
    log(`events/s alone ${Math.round(alone.rate)}, beside folds ${Math.round(beside.rate)}`);
  }
  report({ built, version, first, folds, refreshes, erasures, tables, views, reads, plans, lags, rounds });
}

/** @param {number} size */
function batch(size) {
  const sessions = Array.from({ length: Math.ceil(size / 5) }, newSession);
  const types = ["page_view", "content_view", "tool_used", "content_saved", "video_play"];
  return Array.from({ length: size }, (_, index) => ({
    id: randomUUID(),
    site_id: SITE,
    session_id: sessions[Math.floor(index / 5)],
    event_type: types[index % 5],
    event_category: "engagement",
    event_source: "web",
    metadata: { content_id: "guide-1", tool_id: "dose", page_path: "/guides", duration_seconds: 40 },
  }));
}

/** How many milliseconds it takes one sender to record that many events, in batches of 100. @param {import("pg").Client} sender */
async function sending(sender) {
  let spent = 0;
  for (let sent = 0; sent < SENT; sent += 100) {
    const events = batch(100);
    const from = performance.now();
    await ingest(sender, events);
    spent += performance.now() - from;
  }
  return spent;
}

/** Milliseconds of processor time that a server process has used, this connection's by default, in steps of ten. @param {import("pg").Client} client @param {number | "self"} [pid] */
async function processor(client, pid = "self") {
  const { rows: [{ ticks }] } = await client.query(
    "select s[14]::int + s[15]::int as ticks from string_to_array(pg_read_file('/proc/' || $1::text || '/stat'), ' ') s",
    [pid],
  );
  return ticks * 10;
}

/** @param {import("pg").Client} client @param {string} query */
async function timed(client, query) {
  const from = performance.now();
  await client.query(query, [SITE]);
  return performance.now() - from;
}

/** One reading function over one range, in ms and blocks. @typedef {{ name: string, what: string, zone: string, plain?: number, cpu: number, median: number, slow: number, hit: number, read: number }} Read */
/** How fast one sender was, and what the server spent on each event. @typedef {{ rate: number, cpu: number }} Pace */
/** @typedef {{ wall: number, cpu: number }} Run */

/**
 * @param {object} found
 * @param {any} found.built the size of the site, as `analytics_site.mjs` made it
 * @param {string} found.version
 * @param {number} found.first
 * @param {Run[]} found.folds
 * @param {Run[]} found.refreshes
 * @param {Run[]} found.erasures
 * @param {{ name: string, rows: number, size: string }[]} found.tables
 * @param {{ view_name: string, duration: number, rows: number, size: string }[]} found.views
 * @param {Read[]} found.reads
 * @param {string[]} found.plans
 * @param {number[]} found.lags
 * @param {{ alone: Pace, beside: Pace, slowdown: number }[]} found.rounds
 */
function report(
  { built, version, first, folds, refreshes: again, erasures, tables, views, reads, plans, lags, rounds },
) {
  const wall = (/** @type {{ wall: number }} */ run) => run.wall;
  const cpu = (/** @type {{ cpu: number }} */ run) => run.cpu;
  const worst = (/** @type {boolean} */ counted) =>
    Math.max(...reads.filter(({ zone }) => (zone !== OTHER) === counted).map(({ median }) => median));
  const slowdown = median(rounds.map(({ slowdown }) => slowdown));
  const verdict = (/** @type {boolean} */ met) => met ? "met" : "**missed**";
  const table = (/** @type {string[]} */ head, /** @type {unknown[][]} */ rows) =>
    [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
  const text = `<!-- Generated by \`npm run bench:analytics${LARGE ? " -- --large" : ""}\`; do not edit. -->

# What the analytics cost

${built.events.toLocaleString("en")} events over 90 days (${built.size} with indexes), ${
    built.people.toLocaleString("en")
  } people, ${built.sessions.toLocaleString("en")} sessions, ${
    built.transitions.toLocaleString("en")
  } changes of state; Postgres ${version}, fsync on, 512 MB of shared buffers, ${cpus().length} cores (${
    cpus()[0].model.trim()
  }), ${new Date().toISOString().slice(0, 10)}. Load average of the machine at the end: ${
    loadavg()[0].toFixed(1)
  }, this run and everything else on it included: where that is above the number of cores, wall times include waiting for one.

${
    table(["target", "measured", ""], [
      [
        `every figure read under ${TARGETS.read} ms at the median`,
        `slowest ${ms(worst(true))} ms`,
        verdict(worst(true) < TARGETS.read),
      ],
      [
        `under ${TARGETS.other} ms in a zone whose days the site does not count`,
        `slowest ${ms(worst(false))} ms`,
        verdict(worst(false) < TARGETS.other),
      ],
      [
        `1,000 new events folded in at most ${TARGETS.fold} ms on the processor`,
        `${ms(median(folds.map(cpu)))} ms at the median, ${ms(median(folds.map(wall)))} ms of wall time`,
        verdict(median(folds.map(cpu)) <= TARGETS.fold),
      ],
      [
        `refresh of all views under ${TARGETS.refresh / 1000} s`,
        `${ms(median(again.map(wall)))} ms at the median, ${
          ms(median(again.map(cpu)))
        } ms of it on the processor (first fill ${ms(first)} ms)`,
        verdict(median(again.map(wall)) < TARGETS.refresh),
      ],
      [
        `ingest at most ${TARGETS.slowdown * 100} % slower beside a fold a second`,
        `${(slowdown * 100).toFixed(1)} % (median of ${rounds.length} rounds)`,
        verdict(slowdown <= TARGETS.slowdown),
      ],
      [
        `numbers lag ingest by under ${TARGETS.lag / 1000} s`,
        `${ms(Math.max(...lags))} ms at most, from sending to being counted`,
        verdict(Math.max(...lags) < TARGETS.lag),
      ],
    ])
  }

## Reads

Wall time at the client over ${READS} calls, with a live tail of 1,000 events and more. The site counts the days of UTC and of ${REGISTERED}; those of ${OTHER} are made of slots and visits. *Plain* asks the events themselves, once.

${
    table(
      [
        "function",
        "range",
        "zone",
        "median ms",
        "p95 ms",
        "processor ms",
        "blocks hit",
        "blocks read",
        "plain ms",
        "times faster",
      ],
      reads.map(({ name, what, zone, median, slow, cpu, hit, read, plain }) => [
        name,
        what,
        zone,
        ms(median),
        ms(slow),
        ms(cpu),
        hit.toLocaleString("en"),
        read.toLocaleString("en"),
        plain === undefined ? "" : ms(plain),
        plain === undefined ? "" : `${Math.round(plain / median)}`,
      ]),
    )
  }

## Fold

${
    erasures.length === 0
      ? ""
      : `To erase somebody with 10 to 50 events, figures included, took ${
        ms(median(erasures.map(wall)))
      } ms at the median, ${ms(median(erasures.map(cpu)))} ms of it on the processor.`
  }

What was recorded since the last one, in one statement: ${folds.length} times 1,000 events, each in ${
    folds.map(wall).map(ms).join(", ")
  } ms, and on the processor in ${folds.map(cpu).map(ms).join(", ")} ms. The tables that it keeps:

${
    table(
      ["table", "rows", "size with indexes"],
      tables.map(({ name, rows, size }) => [name, rows.toLocaleString("en"), size]),
    )
  }

## Refresh

A fold, and then all materialised views concurrently, in one transaction and one process. The last of the runs, by view:

${
    table(
      ["view", "ms", "rows", "size with indexes"],
      [...views].reverse().map((
        { view_name, duration, rows, size },
      ) => [view_name, ms(duration), rows.toLocaleString("en"), size]),
    )
  }

## Ingest beside folds

One sender, ${
    SENT.toLocaleString("en")
  } events in batches of 100 through \`ingest_audience_events\` as fast as it can, by turns alone and beside a fold a second: with the fold, that keeps two cores busy. What the server spends on an event beside a fold says how much of a difference is waiting for a core.

${
    table(
      [
        "round",
        "events/s alone",
        "events/s beside folds",
        "slower by",
        "processor µs per event, alone",
        "beside folds",
      ],
      rounds.map((
        { alone, beside, slowdown },
        index,
      ) => [
        index + 1,
        Math.round(alone.rate).toLocaleString("en"),
        Math.round(beside.rate).toLocaleString("en"),
        `${(slowdown * 100).toFixed(1)} %`,
        Math.round(alone.cpu),
        Math.round(beside.cpu),
      ]),
    )
  }

## Indexes

- Each table has the key by which a fold finds its cells; it begins with the site, so it also serves the reads. \`engagement_days\`, \`feature_days\` and the slots that they are made of have a second one on site and time, for ranges over all tiers and types. Each view has the unique index its concurrent refresh needs.
- The live tail is found by \`(site_id, recorded_xid)\`, the people in it by the indexes on \`user_id\` and \`session_id\`. The events of one batch share an entry of that index.
- \`audience_state_events\` has a BRIN index on \`changed_at\`: history is written in the order of that clock, so a few summaries find what is newer than a refresh. On \`audience_events\` a BRIN index would only repeat what \`idx_audience_events_created_at\` does.

## Plans of the views

\`\`\`
${plans.join("\n\n")}
\`\`\`
`;
  if (GIVEN) return console.log(text);
  const name = `ANALYTICS${LARGE ? "-10M" : ""}.md`;
  writeFileSync(fileURLToPath(new URL(name, import.meta.url)), text);
  record(
    "analytics",
    Object.fromEntries([
      ...reads.filter(({ zone }) => zone === "UTC" || zone === "").map((
        { name, what, median },
      ) => [`${name}, ${what}, ms`, { value: median, better: "lower" }]),
      ["refresh of all views, ms", { value: median(again.map(wall)), better: "lower" }],
      ["fold of 1,000 events, processor ms", { value: median(folds.map(cpu)), better: "lower" }],
      ["ingest beside folds, slower by", { value: slowdown, better: "lower" }],
    ]),
  );
  log(`wrote bench/${name}`);
}
