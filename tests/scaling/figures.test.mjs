/** The figures of a log of which months are detached: what a recomputation of the rest gives, and the former with the month. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { asClient, SCENARIO_VERSIONS } from "../database/postgres.mjs";
import { root } from "../runner/paths.mjs";
import { useLog } from "./log.mjs";
import { operate, partition } from "./partitioned.mjs";

/** Twelve sessions every five days, each with a visitor and, in every third, a user; every seventh comes back a month later. */
const EVENTS = `
  insert into public.audience_events
    (created_at, occurred_at, session_id, user_id, event_type, event_category, event_source, metadata, contract)
  select s.at + n.nth * interval '1 minute', s.at + n.nth * interval '1 minute', 'session-' || s.nth,
    case when s.nth % 3 = 0 and n.nth > 1 then md5('user ' || s.nth % 5)::uuid end,
    (array['page_view', 'content_view', 'email_subscribe', 'error_occurred'])[n.nth], 'engagement', 'web',
    jsonb_build_object('page_path', '/' || s.nth % 4, 'duration_seconds', 30), audience_gate.contract_fingerprint()
  from (
    select d.nth * 12 + m as nth, date_trunc('month', now(), 'UTC') - interval '3 months' + d.nth * interval '5 days' + m * interval '1 hour'
        + b.later as at
    from generate_series(0, 16) d (nth)
    cross join generate_series(1, 12) m
    join (values (interval '0'), (interval '31 days')) b (later) on b.later = interval '0' or m = 7
  ) s
  cross join generate_series(1, 4) n (nth)`;

for (const version of SCENARIO_VERSIONS) {
  const log = useLog(async ({ client, adminUrl }) => {
    await asClient(adminUrl, (admin) => admin.query(`set role audience_gate_store; ${EVENTS}`));
    await partition(client);
    await operate(client, "drop_standby()");
    await client.query(readFileSync(join(root, "supabase", "scaling", "archive.sql"), "utf8"));
  }, { version });

  it(`follow a month that is detached and restored, on Postgres ${version}`, () =>
    asClient(log.adminUrl, async (admin) => {
      const fold = async (/** @type {string} */ moment) => {
        const { rows: [{ result }] } = await admin.query("select audience_gate.fold_analytics() as result");
        assert.equal(result.outcome, "ok", JSON.stringify(result));
        const { rows: wrong } = await admin.query("select * from audience_gate.kpi_check() limit 3");
        assert.deepEqual(wrong, [], moment);
      };
      const figures = async () => {
        const found = [];
        const range = "audience_gate.default_site(), now() - interval '120 days', now()";
        for (const name of ["overview", "engagement", "people", "visits", "funnel", "retention", "pages", "errors"]) {
          const { rows } = await admin.query(
            `select to_jsonb(k) - 'last_event_at' - 'covered_until' as row from public.kpi_${name}(${range}) k
             where to_jsonb(k) ->> 'period' is distinct from (now() at time zone 'UTC')::date::text`,
          );
          found.push({ name, rows: rows.map(({ row }) => row) });
        }
        return found;
      };
      await fold("at first");
      const whole = await figures();
      const { rows: [{ month, events, content_hash }] } = await admin.query(
        `select m.month::text, h.events::int, h.content_hash
         from (select (date_trunc('month', now(), 'UTC') - interval '2 months') as month) m,
           lateral audience_gate.hash_events('public.audience_events', m.month, m.month + interval '1 month') h`,
      );
      const archived = `'${month}', ${events}, '${content_hash}'`;
      const part = `audience_gate_partitions.audience_events_${month.slice(0, 7).replace("-", "_")}`;
      const detach = () => operate(log.client, `detach_month(${archived}, false)`);
      const restore = async () => {
        await admin.query("begin");
        await operate(admin, `begin_restore(${archived})`);
        await admin.query(`insert into ${part} select * from ${part}_detached`);
        await operate(admin, `finish_restore(${archived})`);
        await admin.query("commit");
      };
      await detach();
      await fold("detached");
      assert.notDeepEqual(await figures(), whole);
      await restore();
      await fold("restored");
      assert.deepEqual(await figures(), whole);
      await detach();
      // Somebody whose visits are detached comes back: in one of them, late, and in a new one.
      await admin.query(
        `insert into public.audience_events
           (session_id, user_id, event_type, event_category, event_source, metadata)
         select l.session, md5('user 0')::uuid, 'page_view', 'engagement', 'web', '{"page_path": "/"}'
         from (values ('session-90'), ('session-late')) l (session)`,
      );
      await fold("detached, and somebody comes back");
      await restore();
      await fold("restored, and somebody came back");
    }));
}
