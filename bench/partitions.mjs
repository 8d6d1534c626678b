#!/usr/bin/env node
/**
 * Measures the move onto monthly partitions while events come in, and what the log costs before and after it:
 * `npm run bench:partitions -- [ROWS] [MONTHS] [EVENTS_A_SECOND]` on throwaway servers of Postgres 17. Prints Markdown;
 * ends with an error if an event was lost. Ten million rows take about half an hour and 25 GB.
 */
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { event, ingest, insert } from "../tests/database/events.mjs";
import { startPostgres } from "../tests/database/postgres.mjs";
import { applyScripts, insist, operate, partition } from "../tests/scaling/partitioned.mjs";
import { newId } from "./ids.mjs";
import { median, number, report } from "./partitions_report.mjs";
import { BATCH, startSender } from "./partitions_sender.mjs";

const rows = Number(process.argv[2] ?? 100_000);
const months = Number(process.argv[3] ?? 24);
const rate = Number(process.argv[4] ?? 1000);
const FEW = 10_000;
const ROUNDS = 150;
const READS = 11;
/** Events per stored row: a page holds about two hundred keys, and three times as many events as there are pages miss few of them. */
const WARM_UP = 0.015;
const settings = {
  shared_buffers: "2GB",
  max_wal_size: "8GB",
  checkpoint_timeout: "15min",
  maintenance_work_mem: "512MB",
};
const SITE = "00000000-0000-4000-8000-000000000001";

/** One number for all values of the rows that were loaded. */
const DIGEST = `select count(*)::int as events, sum(hash_record_extended(e, 0)::numeric)::text as hash
  from public.audience_events e where e.event_source = 'loaded'`;

const log = (/** @type {string} */ line) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

/** The batch function, and an INSERT of the same number of rows, each judged by the trigger. */
const ways = {
  ingest: async (/** @type {pg.Client} */ client, /** @type {Record<string, unknown>[]} */ batch) =>
    equal((await ingest(client, batch)).accepted, BATCH, "a batch"),
  insert,
};

/** @typedef {{ postgres: import("../tests/database/postgres.mjs").Postgres, client: pg.Client, admin: pg.Client }} Server */
/** @type {Server[]} */
const servers = [];
try {
  const [few, fewParted, many] = [await serve(), await serve(), await serve()];
  await fill(few, FEW);
  await fill(fewParted, FEW);
  await partition(fewParted.client);
  await operate(fewParted.client, "drop_standby()");
  await settle(fewParted);
  log(`loading ${number(rows)} rows`);
  await fill(many, rows);
  const before = { digest: await one(many.admin, DIGEST), reads: await reading(many), bytes: await sizes(many.admin) };
  const alone = await steady({ few, many });

  const { postgres, client } = many;
  await applyScripts(client);
  const sender = await startSender(postgres.url, rate);
  /** @type {[string, number][]} */
  const steps = [];
  const step = async (/** @type {string} */ name, /** @type {() => Promise<unknown>} */ work) => {
    log(name);
    sender.during(name);
    steps.push([name, await timed(work)]);
  };
  await step("before", () => sleep(15_000));
  await step("begin_move()", () => insist(client, "begin_move()"));
  await step("copy_events()", async () => {
    for (let copied = false; !copied;) {
      const progress = await operate(client, `copy_events('{"max_seconds": 20}')`);
      copied = progress.copied;
      log(`${number(progress.copied_rows)} rows copied`);
    }
  });
  await step("both written", () => sleep(15_000));
  await step("verify_move()", async () => equal((await operate(client, "verify_move()")).same, true, "verify_move()"));
  await step("swap_events()", () => insist(client, "swap_events()"));
  await step("both written, partitioned in use", () => sleep(15_000));
  await step(
    "verify_move() again",
    async () => equal((await operate(client, "verify_move()")).same, true, "verify_move()"),
  );
  const both = await sizes(many.admin);
  await step("drop_standby()", () => insist(client, "drop_standby()"));
  await step("after", () => sleep(15_000));
  await sender.stop();

  log("checking");
  const { tally } = sender;
  equal(tally.accepted + tally.replayed + tally.rejected, tally.sent, "answers");
  const stored = await one(
    many.admin,
    `select count(*) filter (where not rejected)::int as accepted, count(*) filter (where rejected)::int as rejected,
       count(distinct id)::int as ids, (select count(*)::int from audience_gate.event_keys) as keys,
       (select count(*)::int from public.audience_events) as rows
     from public.audience_events where session_id like 'sent-session-%'`,
  );
  equal(stored.accepted, tally.accepted, "accepted rows");
  equal(stored.rejected, tally.rejected, "rejected rows");
  equal(stored.ids, tally.sent - tally.replayed, "ids");
  equal(stored.keys, stored.rows, "keys");
  equal(JSON.stringify(await one(many.admin, DIGEST)), JSON.stringify(before.digest), "loaded rows");
  await settle(many);
  const after = { reads: await reading(many), bytes: await sizes(many.admin) };
  const parted = await steady({ few, fewParted, many });
  const turns = { alone, parted, direct: await takingTurns({ few, fewParted, many }, "insert") };

  console.log(report({
    asked: { few: FEW, many: rows, months, batch: BATCH, rounds: ROUNDS },
    settings,
    sizes: { "one table": before.bytes, "partitioned, after the copy": both, "partitioned, at the end": after.bytes },
    turns,
    steps,
    sender,
    reads: { before: before.reads, after: after.reads },
  }));
} finally {
  for (const { postgres, client, admin } of servers) {
    await client.end();
    await admin.end();
    await postgres.stop();
  }
}

