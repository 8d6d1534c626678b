#!/usr/bin/env node
/**
 * What the history of a tracked table costs, and how fast it answers: `node bench/lifecycles.mjs [RECORDS]`, with ten
 * events for each record, one a month. Five tables of one shape take the same statements in turn: one that nobody watches, one that
 * the gate tracks, one that it tracks with its deletes (whose events therefore refer to no record), one with the trigger
 * and table of the document that the gate follows, and one recorded as supa_audit does it (each row as jsonb, before and
 * after). Figures are processor time of the server process alone, as a multiple of the table that nobody watches.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { asClient, startPostgres } from "../tests/database/postgres.mjs";

const RECORDS = Number(process.argv[2] ?? 100_000);
const ROWS = 10_000;
const STATEMENTS = 400;
const ROUNDS = 9;
const TABLES = ["unwatched", "tracked", "with_deletes", "documented", "audited"];

const table = (/** @type {string} */ name) => `
  create table public.${name} (
    id bigint generated always as identity primary key, stage text not null default 'first', name text,
    assigned_to uuid, created_at timestamptz default now(), updated_at timestamptz default now()) with (fillfactor = 70);
  insert into public.${name} (name) select 'n' from generate_series(1, ${ROWS});`;

const SETUP = `
  ${TABLES.map(table).join("")}
  select audience_gate.track_lifecycle('public.tracked', 'stage', '{"entity": "tracked"}');
  select audience_gate.track_lifecycle('public.with_deletes', 'stage', '{"entity": "with_deletes", "deletes": "record"}');

  create table public.documented_events (
    id uuid primary key default gen_random_uuid(), documented_id bigint not null references public.documented (id),
    from_stage text, to_stage text not null, changed_by uuid references auth.users (id),
    changed_at timestamptz default now(), notes text);
  create index on public.documented_events (documented_id, changed_at);
  create function public.record_documented() returns trigger language plpgsql security definer as $$
  begin
    if old.stage is distinct from new.stage then
      insert into public.documented_events (documented_id, from_stage, to_stage, changed_by, notes)
      values (new.id, old.stage, new.stage, auth.uid(), null);
    end if;
    return new;
  end $$;
  create trigger documented after update of stage on public.documented
  for each row execute function public.record_documented();

  create table public.record_version (
    id bigint generated always as identity primary key, record_id uuid, old_record_id uuid, op text,
    ts timestamptz not null default now(), table_oid oid not null, table_schema name, table_name name, record jsonb,
    old_record jsonb, auth_uid uuid default auth.uid());
  create index on public.record_version (record_id) where record_id is not null;
  create index on public.record_version (old_record_id) where old_record_id is not null;
  create index on public.record_version using brin (ts);
  create index on public.record_version (table_oid);
  create function public.record_audited() returns trigger language plpgsql security definer as $$
  declare
    after jsonb := to_jsonb(new);
    before jsonb := to_jsonb(old);
  begin
    insert into public.record_version
      (record_id, old_record_id, op, table_oid, table_schema, table_name, record, old_record)
    select md5(tg_relid || (after ->> 'id'))::uuid, md5(tg_relid || (before ->> 'id'))::uuid, tg_op, tg_relid,
      tg_table_schema, tg_table_name, after, before;
    return coalesce(new, old);
  end $$;
  create trigger audited after insert or update or delete on public.audited
  for each row execute function public.record_audited();`;

/** What each table is put through; \`round\` makes every stage a new one. @type {[string, number, (table: string, round: number) => string][]} */
const CASES = [
  [
    "an update that leaves the stage alone",
    STATEMENTS,
    (t, round) => `update ${t} set name = 'n${round}' where id = $1`,
  ],
  [
    "the same, naming every column",
    STATEMENTS,
    (t, round) =>
      `update ${t} set name = 'n${round}', stage = stage, assigned_to = null, updated_at = now() where id = $1`,
  ],
  ["an update that moves a record", STATEMENTS, (t, round) => `update ${t} set stage = 's${round}' where id = $1`],
  ["an insert", STATEMENTS, (t) => `insert into ${t} (name) values ($1)`],
  [
    `a move of ${ROWS} records by one statement`,
    1,
    (t, round) => `update ${t} set stage = 'w${round}' where id <= ${ROWS}`,
  ],
  [
    `an update of ${ROWS} records that leaves the stage alone`,
    1,
    (t, round) => `update ${t} set name = 'w${round}' where id <= ${ROWS}`,
  ],
];

