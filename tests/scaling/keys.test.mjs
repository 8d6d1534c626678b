import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { at, counted, event, ingest, insert, newSession } from "../database/events.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "../database/postgres.mjs";
import { until } from "../until.mjs";
import { load, operate, partition } from "./partitioned.mjs";

for (const version of SCENARIO_VERSIONS) {
  describe(`the keys of a partitioned log on Postgres ${version}`, () => {
    /** @type {import("../database/postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let client;

    before(async () => {
      postgres = await startPostgres({ version, settings: { track_functions: "pl" } });
      client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      await load(
        client,
        `select gen_random_uuid(), now() - n * interval '1 month', 'a-month-' || n || '-ago', 'page_view', 'engagement',
           'web', '{}' from generate_series(1, 6) n`,
      );
      await partition(client);
      await operate(client, "drop_standby()");
    });
    after(async () => {
      await client.end();
      await postgres.stop();
    });

    it("accepts one id once from many senders at once", async () => {
      const sent = event();
      const senders = await Promise.all(Array.from({ length: 12 }, async () => {
        const sender = new pg.Client({ connectionString: postgres.url });
        await sender.connect();
        await sender.query("set role service_role");
        return sender;
      }));
      // Sessions differ, so that the senders do not queue for the lock of one session.
      const answers = await Promise.all(
        senders.map((sender) => ingest(sender, [{ ...sent, session_id: newSession() }])),
      );
      await Promise.all(senders.map((sender) => sender.end()));
      assert.equal(answers.reduce((sum, answer) => sum + answer.accepted, 0), 1);
      assert.deepEqual(
        answers.flatMap(({ rejected }) => rejected.map((/** @type {any} */ { rule_id }) => rule_id)),
        Array(11).fill("identity.id_reuse"),
      );
    });

    it("makes a second sender wait for an id that is being recorded, and then judges by what it holds", async () => {
      // In sessions that share no lock: otherwise they would wait for each other's session and not for the id.
      const { rows: apart } = await client.query(
        "select distinct on (audience_gate.session_bucket(s)) s as session_id from unnest($1::text[]) s",
        [Array.from({ length: 20 }, newSession)],
      );
      const sent = event(apart.pop());
      const other = () => ({ ...sent, ...apart.pop() });
      /** @type {[string, (sender: pg.Client) => Promise<unknown>, unknown][]} */
      const ways = [
        ["a batch", (sender) => ingest(sender, [other()]).then((a) => a.rejected[0].rule_id), "identity.id_reuse"],
        ["a direct insert", (sender) => insert(sender, [other()]).catch(({ code }) => code), "40001"],
      ];
      await client.query("set role service_role; begin");
      assert.equal((await ingest(client, [sent])).accepted, 1);
      let waiting = ways.length;
      const second = ways.map(([, way]) =>
        asClient(postgres.url, async (sender) => {
          await sender.query("set role service_role");
          const answer = await way(sender);
          waiting--;
          return answer;
        })
      );
      const waiters = async () =>
        (await client.query("select distinct pid from pg_locks where not granted")).rows.length;
      await until(async () => await waiters() === ways.length || waiters(), "all of them wait for the first");
      assert.equal(waiting, ways.length);
      await client.query("commit; reset role");
      const answers = await Promise.all(second);
      for (const [i, [name, , expected]] of ways.entries()) assert.deepEqual(answers[i], expected, name);
      assert.deepEqual(await counted(client, "id", [sent.id]), { accepted: 1, audited: 0 });
    });

    it("accepts an id again if its first sender gave up", async () => {
      const sent = event();
      await client.query("set role service_role; begin");
      assert.equal((await ingest(client, [sent])).accepted, 1);
      await client.query("rollback; set role service_role");
      assert.equal((await ingest(client, [sent])).accepted, 1);
      assert.deepEqual((await ingest(client, [sent])).replayed, [0]);
      await client.query("reset role");
      assert.deepEqual(await counted(client, "id", [sent.id]), { accepted: 1, audited: 0 });
    });

    it("records each rejection once, under an id of its own, and takes the mended event under the id that was sent", async () => {
      const [id, other] = [randomUUID(), randomUUID()];
      const session_id = newSession();
      const audit = (/** @type {string} */ event_id, /** @type {string} */ rule) => ({
        session_id,
        event_source: "edge-function",
        metadata: { event_id, validation_rule_id: rule, payload_digest: rule, violations: [rule] },
      });
      const rejected = [audit(id, "base.metadata"), audit(id, "base.utm"), audit(other, "base.utm")];
      await client.query("set role service_role");
      await ingest(client, [], { rejected });
      await ingest(client, [], { rejected });
      const answer = await ingest(client, [event({ id: other }), event({ id })]);
      await client.query("reset role");
      assert.equal(answer.accepted, 2);
      assert.deepEqual(await counted(client, "session_id", [session_id]), { accepted: 0, audited: 3 });
    });

    it("compares with what the month of an id holds", async () => {
      const sent = event();
      await client.query("set role service_role");
      await ingest(client, [sent]);
      const [same, changed] = [await ingest(client, [sent]), await ingest(client, [{ ...sent, event_source: "ios" }])];
      await insert(client, [{ ...sent, event_source: "android" }]);
      await client.query("reset role");
      assert.deepEqual(same.replayed, [0]);
      assert.equal(changed.rejected[0].rule_id, "identity.id_reuse");
      assert.deepEqual(await counted(client, "session_id", [sent["session_id"]]), { accepted: 1, audited: 2 });
    });

    it("knows a repeat of history, however long ago that was", async () => {
      const session_id = newSession();
      const { rows: [{ then }] } = await client.query("select now() - interval '100 days' as then");
      await load(
        client,
        `select gen_random_uuid(), '${then.toISOString()}', '${session_id}', 'page_view', 'engagement', 'web', '{}'`,
      );
      const later = (/** @type {number} */ seconds) => event({ session_id, occurred_at: at(then.getTime(), seconds) });
      await client.query("set role service_role");
      const answer = await ingest(client, [later(2.9), later(3.1)]);
      await client.query("reset role");
      assert.equal(answer.accepted, 1);
      assert.deepEqual(answer.rejected.map((/** @type {{ index: number }} */ { index }) => index), [0]);
    });

    it("writes the keys of a batch at once, and those of a direct insert and a bulk load by trigger", async () => {
      const calls = async () => {
        await client.query("select pg_stat_force_next_flush()");
        await client.query("select pg_stat_clear_snapshot()");
        const { rows: [counts] } = await client.query(
          `select (select coalesce(sum(calls), 0)::int from pg_stat_user_functions where funcname = 'keep_key') as calls,
             (select count(*)::int from audience_gate.event_keys) as keys`,
        );
        return counts;
      };
      const more = async (/** @type {() => Promise<unknown>} */ work) => {
        const earlier = await calls();
        await work();
        const now = await calls();
        return { calls: now.calls - earlier.calls, keys: now.keys - earlier.keys };
      };
      const ten = () => Array.from({ length: 10 }, () => event());
      assert.deepEqual(
        await more(async () => {
          await client.query("set role service_role");
          await ingest(client, ten(), { rejected: [{ ...event(), metadata: {} }] });
          await client.query("reset role");
        }),
        { calls: 0, keys: 11 },
      );
      assert.deepEqual(
        await more(async () => {
          await client.query("set role service_role");
          await insert(client, ten());
          await client.query("reset role");
        }),
        { calls: 10, keys: 10 },
      );
      assert.deepEqual(
        await more(() =>
          load(
            client,
            `select gen_random_uuid(), now() - n * interval '1 month', 'bulk-session-' || n, 'page_view', 'engagement',
               'web', '{}' from generate_series(1, 10) n`,
          )
        ),
        { calls: 10, keys: 10 },
      );
    });

    it("refuses a bulk load of a recorded id as a whole, and says what to do", async () => {
      const { rows: [{ id }] } = await client.query(
        "select id from audience_gate.event_keys order by created_at limit 1",
      );
      const session = newSession();
      await assert.rejects(
        load(
          client,
          `select id, now() - interval '2 months', '${session}', 'page_view', 'engagement', 'web', '{}'
           from unnest(array[gen_random_uuid(), '${id}']) id`,
        ),
        { code: "23505", hint: "leave recorded events out of the load" },
      );
      assert.deepEqual(await counted(client, "session_id", [session]), { accepted: 0, audited: 0 });
    });

    it("does not replace a way of storing events that it does not know", async () => {
      const version = "create or replace function audience_gate.store_version() returns integer language sql immutable";
      const { rows: [{ known }] } = await client.query(
        "select pg_get_functiondef('audience_gate.store_version()'::regprocedure) as known",
      );
      await client.query(`${version} as 'select 0'`);
      await assert.rejects(operate(client, "fit_functions()"), { code: "55000", message: /how this release stores/ });
      await client.query(known);
      await operate(client, "fit_functions()");
    });
  });
}