async function serve() {
  const postgres = await startPostgres({ settings });
  const client = new pg.Client({ connectionString: postgres.url });
  const admin = new pg.Client({ connectionString: postgres.adminUrl });
  const server = { postgres, client, admin };
  servers.push(server);
  await client.connect();
  await admin.connect();
  return server;
}

/** Loads the table without its indexes, and creates them afterwards. @param {Server} server @param {number} wanted */
async function fill({ admin, client }, wanted) {
  const { rows: indexes } = await admin.query(
    `select i.indexrelid::regclass as name, pg_get_indexdef(i.indexrelid) as definition,
       obj_description(i.indexrelid, 'pg_class') as comment
     from pg_index i where i.indrelid = 'public.audience_events'::regclass and not i.indisunique`,
  );
  for (const { name } of indexes) await admin.query(`drop index ${name}`);
  await client.query("set role audience_gate_store");
  for (let from = 0; from < wanted; from += 1_000_000) {
    await client.query(
      `insert into public.audience_events
         (id, created_at, user_id, session_id, event_type, event_category, event_source, utm_campaign, metadata, contract)
       select gen_random_uuid(), now() - n * (interval '${months} months' / ${wanted}),
         case when n % 4 = 0 then md5((n / 100)::text)::uuid end, 'loaded-session-' || n / 5,
         (array['page_view', 'content_view', 'campaign_landing', 'content_share', 'feature_used'])[1 + n % 5],
         (array['engagement', 'engagement', 'attribution', 'advocacy', 'engagement'])[1 + n % 5], 'loaded',
         case when n % 5 = 2 then 'campaign-' || n % 100 end,
         jsonb_build_object('page_path', '/guides/' || n % 1000, 'content_id', 'guide-' || n % 1000),
         audience_gate.contract_fingerprint()
       from generate_series(${from + 1}, ${Math.min(wanted, from + 1_000_000)}) n`,
    );
    if (wanted > 1_000_000) log(`${number(Math.min(wanted, from + 1_000_000))} rows`);
  }
  await client.query("reset role");
  for (const { definition, name, comment } of indexes) {
    await admin.query(definition);
    if (comment) await admin.query(`comment on index ${name} is ${pg.escapeLiteral(comment)}`);
  }
  await settle({ admin });
}

/** Leaves nothing to do for autovacuum or the next checkpoint. @param {{ admin: pg.Client }} server */
async function settle({ admin }) {
  await admin.query("vacuum (analyze) public.audience_events");
  if ((await one(admin, "select to_regclass('audience_gate.event_keys') as keys")).keys) {
    await admin.query("vacuum (analyze) audience_gate.event_keys");
  }
  await admin.query("checkpoint");
}

