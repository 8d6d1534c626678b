import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { event, ingest, newSession } from "../database/events.mjs";
import { asClient, startPostgres, VERSIONS } from "../database/postgres.mjs";
import { applyScripts, insist, load, operate } from "./partitioned.mjs";

const OLD = 20_000;

/** One number for all values of the events that were there before. */
const DIGEST = `select count(*)::int as events, sum(hash_record_extended(e, 0)::numeric)::text as hash
  from public.audience_events e where session_id like 'old-session-%'`;

/** What one sender sent, and what it was told. */
const nothing = () => ({ sent: 0, accepted: 0, replayed: 0, rejected: 0, ids: /** @type {string[]} */ ([]) });

for (const version of VERSIONS) {
  describe(`a move under load on Postgres ${version}`, () => {
    /** @type {import("../database/postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let operator;
    /** @type {{ events: number, hash: string }} */
    let old;
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
      others = [...told.map(send), read()];
      for (const other of others) other.catch(() => loading = false);
      await sleep(200);
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

    /** The log answers all the time, and always with everything. */
    const read = () =>
      asClient(postgres.url, async (client) => {
        while (loading) {
          assert.deepEqual((await client.query(DIGEST)).rows[0], old);
          reads++;
          await sleep(50);
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

    it("finds both tables equal, and has them change places: there, back, and there again", async () => {
      for (const partitioned of [true, false, true]) {
        assert.deepEqual((await operate(operator, "verify_move()")).different, []);
        assert.deepEqual(await insist(operator, "swap_events()"), { partitioned });
        await sleep(300);
      }
      assert.deepEqual((await operate(operator, "verify_move()")).different, []);
    });

    it("ends", async () => {
      assert.deepEqual(await insist(operator, "drop_standby()"), { dropped: "unpartitioned" });
      await sleep(200);
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
        `select count(*)::int as rows, count(distinct id)::int as ids, count(*) filter (where not rejected)::int as accepted
         from public.audience_events where id = any ($1)`,
        [ids],
      );
      const accepted = told.reduce((sum, tally) => sum + tally.accepted, 0);
      assert.deepEqual(stored, { rows: ids.length, ids: ids.length, accepted });
    });

    it("changed nothing: every old event is there with its values, in its month", async () => {
      assert.deepEqual((await operator.query(DIGEST)).rows[0], old);
      const { rows: [log] } = await operator.query(
        `select count(*)::int as events, count(distinct id)::int as ids, (select count(*)::int from audience_gate.event_keys) as keys,
           bool_and(tableoid::regclass::text = 'audience_gate_partitions.audience_events_'
             || to_char(created_at at time zone 'UTC', 'YYYY_MM')) as at_home
         from public.audience_events`,
      );
      assert.deepEqual(log, { events: log.ids, ids: log.ids, keys: log.ids, at_home: true });
    });

    it("left its traces", async () => {
      const { rows } = await operator.query(
        "select action, count(*)::int as times from audience_gate.partition_log where action <> 'partition_added' group by 1 order by 1",
      );
      assert.deepEqual(rows, [
        { action: "move_begun", times: 1 },
        { action: "move_verified", times: 4 },
        { action: "standby_dropped", times: 1 },
        { action: "swapped", times: 3 },
      ]);
    });
  });
}
