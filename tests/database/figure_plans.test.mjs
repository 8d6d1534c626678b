/** What the tables of figures look up in the log, by plans made without a statistic of it: as many events as they need. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SITES } from "./kpi_events.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";

const STORED = 60_000;
const SESSIONS = 40;
/** How often an event of the sessions at hand may be looked at: by the visits, the slots, the users and the funnels. */
const LOOKS = 20;

for (const version of VERSIONS) {
  test(`an erasure reads the events of its sessions alone, in a log that nobody has analysed, on Postgres ${version}`, async () => {
    const postgres = await startPostgres({ version, settings: { autovacuum: "off" } });
    try {
      await asClient(postgres.adminUrl, async (client) => {
        await client.query("set session_replication_role = replica");
        await client.query(
          `insert into public.audience_events
             (site_id, session_id, user_id, event_type, event_category, event_source, metadata, occurred_at, contract)
           select $1, 'session-' || n / 5, case when n / 5 < $3 then md5('somebody')::uuid end, 'page_view', 'engagement', 'web',
             '{"page_path": "/"}', now() - n * interval '1 minute', audience_gate.contract_fingerprint()
           from generate_series(0, $2::int - 1) n`,
          [SITES[0], STORED, SESSIONS],
        );
        await client.query("set session_replication_role = origin");
        await client.query("select audience_gate.rebuild_figures()");
        await client.query("select audience_gate.fold_analytics()");
        const read = async () => {
          await client.query("select pg_stat_force_next_flush()");
          await client.query("select pg_stat_clear_snapshot()");
          const { rows: [{ rows }] } = await client.query(
            `select (t.seq_tup_read + sum(i.idx_tup_read))::int as rows
             from pg_stat_user_tables t join pg_stat_user_indexes i on i.relid = t.relid
             where t.relid = 'public.audience_events'::regclass group by t.seq_tup_read`,
          );
          return rows;
        };
        const { rows: [{ ids }] } = await client.query(
          "select array_agg(id) as ids from public.audience_events where user_id = md5('somebody')::uuid",
        );
        assert.equal(ids.length, SESSIONS * 5);
        const before = await read();
        await client.query(
          "select audience_gate.put_figures($1::uuid[], audience_gate.take_figures($1::uuid[]))",
          [ids],
        );
        const looked = await read() - before;
        assert.ok(looked <= ids.length * LOOKS, `${looked} rows of the log were read for ${ids.length} events`);
        const { rows: wrong } = await client.query("select * from audience_gate.kpi_check() limit 3");
        assert.deepEqual(wrong, []);
      });
    } finally {
      await postgres.stop();
    }
  });
}