/**
 * Measures twice: right after a checkpoint, when the first change of a page writes the whole page to the log, and again
 * after events have come in for as long as it takes to touch the pages of every index.
 * @param {Record<string, Server>} contenders
 */
async function steady(contenders) {
  await settle(contenders.many);
  const cold = await takingTurns(contenders, "ingest");
  log("warming up");
  const { client } = contenders.many;
  await client.query("set role service_role");
  for (let i = 0; i < rows * WARM_UP / BATCH; i++) {
    await ways.ingest(
      client,
      Array.from({ length: BATCH }, () => event()),
    );
  }
  await client.query("reset role");
  return {
    cold,
    warm: await takingTurns(contenders, "ingest"),
    random: await takingTurns(contenders, "ingest", event),
  };
}

/**
 * Sends batches to several servers in turn, so that changes in the machine's speed affect all of them.
 * @param {Record<string, Server>} contenders @param {"ingest" | "insert"} way
 */
async function takingTurns(contenders, way, make = () => event({ id: newId() })) {
  log(`${way}: ${Object.keys(contenders).join(", ")}`);
  /** @type {Record<string, number[]>} */
  const times = {};
  for (const { client } of Object.values(contenders)) await client.query("set role service_role");
  for (let round = -10; round < ROUNDS; round++) {
    for (const [name, { client }] of Object.entries(contenders)) {
      const batch = Array.from({ length: BATCH }, () => make());
      const took = await timed(() => ways[way](client, batch));
      if (round >= 0) (times[name] ??= []).push(took);
    }
  }
  for (const { client } of Object.values(contenders)) await client.query("reset role");
  return times;
}

/** The median times of what people and programs ask of the log. @param {Server} server */
async function reading({ admin, client }) {
  log("reads");
  const { ids, session } = await one(
    admin,
    `select array_agg(id) as ids, min(session_id) as session
     from (select id, session_id from public.audience_events where created_at < now() - interval '${months / 2} months'
       order by created_at desc limit 20) e`,
  );
  /** @type {[string, string, unknown[]][]} */
  const queries = [
    ["the events of a session", "select * from public.audience_events where session_id = $1 order by created_at", [
      session,
    ]],
    ["20 events by id", "select * from public.audience_events where id = any ($1)", [ids]],
    [
      "events by type, of a day a month ago",
      `select event_type, count(*) from public.audience_events
       where created_at >= now() - interval '31 days' and created_at < now() - interval '30 days' group by 1`,
      [],
    ],
    [
      "the latest 20 events, audience_recent_events()",
      `select * from public.audience_recent_events('${SITE}', 20)`,
      [],
    ],
    [
      "events by month, of all",
      "select date_trunc('month', created_at), count(*) from public.audience_events group by 1",
      [],
    ],
  ];
  /** @type {[string, number][]} */
  const times = [];
  for (const [name, text, values] of queries) {
    const took = [];
    for (let i = 0; i < READS; i++) took.push(await timed(() => admin.query(text, values)));
    times.push([name, median(took)]);
  }
  log("refresh of the analytics");
  const refresh = await timed(async () =>
    equal((await operate(client, "refresh_analytics()")).outcome, "ok", "refresh_analytics()")
  );
  return [...times, ["refresh of all analytics (in one table: the first)", refresh]];
}

/** How many bytes the log and the keys have, with indexes. @param {pg.Client} admin */
function sizes(admin) {
  return one(
    admin,
    `select coalesce((select sum(pg_total_relation_size(p.relid)) from pg_partition_tree('public.audience_events') p),
         pg_total_relation_size('public.audience_events'))::float8 as log,
       coalesce(pg_total_relation_size(to_regclass('audience_gate.event_keys')), 0)::float8 as keys`,
  );
}

/** @param {pg.Client} client @param {string} query */
async function one(client, query) {
  return (await client.query(query)).rows[0];
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** @param {unknown} found @param {unknown} expected @param {string} what */
function equal(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: ${found}, expected ${expected}`);
}
