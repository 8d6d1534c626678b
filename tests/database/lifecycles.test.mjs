/** Many write to the same few records of a tracked table at once: the record and its history must not part. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { asClient, startPostgres } from "./postgres.mjs";

const WRITERS = 16;
const RECORDS = 5;
const MOVES = 60;
const STAGES = ["enquiry_received", "contacted", "offer_made", "enrolled"];

/** @type {import("./postgres.mjs").Postgres} */
let postgres;
before(async () => {
  postgres = await startPostgres({ openByDefault: true });
});
after(() => postgres.stop());

/** What a writer does in its nth turn. Each kind of change has its turn with each record. */
const TURNS = [
  (/** @type {number} */ id, /** @type {string} */ stage) => `update prospects set stage = '${stage}' where id = ${id}`,
  (/** @type {number} */ id, /** @type {string} */ stage) => `select lifecycle_move('prospects', '${id}', '${stage}')`,
  (/** @type {number} */ id) => `select lifecycle_revert('prospects', '${id}')`,
  (/** @type {number} */ id, /** @type {string} */ stage) =>
    `begin; update prospects set stage = 'contacted' where id = ${id};
     update prospects set stage = '${stage}' where id = ${id}; commit`,
];

/** @param {number} writer @returns {Promise<string[]>} the refusals other than that there is nothing to revert */
async function write(writer) {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const refusals = [];
  for (let move = 0; move < MOVES; move++) {
    const turn = writer * MOVES + move;
    try {
      await client.query(
        TURNS[turn % TURNS.length]((turn * 7) % RECORDS + 1, STAGES[(turn * 5 + writer) % STAGES.length]),
      );
    } catch (error) {
      const { code, message } = /** @type {import("pg").DatabaseError} */ (error);
      if (message !== "there is no move to revert") refusals.push(`${code} ${message}`);
    }
  }
  await client.end();
  return refusals;
}

test("sixteen writers leave every record where its last event says, and every event where the one before it ended", async () => {
  await asClient(postgres.url, (client) =>
    client.query(`
      create table public.prospects (id bigint generated always as identity primary key, stage text not null default 'enquiry_received');
      insert into public.prospects select from generate_series(1, ${RECORDS});
      select audience_gate.track_lifecycle('public.prospects', 'stage')`));
  const refusals = await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  assert.deepEqual(refusals.flat(), []);
  await asClient(postgres.url, async (client) => {
    const { rows: [counted] } = await client.query("select count(*)::integer as events from prospect_events");
    assert.ok(counted.events > WRITERS * MOVES / 4, `${counted.events} events`);
    const { rows: parted } = await client.query(`
      select p.id, p.stage, e.to_stage from prospects p
      cross join lateral (
        select to_stage from prospect_events e where e.prospect_id = p.id order by changed_at desc limit 1) e
      where p.stage <> e.to_stage`);
    assert.deepEqual(parted, []);
    const { rows: broken } = await client.query(`
      select * from (
        select prospect_id, from_stage, lag(to_stage) over w as before, changed_at, lag(changed_at) over w as earlier
        from prospect_events window w as (partition by prospect_id order by changed_at)
      ) e where from_stage is distinct from before or changed_at <= earlier`);
    assert.deepEqual(broken, []);
  });
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
