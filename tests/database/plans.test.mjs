import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { at, event, ingest, insert, newSession } from "./events.mjs";
import { startPostgres, VERSIONS } from "./postgres.mjs";

const STORED = 200_000;

/** How many rows of the log a statement may read for one event: its id, and what is near it. */
const READS = 12;

for (const version of VERSIONS) {
  describe(`look-ups on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let admin;
    /** @type {pg.Client} */
    let client;

    before(async () => {
      postgres = await startPostgres({
        version,
        settings: { autovacuum: "off" },
      });
      admin = new pg.Client({ connectionString: postgres.adminUrl });
      client = new pg.Client({ connectionString: postgres.url });
      await admin.connect();
      await client.connect();
    });
    after(async () => {
      await client.end();
      await admin.end();
      await postgres.stop();
    });

    /** How many rows and index entries of the log have been read until now. */
    async function reads() {
      // Statistics of another session can be seen once it is idle and has flushed them.
      await client.query("select pg_stat_force_next_flush()");
      await client.query("select 1");
      await admin.query("select pg_stat_clear_snapshot()");
      const { rows: [read] } = await admin.query(
        `select seq_scan::int, seq_tup_read::int,
           (select sum(idx_tup_read)::int from pg_stat_user_indexes i where i.relid = t.relid) as index_entries
         from pg_stat_user_tables t where relid = 'public.audience_events'::regclass`,
      );
      return read;
    }

    it("read a few rows for each event, by plans made while the table was empty", async () => {
      await client.query("set role service_role");
      const session_id = newSession();
      // Plans are made here, and kept by this session.
      for (let i = 0; i < 10; i++) {
        await insert(client, [event()]);
        await ingest(client, [event()]);
      }
      // One session and one type hold everything, the worst case for a look-up by either.
      await client.query("reset role");
      await client.query("set role audience_gate_store");
      await client.query(
        `insert into public.audience_events (session_id, event_type, event_category, event_source, metadata, occurred_at, contract)
         select $1, 'page_view', 'engagement', 'web', '{"page_path": "/"}', now() - n * interval '3 seconds',
           audience_gate.contract_fingerprint()
         from generate_series(100, 100 + $2::int) n`,
        [session_id, STORED],
      );
      await client.query("reset role");
      await client.query("set role service_role");

      const earlier = await reads();
      const start = Date.now() + 60_000;
      const events = Array.from(
        { length: 100 },
        (_, i) => event({ session_id, occurred_at: at(start, -3 * i) }),
      );
      const answer = await ingest(client, events.slice(0, 50));
      assert.equal(answer.accepted, 50);
      await insert(client, events.slice(50));
      const later = await reads();

      assert.equal(
        later.seq_scan - earlier.seq_scan,
        0,
        "the log is never scanned",
      );
      const entries = later.index_entries - earlier.index_entries;
      assert.ok(
        entries <= events.length * READS,
        `${entries} index entries were read for ${events.length} events`,
      );
    });

    it("go by the index made for them", async () => {
      const { rows: [{ scans }] } = await admin.query(
        "select idx_scan::int as scans from pg_stat_user_indexes where indexrelname = 'idx_audience_events_double_fire'",
      );
      assert.ok(scans >= 100, `${scans} scans`);
    });
  });
}
