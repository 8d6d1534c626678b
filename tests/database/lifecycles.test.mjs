/** Many write to the same few records of a tracked table at once: the record and its history must not part. */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, test } from "node:test";
import pg from "pg";
import { size } from "../long.mjs";
import { until } from "../until.mjs";
import { asClient, startPostgres } from "./postgres.mjs";

const WRITERS = 16;
const RECORDS = 5;
const STAGES = ["enquiry_received", "contacted", "offer_made", "enrolled"];
const SECONDS = size({ short: 4, long: 60 });
const KILLS = size({ short: 3, long: 100 });

/** @type {import("./postgres.mjs").Postgres} */
let postgres;
before(async () => {
  postgres = await startPostgres({ openByDefault: true });
  await asClient(postgres.url, (client) =>
    client.query(`
      create table public.prospects (id bigint generated always as identity primary key, stage text not null default 'enquiry_received');
      insert into public.prospects select from generate_series(1, ${RECORDS});
      select audience_gate.track_lifecycle('public.prospects', 'stage')`));
});
after(() => postgres.stop());

/** What a writer does in its nth turn. Each kind of change has its turn with each record. */
const TURNS = [
  (/** @type {number} */ id, /** @type {string} */ stage) => `update prospects set stage = '${stage}' where id = ${id}`,
  (/** @type {number} */ id, /** @type {string} */ stage) =>
    `select lifecycle_move('prospects', '${id}', '${stage}', 'by a test')`,
  (/** @type {number} */ id) => `select lifecycle_revert('prospects', '${id}')`,
  (/** @type {number} */ id, /** @type {string} */ stage) =>
    `begin; update prospects set stage = 'contacted' where id = ${id};
     update prospects set stage = '${stage}' where id = ${id}; commit`,
];

/**
 * Takes turns until it is told to end; a server that went away is waited for.
 *
 * @param {number} writer @param {() => boolean} isOver @returns {Promise<string[]>} the refusals other than that there is
 * nothing to revert
 */
async function write(writer, isOver) {
  const refusals = [];
  for (let turn = writer; !isOver();) {
    const client = new pg.Client({ connectionString: postgres.url });
    client.on("error", () => {});
    try {
      await client.connect();
      for (; !isOver(); turn += 7) {
        await client.query(TURNS[turn % 4](turn % RECORDS + 1, STAGES[(turn * 5 + writer) % STAGES.length]));
      }
    } catch (error) {
      turn += 7;
      const { code, message } = /** @type {import("pg").DatabaseError} */ (error);
      // Class 57 and errors without a SQLSTATE: the server is going away, or is not yet back.
      if (code?.match(/^(?!57)\w{5}$/) && message !== "there is no move to revert") refusals.push(`${code} ${message}`);
    } finally {
      await client.end().catch(() => {});
    }
  }
  return refusals;
}

/** Records that are not where their last event says, and events that do not begin where the one before ended. */
const PARTED = `
  select p.id, p.stage as is, e.to_stage as should from prospects p
  cross join lateral (
    select to_stage from prospect_events e where e.prospect_id = p.id order by changed_at desc limit 1) e
  where p.stage <> e.to_stage
  union all
  select prospect_id, from_stage, before from (
    select prospect_id, from_stage, lag(to_stage) over w as before, changed_at, lag(changed_at) over w as earlier
    from prospect_events window w as (partition by prospect_id order by changed_at)
  ) e where from_stage is distinct from before or changed_at <= earlier`;

/** Asks on a connection of its own, which the server may drop. @param {string} sql @returns {Promise<any[]>} */
async function ask(sql) {
  const client = new pg.Client({ connectionString: postgres.url });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

const count = async () => (await ask("select count(*)::integer as n from prospect_events"))[0].n;

/** Ends one of the server's processes, upon which it drops every connection and recovers; waits until it is back. */
async function killServer() {
  const [{ pid }] = await ask(
    `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
     order by random() limit 1`,
  );
  const witness = new pg.Client({ connectionString: postgres.url });
  witness.on("error", () => {});
  await witness.connect();
  const dropped = new Promise((resolve) => witness.once("end", resolve));
  process.kill(pid, "SIGKILL");
  await dropped;
  await until(() => count().then(() => true, ({ message }) => message), "the server is back", 60);
}

test("sixteen writers leave every record where its last event says, and every event where the one before it ended", async () => {
  const over = Date.now() + SECONDS * 1000;
  const refusals = await Promise.all(
    Array.from({ length: WRITERS }, (_, writer) => write(writer, () => Date.now() > over)),
  );
  assert.deepEqual(refusals.flat(), []);
  assert.ok(await count() > WRITERS * 4, "they wrote");
  assert.deepEqual(await ask(PARTED), []);
});

test("a server that is killed at any time comes back with records and history together", async () => {
  let isOver = false;
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer, () => isOver));
  try {
    for (let killed = 0; killed < KILLS; killed++) {
      const before = await count();
      await until(async () => await count() > before + 20, "they write", 60);
      await killServer();
      assert.deepEqual(await ask(PARTED), [], `after kill ${killed + 1}`);
    }
  } finally {
    isOver = true;
  }
  assert.deepEqual((await Promise.all(writers)).flat(), []);
  assert.deepEqual(await ask(PARTED), []);
});

test("default privileges open the history of a tracked table to nobody", async () => {
  await asClient(postgres.url, async (client) => {
    await client.query(`
      create table public.visits (id uuid primary key, status text not null);
      revoke all on public.visits from anon;
      select audience_gate.track_lifecycle('public.visits', 'status')`);
    const { rows } = await client.query(`
      select a.grantee::regrole::text as role, string_agg(a.privilege_type, ' ' order by a.privilege_type) as rights
      from pg_class c, aclexplode(c.relacl) a
      where c.oid = 'public.visit_events'::regclass and a.grantee <> c.relowner group by 1 order by 1`);
    assert.deepEqual(rows, [
      { role: "audience_gate_owner", rights: "INSERT SELECT" },
      { role: "authenticated", rights: "SELECT" },
      { role: "service_role", rights: "SELECT" },
    ]);
  });
});
