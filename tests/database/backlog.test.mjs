/** What jobs do about many who wait, with the statistics of an empty database, and after a clock that was ahead. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { EVENTS, fill } from "./backlog.mjs";
import { startPostgres } from "./postgres.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const MEMBERS = 20_000;

/** How many rows and index entries of events and states a member of a batch may cost, by job. */
const MOST = { derive_states: 12 * EVENTS, sweep_inactivity: 10 };

/** @type {import("./postgres.mjs").Postgres} */
let postgres;
/** @type {pg.Client} */
let client;
before(async () => {
  postgres = await startPostgres({ settings: { autovacuum: "off" } });
  client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  // The plans of this session are made while there is nothing.
  for (const job of Object.keys(MOST)) await client.query(`select audience_gate.run_job('${job}')`);
});
after(async () => {
  await client.end();
  await postgres.stop();
});

/** How many rows and index entries of events and states have been read until now. */
async function reads() {
  // A transaction's own counts are shared with the others once it has ended.
  await client.query("select pg_stat_force_next_flush()");
  await client.query("select pg_stat_clear_snapshot()");
  const { rows: [{ read }] } = await client.query(`
    select sum(t.seq_tup_read + t.idx_tup_fetch
      + (select coalesce(sum(i.idx_tup_read), 0) from pg_stat_user_indexes i where i.relid = t.relid))::integer as read
    from pg_stat_user_tables t
    where t.relname in ('audience_events', 'audience_site_state', 'audience_state', 'audience_state_events', 'state_pending')`);
  return read;
}

/** @param {keyof typeof MOST} job @param {string} settings @returns {Promise<[any, number]>} its answer, and what it read */
async function run(job, settings) {
  const earlier = await reads();
  const { rows: [{ answer }] } = await client.query(`select audience_gate.${job}($1) as answer`, [settings]);
  return [answer, await reads() - earlier];
}

test(`a batch of ${MEMBERS} people who wait reads their own events, and a sweep their own states`, async () => {
  await client.query("set role audience_gate_store");
  await client.query(fill(1, MEMBERS, MEMBERS));
  await client.query("reset role");
  const [derived, read] = await run("derive_states", '{"batch_size": 1000, "max_seconds": 0}');
  assert.deepEqual(derived, { members: 1000, events: 1000 * EVENTS, remaining: true });
  assert.ok(read <= 1000 * MOST.derive_states, `${read} read to derive 1000`);

  const [swept, looked] = await run("sweep_inactivity", '{"batch_size": 500}');
  assert.deepEqual(swept, { emitted: 500, rejected: 0, remaining: true });
  assert.ok(looked <= 1000 * MOST.sweep_inactivity, `${looked} read to sweep 500`);
});

test("after a clock that was ahead, the next run counts what came meanwhile, and the age of the figures is true", async () => {
  // What a run that began an hour ahead has left behind.
  await client.query(`
    select audience_gate.refresh_analytics();
    update audience_gate.analytics_settings set covered_until = now() + interval '1 hour';
    update audience_gate.site_zones set covered_until = now() + interval '1 hour';
    update audience_gate.analytics_runs set started_at = started_at + interval '1 hour',
      covered_until = covered_until + interval '1 hour';
    update audience_gate.jobs set created_at = now() - interval '2 hours' where name = 'refresh_analytics';
    insert into audience_gate.job_runs (job, started_at, duration_ms, outcome)
    values ('refresh_analytics', now() + interval '1 hour', 1, 'succeeded')`);
  const { rows: due } = await client.query("select d from audience_gate.due_jobs() d where d = 'refresh_analytics'");
  assert.equal(due.length, 1, "it is due");
  await client.query("select audience_gate.run_job('refresh_analytics')");
  await client.query("set role service_role");
  const { rows: ages } = await client.query(
    "select view_name, age_seconds from public.kpi_freshness($1) where age_seconds is null or age_seconds not between 0 and 300",
    [SITE],
  );
  assert.deepEqual(ages, []);
});
