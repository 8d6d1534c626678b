/** What the tables of figures read of the log, and what they cost: as much as they need, whoever did it. */
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

test("somebody who entered a funnel ten thousand times costs what ten thousand people do", async () => {
  const postgres = await startPostgres({ settings: { autovacuum: "off" } });
  try {
    await asClient(postgres.adminUrl, async (client) => {
      await client.query("insert into public.audience_sites (id, name) values ($1, 'B')", [SITES[1]]);
      await client.query("set session_replication_role = replica");
      // The same events at the same times: on the one site everybody has their own session, on the other it is one.
      await client.query(
        `insert into public.audience_events
           (site_id, session_id, event_type, event_category, event_source, metadata, occurred_at, contract)
         select s.id, 'session-' || s.id || case when s.id = $1 then n / 4 else 0 end, t.event_type, 'engagement', 'web', '{}',
           now() - n * interval '5 minutes', audience_gate.contract_fingerprint()
         from unnest(array[$1, $2]::uuid[]) s (id)
         cross join generate_series(0, 39999) n
         join (values (0, 'page_view'), (1, 'content_view'), (2, 'email_subscribe'), (3, 'plan_started')) t (nth, event_type)
           on t.nth = n % 4`,
        SITES,
      );
      await client.query("set session_replication_role = origin");
      await client.query("set jit = off");
      const milliseconds = async (/** @type {string} */ site) => {
        const { rows: [{ "QUERY PLAN": [plan] }] } = await client.query(
          `explain (analyze, format json)
           select * from audience_gate.funnel_cells($1, '{t}', false, '-infinity', 'infinity')`,
          [site],
        );
        return plan["Execution Time"];
      };
      await milliseconds(SITES[0]);
      const [many, one] = [await milliseconds(SITES[0]), await milliseconds(SITES[1])];
      assert.ok(one < many * 4, `${Math.round(one)} ms for one person, ${Math.round(many)} ms for ten thousand`);
    });
  } finally {
    await postgres.stop();
  }
});

test("who comes back changes their latest visit alone, and figures made anew lie in the order in which they are read", async () => {
  const postgres = await startPostgres();
  try {
    await asClient(postgres.adminUrl, async (client) => {
      const visit = (/** @type {number} */ from, /** @type {number} */ until) =>
        client.query(
          `insert into public.audience_events
             (site_id, session_id, user_id, event_type, event_category, event_source, metadata, occurred_at, contract)
           select $1, 'session-' || n, md5('somebody')::uuid, 'page_view', 'engagement', 'web',
             jsonb_build_object('page_path', '/' || n % 7), now() - (1000 - n) * interval '1 hour',
             audience_gate.contract_fingerprint()
           from generate_series($2::int, $3::int) n`,
          [SITES[0], from, until],
        );
      await visit(1, 900);
      await client.query("select audience_gate.rebuild_figures()");
      await client.query("select audience_gate.fold_analytics()");
      await visit(901, 901);
      const { rows: changed } = await client.query(
        `select revision, session = md5('session-901')::uuid as latest
         from audience_gate.visit_tail($1, true, audience_gate.live_tail($1))`,
        [SITES[0]],
      );
      assert.deepEqual(changed, [{ revision: 1, latest: true }]);
      const { rows: [{ displaced }] } = await client.query(
        `select count(*)::int as displaced from (
           select row_number() over (order by ctid) as lies, row_number() over (order by tier, slot, previous_slot) as read
           from audience_gate.engagement_slots where site_id = $1
         ) o where o.lies <> o.read`,
        [SITES[0]],
      );
      assert.equal(displaced, 0, "rows that lie elsewhere than they are read");
    });
  } finally {
    await postgres.stop();
  }
});
