/** The figures outlive months that are detached: whatever happens meanwhile, they are what the whole log would give. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { NARROWABLE } from "../database/kpi_calls.mjs";
import { asClient, SCENARIO_VERSIONS } from "../database/postgres.mjs";
import { root } from "../runner/paths.mjs";
import { useLog } from "./log.mjs";
import { operate, partition } from "./partitioned.mjs";

/** The figures, by the names of their functions after kpi_. */
const FIGURES = [
  "overview",
  "engagement",
  "people",
  "visits",
  "funnel",
  "retention",
  "pages",
  "errors",
  "campaigns",
  "feature_adoption",
  "performance",
  "referrers",
  "devices",
  "releases",
  "data_quality",
];

/** Twelve sessions every five days, each with a visitor and, in every third, a user; every seventh comes back a month later. */
const EVENTS = `
  insert into public.audience_events
    (created_at, occurred_at, session_id, user_id, event_type, event_category, event_source, metadata, contract)
  select s.at + n.nth * interval '1 minute', s.at + n.nth * interval '1 minute', 'session-' || s.nth,
    case when s.nth % 3 = 0 and n.nth > 1 then md5('user ' || s.nth % 5)::uuid end,
    (array['page_view', 'content_view', 'email_subscribe', 'error_occurred'])[n.nth], 'engagement', 'web',
    jsonb_build_object('page_path', '/' || s.nth % 4, 'duration_seconds', 30, 'tracker', 'web/' || s.nth / 40),
    audience_gate.contract_fingerprint()
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

  it(`stay with a month that is detached and restored, on Postgres ${version}`, () =>
    asClient(log.adminUrl, async (admin) => {
      const fold = async (/** @type {string} */ moment) => {
        const { rows: [{ result }] } = await admin.query("select audience_gate.fold_analytics() as result");
        assert.equal(result.outcome, "ok", JSON.stringify(result));
        const { rows: wrong } = await admin.query("select * from audience_gate.kpi_check() limit 3");
        assert.deepEqual(wrong, [], moment);
      };
      const figures = async () => {
        const found = [];
        // Detaching and restoring are themselves recorded, today.
        const range = "audience_gate.default_site(), now() - interval '120 days', date_trunc('day', now(), 'UTC')";
        const narrowed = [{ entry_page: "/2" }, { event_type: "email_subscribe", referrer: null }].flatMap((to) =>
          NARROWABLE.filter((name) => name !== "visit_hours").map((name) => ({
            name,
            more: `, narrowed => '${JSON.stringify(to)}'`,
          }))
        );
        for (const { name, more } of [...FIGURES.map((name) => ({ name, more: "" })), ...narrowed]) {
          const { rows } = await admin.query(
            `select to_jsonb(k) - 'last_event_at' - 'covered_until' as row from public.kpi_${name}(${range}${more}) k
             where to_jsonb(k) ->> 'period' is distinct from (now() at time zone 'UTC')::date::text`,
          );
          found.push({ name, more, rows: rows.map(({ row }) => row) });
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
      assert.deepEqual(await figures(), whole, "detached, before a fold");
      await fold("detached");
      assert.deepEqual(await figures(), whole, "detached");
      await restore();
      assert.deepEqual(await figures(), whole, "restored, before a fold");
      await fold("restored");
      assert.deepEqual(await figures(), whole, "restored");
      await detach();
      const did = (/** @type {string} */ rows) =>
        admin.query(
          `set role audience_gate_store;
           insert into public.audience_events
             (created_at, occurred_at, session_id, user_id, event_type, event_category, event_source, metadata, contract)
           select now(), e.at, e.session, e.who, e.type, 'engagement', 'web', '{"page_path": "/", "load_ms": 12}',
             audience_gate.contract_fingerprint()
           from (${rows}) e (at, session, who, type);
           reset role`,
        );
      for (
        const [moment, change] of /** @type {[string, () => Promise<unknown>][]} */ ([
          [
            "somebody comes back, in a session of the month and in another",
            () =>
              did(`select now() - interval '3 days', l.session, md5('user 0')::uuid, 'page_view'
              from (values ('session-90'), ('session-late')) l (session)`),
          ],
          [
            "events of the month arrive late",
            () =>
              did(`select timestamptz '${month}' + n * interval '7 hours', 'session-' || 80 + n, null::uuid, t.id
              from generate_series(1, 40) n, unnest('{content_view,email_subscribe}'::text[]) t (id)`),
          ],
          [
            "a visitor of the month signs in",
            () => did("select now() - interval '2 days', 'session-88', md5('user 9')::uuid, 'page_view'"),
          ],
          [
            "an edit of the registry",
            () =>
              admin.query(
                "update public.audience_event_types set tier = 'network', score_weight = 7 where id = 'content_view'",
              ),
          ],
          [
            "an edit of the funnel",
            () => admin.query("delete from audience_gate.default_funnel_steps where position = 2"),
          ],
          [
            "a zone is added",
            () =>
              admin.query("select audience_gate.add_site_zone(audience_gate.default_site(), 'Australia/Lord_Howe')"),
          ],
        ])
      ) {
        await change();
        const live = await figures();
        await fold(moment);
        assert.deepEqual(await figures(), live, moment);
      }
      const detached = await figures();
      await admin.query(
        `set role audience_gate_owner; insert into audience_gate.rebuilds_due default values; reset role`,
      );
      await fold("made anew");
      assert.deepEqual(await figures(), detached, "made anew");
      await restore();
      await fold("restored");
      const { rows: kept } = await admin.query("select * from audience_gate.kept_events limit 1");
      assert.deepEqual(kept, []);
      assert.deepEqual(await figures(), detached, "restored after all of that");
      await detach();
      for (const keep of ["pseudonym", "nothing"]) {
        const user = keep === "nothing" ? "user 2" : "user 1";
        await admin.query("select audience_gate.erase_subject('user_id', md5($1)::uuid::text, 'request 1', $2)", [
          user,
          keep,
        ]);
        const live = await figures();
        await fold("somebody is erased");
        assert.deepEqual(await figures(), live, "somebody is erased");
      }
      const { rows: left } = await admin.query(
        `select k.id from audience_gate.kept_events k where k.user_id in (md5('user 1')::uuid, md5('user 2')::uuid)
           or k.erased and (k.metadata ? 'page_path' or k.session_id not like 'erased-%')`,
      );
      assert.deepEqual(left, [], "what is kept names nobody who was erased");
      await admin.query(
        `insert into audience_gate.retention_rules (id, age, action)
         values ('said', '21 days', 'values'), ('people', '21 days', 'person')`,
      );
      const retain = async () => (await operate(admin, "apply_retention()")).people.people;
      assert.ok(await retain() > 0);
      await fold("by rules of retention");
      const { rows: named } = await admin.query(
        `select k.id from audience_gate.kept_events k
         where k.metadata ? 'page_path' or not k.erased and not exists (
           select from public.audience_events e where e.user_id = k.user_id or e.session_id = k.session_id
             or e.user_id in (select o.user_id from audience_gate.kept_events o where o.session_id = k.session_id))`,
      );
      assert.deepEqual(named, [], "what is kept names nobody who has been silent");
      await admin.query("update audience_gate.retention_progress set done_until = '-infinity'");
      assert.equal(await retain(), 0, "nobody is erased twice");
    }));
}
