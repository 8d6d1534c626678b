// A person is erased from every month that the database has: in the log, and detached and kept. What only an archive has is
// erased in archive-erase.test.mjs.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ADA } from "../database/erase_scene.mjs";
import { ingest } from "../database/events.mjs";
import { SCENARIO_VERSIONS } from "../database/postgres.mjs";
import { applyArchive, gate, monthBefore, record } from "./archived.mjs";
import { useLog } from "./log.mjs";
import { operate, partition } from "./partitioned.mjs";

const ROWS = 200;
/** Her event of this month ago. @param {number} ago */
const hers = (ago) => ({
  id: `00000000-0000-4000-9000-00000000000${ago}`,
  user_id: ADA,
  session_id: `session-of-ada-${ago}`,
  event_type: "page_view",
  event_category: "engagement",
  event_source: "web",
  metadata: { page_path: `/canary-${ago}` },
});

for (const version of SCENARIO_VERSIONS) {
  describe(`a person in months on Postgres ${version}`, () => {
    /** @type {string[]} */
    const months = [];
    const log = useLog(async ({ client, url, folder }) => {
      for (const ago of [0, 1, 2, 3]) months.push(await monthBefore(client, ago));
      await record(client, 3, ROWS);
      await client.query("set role audience_gate_store");
      for (const ago of [1, 2, 3]) {
        await client.query(
          `insert into public.audience_events (id, user_id, session_id, event_type, event_category, event_source, metadata, created_at)
           select x.id, x.user_id, x.session_id, x.event_type, x.event_category, x.event_source, x.metadata,
             date_trunc('month', now(), 'UTC') - $2 * interval '1 month' + interval '1 day'
           from jsonb_populate_record(null::public.audience_events, $1) x`,
          [hers(ago), ago],
        );
      }
      await client.query("reset role");
      await applyArchive(client);
      await partition(client);
      await operate(client, "drop_standby()");
      assert.equal(gate(url, "archive", folder).status, 0);
      assert.equal(gate(url, "detach", folder, months[2]).status, 0);
      assert.equal(gate(url, "detach", folder, months[3], "--drop").status, 0);
    }, { version });
    const erase = async () =>
      (await log.client.query("select audience_gate.erase_subject('user_id', $1, 'request 17') as done", [ADA])).rows[0]
        .done;
    /** The tables of events that hold her. */
    const holding = async () => {
      const { rows } = await log.client.query(`select c.oid::regclass::text as name from pg_class c
        where c.relkind = 'r' and c.relnamespace = 'audience_gate_partitions'::regnamespace`);
      const found = [];
      for (const { name } of rows) {
        const { rows: [{ held }] } = await log.client.query(
          `select count(*)::int as held from ${name} t where t::text ~ 'canary|session-of-ada|${ADA}'`,
        );
        if (held > 0) found.push(`${name}: ${held}`);
      }
      return found;
    };

    it("is erased from the log and from months that were kept beside it", async () => {
      assert.equal((await holding()).length, 2);
      assert.equal((await erase()).events, 2);
      assert.deepEqual(await holding(), []);
      assert.equal((await erase()).events, 0);
    });

    it("does not come back with what is sent again, whether its month is in the log or not", async () => {
      const answer = await ingest(log.client, [1, 2, 3].map(hers));
      assert.deepEqual([answer.accepted, answer.rejected], [0, []], JSON.stringify(answer));
      assert.deepEqual(await holding(), []);
    });
  });
}
