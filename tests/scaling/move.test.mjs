import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { event, ingest, newSession } from "../database/events.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "../database/postgres.mjs";
import { until } from "../until.mjs";
import { applyScripts, insist, load, operate } from "./partitioned.mjs";

const OLD = 20_000;

/** One number for all values of the events that were there before. */
const DIGEST = `select count(*)::int as events, sum(hash_record_extended(e, 0)::numeric)::text as hash
  from public.audience_events e where session_id like 'old-session-%'`;

/** What one sender sent, and the answers it got. */
const nothing = () => ({ sent: 0, accepted: 0, replayed: 0, rejected: 0, ids: /** @type {string[]} */ ([]) });

/** Everything about the table and its functions that a move takes apart and puts together again. */
const SHAPE = `
  select 'column' as kind, concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)) as detail
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = 'public.audience_events'::regclass and a.attnum > 0
  union all
  select 'table', concat_ws(' ', relkind, pg_get_userbyid(relowner), relrowsecurity, relforcerowsecurity, obj_description(oid, 'pg_class'))
  from pg_class where oid = 'public.audience_events'::regclass
  union all
  select 'grant', concat_ws(' ', a.grantee::regrole, a.privilege_type, a.is_grantable)
  from pg_class, aclexplode(relacl) a where oid = 'public.audience_events'::regclass
  union all
  select 'index', concat_ws(' ', pg_get_indexdef(indexrelid), obj_description(indexrelid, 'pg_class'))
  from pg_index where indrelid = 'public.audience_events'::regclass
  union all
  select 'constraint', concat_ws(' ', conname, pg_get_constraintdef(oid)) from pg_constraint
  where conrelid = 'public.audience_events'::regclass and contype <> 'n'
  union all
  select 'trigger', pg_get_triggerdef(oid) from pg_trigger where tgrelid = 'public.audience_events'::regclass
  union all
  select 'policy', concat_ws(' ', policyname, permissive, roles, cmd, qual, with_check) from pg_policies
  where schemaname = 'public' and tablename = 'audience_events'
  union all
  select 'view', concat_ws(' ', oid::regclass, pg_get_userbyid(relowner), relacl, reloptions, pg_get_viewdef(oid)) from pg_class
  where relkind = 'v' and relnamespace in ('public'::regnamespace, 'audience_gate'::regnamespace)
  union all
  select 'function', concat_ws(' ', pg_get_userbyid(proowner), proacl, obj_description(oid, 'pg_proc'), pg_get_functiondef(oid)) from pg_proc
  where prokind = 'f' and pronamespace in ('public'::regnamespace, 'audience_gate'::regnamespace)
  order by 1, 2`;

/** @param {pg.Client} client @returns {Promise<string[]>} */
const shape = async (client) => (await client.query(SHAPE)).rows.map(({ kind, detail }) => `${kind}: ${detail}`);