const median = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Tells how many nanoseconds a client's server process has worked. @param {import("pg").Client} client */
async function processorTime(client) {
  const { rows: [{ pid }] } = await client.query("select pg_backend_pid() as pid");
  return () => Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
}

/** @param {import("pg").Client} client */
async function costs(client) {
  const spent = await processorTime(client);
  await client.query(SETUP);
  console.log(["", ...TABLES].join(" | "));
  for (const [title, times, statement] of CASES) {
    const ratios = TABLES.map(() => /** @type {number[]} */ ([]));
    const microseconds = [];
    for (let round = 0; round < ROUNDS; round++) {
      const took = new Map();
      for (const name of round % 2 ? TABLES.toReversed() : TABLES) {
        const text = statement(name, round);
        const begun = spent();
        for (let id = 1; id <= times; id++) await client.query(text.includes("$1") ? { text, values: [id] } : text);
        took.set(name, spent() - begun);
      }
      TABLES.forEach((name, index) => ratios[index].push(took.get(name) / took.get(TABLES[0])));
      microseconds.push(took.get(TABLES[0]) / times / 1000);
      for (const name of TABLES) await client.query(`vacuum ${name}`);
    }
    const figures = ratios.slice(1).map((ratio) => `${median(ratio).toFixed(2)} ×`);
    console.log([title, `${median(microseconds).toFixed(0)} µs`, ...figures].join(" | "));
  }
}

/** A history of ten months, a move of each record in each, written past the guards. @param {import("pg").Client} client */
const fill = (client) =>
  client.query(`
    create table public.records (id bigint generated always as identity primary key, stage text not null default 's0');
    select audience_gate.track_lifecycle('public.records', 'stage');
    alter table public.records disable trigger user;
    insert into public.records select from generate_series(1, ${RECORDS});
    alter table public.records enable trigger user;
    alter table public.record_events disable trigger user;
    insert into public.record_events (record_id, from_stage, to_stage, changed_at, actor)
    select r, case when n > 0 then 's' || (n - 1) % 7 end, 's' || n % 7,
      now() - (10 - n) * interval '30 days' + r * interval '1 second', 'user:' || (r + n) % 40
    from generate_series(0, 9) n, generate_series(1, ${RECORDS}) r;
    alter table public.record_events enable trigger user`);

const QUESTIONS = [
  ["who moved this record to s3?", "select actor from lifecycle_timeline('records', '77') where to_stage = 's3'"],
  ["how long was it in s2?", "select sum(stayed) from lifecycle_timeline('records', '77') where to_stage = 's2'"],
  ["where was it on that day?", "select lifecycle_at('records', '77', now() - interval '100 days')"],
  ["what moved in the last hour?", "select * from lifecycle_funnel('records', now() - interval '1 hour', now())"],
  ...[["of its last month", ", now() - interval '31 days', now()"], ["of all", ""]].flatMap(([range, bounds]) => [
    [`report: moves ${range}`, `select * from lifecycle_funnel('records'${bounds})`],
    [`report: stays ${range}`, `select * from lifecycle_dwell('records'${bounds})`],
    [`report: actors ${range}`, `select * from lifecycle_actors('records'${bounds})`],
    [`report: trend ${range}`, `select * from lifecycle_trend('records', 'month'${bounds})`],
  ]),
];

/** Times until the answer, and processor time of the server process. @param {import("pg").Client} client */
async function answers(client) {
  await fill(client);
  await client.query("vacuum analyze public.records, public.record_events");
  const spent = await processorTime(client);
  console.log(["", "until the answer", "processor"].join(" | "));
  for (const [question, sql] of QUESTIONS) {
    const [times, busy] = [[], []].map((list) => /** @type {number[]} */ (list));
    for (let round = 0; round < 3; round++) {
      const [begun, before] = [performance.now(), spent()];
      await client.query(sql);
      times.push(performance.now() - begun);
      busy.push((spent() - before) / 1e6);
    }
    console.log([question, ...[times, busy].map((list) => `${median(list).toFixed(1)} ms`)].join(" | "));
  }
}

const postgres = await startPostgres();
try {
  await asClient(postgres.url, costs);
  console.log(`\n${RECORDS} records, ${RECORDS * 10} events`);
  await asClient(postgres.url, answers);
} finally {
  await postgres.stop();
}
