/** What a fold reads of somebody's past: as much of it as what is new changes, however long it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SITES } from "./kpi_events.mjs";
import { asClient, startPostgres } from "./postgres.mjs";

/** Somebody's events before, in visits of five. */
const DID = 50_000;
/** How many rows of any table a fold may read in which they come back. */
const MOST = 4000;

/** What they do next: how long ago, in seconds, in which session, whether signed in, and what. @type {[string, [number, string, boolean, string][]][]} */
const MOMENTS = [
  ["they come back", [[30, "next", true, "page_view"], [20, "next", true, "content_view"]]],
  ["they go on", [[10, "next", true, "content_view"], [5, "next", true, "tool_used"]]],
  ["they were there yesterday", [[86_400, "late", true, "page_view"], [86_390, "late", true, "plan_started"]]],
  ["that visit was longer", [[86_380, "late", true, "content_view"], [86_420, "late", true, "page_view"]]],
  ["a visitor reads", [[70, "visitor", false, "page_view"], [65, "visitor", false, "content_view"]]],
  ["the visitor is they", [[3, "visitor", true, "page_view"]]],
  ["they start a plan", [[2, "next", true, "email_subscribe"], [1, "next", true, "plan_started"]]],
];

test("who comes back after fifty thousand events has a few of them read again", async () => {
  const postgres = await startPostgres({ settings: { autovacuum: "off" } });
  try {
    await asClient(postgres.adminUrl, async (client) => {
      const record = (/** @type {string} */ rows, /** @type {unknown[]} */ values) =>
        client.query(
          `insert into public.audience_events
             (site_id, session_id, user_id, event_type, event_category, event_source, metadata, created_at, occurred_at, contract)
           select $1, e.session, e.who, t.id, t.category, 'web', e.metadata, now(), e.at, audience_gate.contract_fingerprint()
           from (${rows}) e (session, who, type, metadata, at)
           join public.audience_event_types t on t.id = e.type`,
          [SITES[0], ...values],
        );
      const fold = async () => {
        const { rows: [{ outcome }] } = await client.query(
          "select audience_gate.fold_analytics() ->> 'outcome' as outcome",
        );
        assert.equal(outcome, "ok");
      };
      await client.query("set session_replication_role = replica");
      await record(
        `select 'session-' || n / 5, md5('somebody')::uuid, (array['page_view', 'content_view', 'page_view', 'tool_used',
           'email_subscribe', 'plan_started', 'video_play'])[1 + n % 7], jsonb_build_object('page_path', '/' || n / 5 % 40),
           now() - interval '90 days' * (1 - n::float8 / $2) - interval '1 hour'
         from generate_series(0, $2::int - 1) n`,
        [DID],
      );
      await client.query("set session_replication_role = origin");
      await client.query("select audience_gate.rebuild_figures()");
      await fold();
      await client.query("vacuum (analyze)");
      for (const [moment, events] of MOMENTS) {
        await record(
          `select 'session-' || r.session, case when r.signed_in then md5('somebody')::uuid end, r.type,
             jsonb_build_object('page_path', '/' || r.ago % 40), now() - interval '1 second' * r.ago
           from jsonb_to_recordset($2) r (ago integer, session text, signed_in boolean, type text)`,
          [JSON.stringify(events.map(([ago, session, signed_in, type]) => ({ ago, session, signed_in, type })))],
        );
        await client.query("begin");
        await fold();
        const { rows: tables } = await client.query(
          `select relname as name, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows
           from pg_stat_xact_user_tables where coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) > 0 order by 2 desc`,
        );
        await client.query("commit");
        const read = tables.reduce((sum, { rows }) => sum + rows, 0);
        assert.ok(read <= MOST, `${moment}: ${read} rows were read: ${JSON.stringify(tables.slice(0, 4))}`);
        const { rows: wrong } = await client.query("select * from audience_gate.kpi_check() limit 3");
        assert.deepEqual(wrong, [], moment);
      }
    });
  } finally {
    await postgres.stop();
  }
});