for (const version of SCENARIO_VERSIONS) {
  describe(`a move under load on Postgres ${version}`, () => {
    /** @type {import("../database/postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let operator;
    /** @type {{ events: number, hash: string }} */
    let old;
    /** @type {string[]} */
    let made;
    let loading = true;
    const told = [nothing(), nothing(), nothing()];
    let reads = 0;
    /** @type {Promise<void>[]} */
    let others;

    before(async () => {
      postgres = await startPostgres({ version });
      operator = new pg.Client({ connectionString: postgres.url });
      await operator.connect();
      await applyScripts(operator);
      await load(
        operator,
        `select gen_random_uuid(), now() - n * interval '10 minutes', 'old-session-' || n, 'page_view', 'engagement',
           'web', jsonb_build_object('page_path', '/' || n) from generate_series(1, ${OLD}) n`,
      );
      old = (await operator.query(DIGEST)).rows[0];
      made = await shape(operator);
      others = [...told.map(send), read()];
      for (const other of others) other.catch(() => loading = false);
      await underLoad();
    });
    after(async () => {
      loading = false;
      await Promise.allSettled(others ?? []);
      await operator.end();
      await postgres.stop();
    });

    /** Sends new events, retries and double fires until told to stop. @param {ReturnType<typeof nothing>} tally */
    const send = (tally) =>
      asClient(postgres.url, async (client) => {
        await client.query("set role service_role");
        while (loading) {
          const session_id = newSession();
          const twice = event({ session_id });
          const fresh = Array.from({ length: 20 }, () => event());
          const batch = [...fresh, twice, twice, event({ session_id }), event({ id: tally.ids.at(-5) ?? fresh[0].id })];
          const answer = await ingest(client, batch);
          tally.sent += batch.length;
          tally.accepted += answer.accepted;
          tally.replayed += answer.replayed.length;
          tally.rejected += answer.rejected.length;
          tally.ids.push(...new Set(batch.map(({ id }) => String(id))));
        }
      });

    /** Waits until every sender and the reader have made progress, so that the load has met what was just done. */
    const underLoad = () => {
      const before = told.map(({ sent }) => sent);
      const read = reads;
      return until(
        () =>
          reads > read && told.every(({ sent }, i) => sent > before[i]) ||
          { before, told: told.map(({ sent }) => sent) },
        "every sender sends, and the log is read",
        60,
      );
    };

    /** Reads all the time: the log always answers, and always with everything. */
    const read = () =>
      asClient(postgres.url, async (client) => {
        while (loading) {
          assert.deepEqual((await client.query(DIGEST)).rows[0], old);
          reads++;
          // It shares the machine with the senders.
          await pause(50);
        }
      });

    it("begins, and cannot be begun twice", async () => {
      assert.equal((await insist(operator, "begin_move()")).copied, false);
      await assert.rejects(operate(operator, "begin_move()"), { code: "55000" });
      await assert.rejects(operate(operator, "verify_move()"), { code: "55000" });
      await assert.rejects(operate(operator, "swap_events()"), { code: "55000" });
    });

    it("goes on where it was broken off", async () => {
      const { copied_rows } = await operate(operator, `copy_events('{"batch_size": 3000}')`);
      assert.equal(copied_rows, 3000);
      await operator.query("begin");
      await operate(operator, `copy_events('{"batch_size": 3000}')`);
      await operator.query("rollback");
      const { rows: [progress] } = await operator.query(
        "select copied_rows::int, copied from audience_gate.partition_move",
      );
      assert.deepEqual(progress, { copied_rows: 3000, copied: false });
      const { rows: [{ run }] } = await operator.query("select audience_gate.run_job('copy_events') as run");
      assert.equal(run.outcome, "succeeded");
      assert.equal(run.result.copied, true);
      assert.ok(run.result.copied_rows >= OLD);
    });

    it("finds both tables equal, and swaps them: there, back, and there again", async () => {
      for (const partitioned of [true, false, true]) {
        assert.deepEqual((await operate(operator, "verify_move()")).different, []);
        assert.deepEqual(await insist(operator, "swap_events()"), { partitioned });
        await underLoad();
      }
      assert.deepEqual((await operate(operator, "verify_move()")).different, []);
    });

    it("ends", async () => {
      assert.deepEqual(await insist(operator, "drop_standby()"), { dropped: "unpartitioned" });
      await assert.rejects(operate(operator, "begin_move()"), { code: "55000", message: /partitioned already/ });
      await underLoad();
    });

    it("changed nothing: every event is there once, with its key, in its month", async () => {
      const { rows: [log] } = await operator.query(
        `select count(*)::int as events, count(distinct id)::int as ids, (select count(*)::int from audience_gate.event_keys) as keys,
           bool_and(tableoid::regclass::text = 'audience_gate_partitions.audience_events_'
             || to_char(created_at at time zone 'UTC', 'YYYY_MM')) as at_home
         from public.audience_events`,
      );
      assert.deepEqual(log, { events: log.ids, ids: log.ids, keys: log.ids, at_home: true });
    });

    it("comes back to one table by the same steps", async () => {
      await insist(operator, "begin_return()");
      await assert.rejects(operate(operator, "begin_return()"), { code: "55000" });
      await operate(operator, `copy_events('{"max_seconds": 60}')`);
      for (const partitioned of [false, true, false]) {
        assert.deepEqual((await operate(operator, "verify_move()")).different, []);
        assert.deepEqual(await insist(operator, "swap_events()"), { partitioned });
        await underLoad();
      }
      assert.deepEqual((await operate(operator, "verify_move()")).different, []);
      assert.deepEqual(await insist(operator, "drop_standby()"), { dropped: "partitioned" });
      await underLoad();
      loading = false;
      await Promise.all(others);
      assert.ok(reads > 5, `read ${reads} times`);
    });

    it("lost nothing: sent = accepted + replayed + rejected, in the answers and in the table", async () => {
      for (const tally of told) {
        assert.ok(tally.accepted > 0 && tally.replayed > 0 && tally.rejected > 0);
        assert.equal(tally.sent, tally.accepted + tally.replayed + tally.rejected);
      }
      const ids = [...new Set(told.flatMap((tally) => tally.ids))];
      const { rows: [stored] } = await operator.query(
        `select count(*)::int as rows, count(distinct sent.id)::int as ids, count(*) filter (where not rejected)::int as accepted
         from public.audience_events e
         cross join lateral (select case when e.rejected then e.metadata ->> 'event_id' else e.id::text end as id) sent
         where sent.id = any ($1)`,
        [ids],
      );
      const accepted = told.reduce((sum, tally) => sum + tally.accepted, 0);
      const rejected = told.reduce((sum, tally) => sum + tally.rejected, 0);
      assert.deepEqual(stored, { rows: accepted + rejected, ids: ids.length, accepted });
    });

    it("left every old event as it was, and the table as it was made", async () => {
      assert.deepEqual((await operator.query(DIGEST)).rows[0], old);
      assert.deepEqual(await shape(operator), made);
      const { rows: [left] } = await operator.query(
        `select (select count(*)::int from audience_gate.event_keys) as keys, count(*)::int as parts
         from pg_class where relnamespace in ('audience_gate_partitions'::regnamespace, 'audience_gate_standby'::regnamespace)`,
      );
      assert.deepEqual(left, { keys: 0, parts: 0 });
    });

    it("can be done again", async () => {
      await operate(operator, "begin_move()");
      await operate(operator, `copy_events('{"max_seconds": 60}')`);
      assert.deepEqual((await operate(operator, "verify_move()")).different, []);
      assert.deepEqual(await operate(operator, "drop_standby()"), { dropped: "partitioned" });
      assert.deepEqual(await shape(operator), made);
    });

    it("left its traces", async () => {
      const { rows } = await operator.query(
        "select action, count(*)::int as times from audience_gate.partition_log where action <> 'partition_added' group by 1 order by 1",
      );
      assert.deepEqual(rows, [
        { action: "move_begun", times: 3 },
        { action: "move_verified", times: 9 },
        { action: "standby_dropped", times: 3 },
        { action: "swapped", times: 6 },
      ]);
    });
  });
}
