/** What moves, questions and reports of a tracked table read, by plans that no statistics help. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { startPostgres, VERSIONS } from "./postgres.mjs";

const RECORDS = 40_000;
const MOVES = 5;
const STORED = RECORDS * MOVES;

/** A history of which every record has one move a year, written past the guards, as a restore would. */
const FILL = `
  insert into public.orders (id) select generate_series(11, ${RECORDS});
  alter table public.order_events disable trigger user;
  insert into public.order_events (order_id, from_stage, to_stage, changed_at, actor)
  select r, 's' || n - 1, 's' || n, now() - (${
  MOVES + 1
} - n) * interval '1 year' + r * interval '1 second', 'system:crm'
  from generate_series(1, ${MOVES - 1}) n, generate_series(1, ${RECORDS}) r order by n, r;
  alter table public.order_events enable trigger user`;

const RANGE = "now() - interval '2 years' - interval '1 hour', now() - interval '1 year' - interval '1 hour'";

/** What is asked, and how many index entries and rows of the events it may read. @type {[string, string, number][]} */
const READS = [
  ["a move", "update orders set stage = 'moved' where id = 77", 20],
  ["a move and its note", "select lifecycle_move('orders', '77', 'paid', 'by invoice')", 20],
  ["taking it back", "select lifecycle_revert('orders', '77')", 40],
  ["the timeline", "select * from lifecycle_timeline('orders', '78')", 3 * MOVES],
  ["where it was", "select lifecycle_at('orders', '78', now() - interval '2 years')", 4],
  ["the moves of a year", `select * from lifecycle_funnel('orders', ${RANGE})`, 2 * STORED],
  ["the actors of a year", `select * from lifecycle_actors('orders', ${RANGE})`, 3 * STORED],
  ["the stays of a year", `select * from lifecycle_dwell('orders', ${RANGE})`, 3 * STORED + 3 * RECORDS],
  ["the trend of a year", `select * from lifecycle_trend('orders', 'month', ${RANGE})`, 2 * STORED + 3 * RECORDS],
];

for (const version of VERSIONS) {
  describe(`a history of ${STORED} moves that nobody analysed, on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let client;

    before(async () => {
      postgres = await startPostgres({ version, settings: { autovacuum: "off" } });
      client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      await client.query(`
        create table public.orders (id bigint primary key, stage text not null default 's0');
        insert into public.orders select generate_series(1, 10);
        select audience_gate.track_lifecycle('public.orders', 'stage')`);
      // The plans of the recorders are made while there are next to no events, and kept by this session.
      for (let turn = 0; turn < 10; turn++) await client.query(`update orders set stage = 'turn ${turn}' where id = 1`);
      await client.query(FILL);
    });
    after(async () => {
      await client.end();
      await postgres.stop();
    });

    /** How many rows and index entries of the events have been read until now. */
    async function reads() {
      // A transaction's own counts are shared with the others once it has ended.
      await client.query("select pg_stat_force_next_flush()");
      await client.query("select pg_stat_clear_snapshot()");
      const { rows: [{ read }] } = await client.query(`
        select (t.seq_tup_read + t.idx_tup_fetch
          + (select sum(i.idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid))::integer as read
        from pg_stat_user_tables t where t.relid = 'public.order_events'::regclass`);
      return read;
    }

    it("answers by reading no more than it must", async () => {
      const tooMany = [];
      for (const [title, sql, most] of READS) {
        const earlier = await reads();
        await client.query(sql);
        const read = await reads() - earlier;
        if (read > most) tooMany.push(`${title}: ${read} instead of ${most}`);
      }
      assert.deepEqual(tooMany, []);
    });

    it("pairs a move with the one before or after where the range cuts a stay", async () => {
      const { rows } = await client.query(`
        select 'stay' as of, stage, round(extract(epoch from average) / 86400 / 365)::integer as years
        from lifecycle_dwell('orders', ${RANGE})
        union all
        select 'trend', stage, round(extract(epoch from average) / 86400 / 365)::integer
        from lifecycle_trend('orders', 'century', ${RANGE})`);
      assert.deepEqual(rows, [{ of: "stay", stage: "s4", years: 2 }, { of: "trend", stage: "s3", years: 1 }]);
    });
  });
}
