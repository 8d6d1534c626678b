// Rules of retention: what was said goes from each event past its age, and whoever has done nothing for long is erased; nobody
// else's rows and no figure change, every checkpoint of before still verifies, and nothing happens until it is enabled.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { commandLine } from "../command_line.mjs";
import { blocks } from "../docs/documents.mjs";
import { ADA, BOB, figures, holding, SITE } from "./erase_scene.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const MEMBER = "99999999-2222-4222-8222-999999999999";
const SAID = "canary-said";
/** Who did what, how many days ago. */
const DONE = [
  ...Array.from({ length: 30 }, (_, place) => ({ user: ADA, session: "session-of-ada", ago: 400 + place % 3 })),
  { user: ADA, session: "session-shared", ago: 400 },
  { user: null, session: "session-of-ada", ago: 401 },
  { user: BOB, session: "session-shared", ago: 400 },
  ...Array.from({ length: 30 }, (_, place) => ({ user: BOB, session: `session-of-bob-${place % 4}`, ago: place * 14 })),
  { user: MEMBER, session: "session-of-member", ago: 402 },
  ...Array.from({ length: 12 }, (_, place) => ({ user: null, session: "session-of-a-visitor", ago: 403 - place })),
  ...Array.from(
    { length: 12 },
    (_, place) => ({ user: null, session: "session-that-stays", ago: 403 - 40 * (place % 11) }),
  ),
].map(({ user, session, ago }, place) => ({
  user_id: user,
  session_id: session,
  created_at: `${ago} days ${place} minutes`,
  event_type: place % 4 === 0 ? "content_view" : "page_view",
  event_category: "engagement",
  utm_source: "letter",
  utm_medium: "mail",
  utm_campaign: "spring",
  utm_term: place % 4 === 0 || ago <= 90 ? null : SAID,
  metadata: place % 4 === 0
    ? { content_id: "a-7", duration_seconds: 30, scroll_depth_percent: 50 }
    : { page_path: ago > 90 ? `/${SAID}` : "/now", duration_seconds: 5 },
  rejected: false,
}));
const REFUSED = [400, 2].map((ago) => ({
  user_id: null,
  session_id: "session-refused",
  created_at: `${ago} days`,
  event_type: "event_validation_fail",
  event_category: "system",
  metadata: {
    rejection_reason: "no",
    validation_rule_id: "parse.json",
    validation_result: "rejected",
    source_system: "web",
    original_payload_snapshot: { session_id: "session-of-a-visitor", said: ago > 90 ? SAID : "now" },
  },
  rejected: true,
}));

const folder = mkdtempSync(join(tmpdir(), "audience-gate-retention-"));
const program = commandLine();
after(() => rmSync(folder, { recursive: true }));

/** @param {string} url @param {string[]} args */
function seal(url, ...args) {
  const { status, stdout, stderr } = spawnSync(program, ["seal", ...args], {
    env: { ...process.env, DATABASE_URL: url },
    encoding: "utf8",
  });
  return { status, out: stdout + stderr };
}

for (const version of SCENARIO_VERSIONS) {
  describe(`Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    const note = join(folder, `note-${version}`);
    let verifier = "";
    /** @type {unknown} */
    let figuresBefore;
    const run = (/** @type {string} */ sql, /** @type {unknown[]} */ values = []) =>
      asClient(postgres.url, async (client) => (await client.query(sql, values)).rows);
    /** Everything that is drawn, over the months in question. */
    const drawn = () =>
      asClient(postgres.url, async (client) => {
        const found = [];
        for (const ago of [0, 90, 180, 270, 360, 390]) found.push(await figures(client, ago, 89));
        return found;
      });
    /** Runs the job as a schedule does. @param {Record<string, number>} [settings] */
    const apply = async (settings) => {
      if (settings) await run("update audience_gate.jobs set settings = $1 where name = 'apply_retention'", [settings]);
      const [{ done }] = await run("select audience_gate.run_job('apply_retention') as done");
      assert.equal(done.outcome, "succeeded", JSON.stringify(done));
      return done.result;
    };
    const store = (/** @type {object[]} */ rows) =>
      asClient(postgres.url, async (client) => {
        await client.query("set role audience_gate_store");
        await client.query(
          `insert into public.audience_events (id, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium,
             utm_campaign, utm_term, metadata, rejected, contract, created_at)
           select gen_random_uuid(), x.user_id, x.session_id, x.event_type, x.event_category, 'web', x.utm_source, x.utm_medium,
             x.utm_campaign, x.utm_term, x.metadata, x.rejected, audience_gate.contract_fingerprint(), now() - x.created_at
           from jsonb_to_recordset($1::jsonb) x (user_id uuid, session_id text, event_type text, event_category text, utm_source text,
             utm_medium text, utm_campaign text, utm_term text, metadata jsonb, rejected boolean, created_at interval)`,
          [JSON.stringify(rows)],
        );
      });
    /** What was taken out of the tables of figures, and put into them, is what a recomputation of all events gives. */
    const cellsHold = async (/** @type {string} */ moment) => {
      assert.deepEqual(await run("select * from audience_gate.kpi_check() limit 3"), [], moment);
      assert.deepEqual(await run("select * from audience_gate.rebuilds_due"), [], `${moment}, a rebuild was asked for`);
    };
    const erasures = () => run("select keep, reason from audience_gate.erasures order by erased_at, id");
    const verifies = () => {
      const { status, out } = seal(postgres.url, "verify", "--checkpoint", note, "--key", verifier);
      assert.equal(status, 0, out);
      return out;
    };

    before(async () => {
      postgres = await startPostgres({ version });
      await run(`update audience_gate.jobs set active = false where name <> 'apply_retention';
        update audience_gate.analytics_settings set settle = '0';
        insert into auth.users (id, email) values ('${ADA}', 'a@example.com'), ('${BOB}', 'b@example.com'), ('${MEMBER}', 'c@example.com');
        insert into public.audience_site_members (site_id, user_id, role) values ('${SITE}', '${MEMBER}', 'owner');
        select audience_gate.start_sealing()`);
      await store([...DONE, ...REFUSED]);
      await run("select audience_gate.derive_states()");
      await run("select audience_gate.seal_rows('{}')");
      const key = join(folder, `key-${version}`);
      verifier = seal(postgres.url, "key", "example.com/events", "--out", key).out.trim();
      assert.equal(seal(postgres.url, "sign", "--key", key, "--note", note).status, 0);
      await run("select audience_gate.refresh_analytics()");
      figuresBefore = await drawn();
      assert.ok((await asClient(postgres.adminUrl, (client) => holding(client, [ADA]))).length > 30);
    });
    after(() => postgres.stop());

    test("nothing happens until rules are made and the job is enabled", async () => {
      assert.deepEqual(await run("select active from audience_gate.jobs where name = 'apply_retention'"), [{
        active: false,
      }]);
      assert.deepEqual(await apply(), {});
      assert.deepEqual(await erasures(), []);
    });

    test("what was said is taken out of each event of a type that is past its age, and of nothing else", async () => {
      await run(`insert into audience_gate.retention_rules (id, event_type, age, action) values
        ('pages', 'page_view', '90 days', 'values'), ('refused', 'event_validation_fail', '90 days', 'values')`);
      const kept = () =>
        run(`select to_jsonb(e) as row from public.audience_events e
          where e.event_type = 'content_view' or e.created_at > now() - interval '90 days' order by e.id`);
      const before = await kept();
      const [{ old }] = await run(`select count(*)::int as old from public.audience_events
        where event_type in ('page_view', 'event_validation_fail') and created_at < now() - interval '90 days'`);
      assert.ok(old > 40);
      // In parts of seven, all of them in one run.
      const done = await apply({ batch_size: 7, max_seconds: 60 });
      assert.deepEqual(done.pages, { done: true, events: old - 1, people: 0 });
      assert.deepEqual(done.refused, { done: true, events: 1, people: 0 });
      await cellsHold("what was said is gone");
      assert.deepEqual(await kept(), before);
      await run("select audience_gate.refresh_analytics()");
      await asClient(postgres.adminUrl, (client) => client.query("vacuum (full, analyze)"));
      assert.deepEqual(await asClient(postgres.adminUrl, (client) => holding(client, [SAID])), []);
      assert.equal((await run(`select from public.audience_events where user_id = '${ADA}'`)).length, 31);
      assert.match(verifies(), new RegExp(`${old} of them were erased since`));
    });

    test("every figure is what it was", async () => assert.deepEqual(await drawn(), figuresBefore));

    test("whoever has done nothing for so long is erased, and nobody who has, or who is a member", async () => {
      const others = () =>
        run(`select to_jsonb(e) as row from public.audience_events e
          where e.user_id in ('${BOB}', '${MEMBER}') or e.session_id in ('session-that-stays', 'session-shared') and e.user_id is null
          union all select to_jsonb(s) from public.audience_site_state s where s.user_id in ('${BOB}', '${MEMBER}')
          union all select to_jsonb(m) from public.audience_site_members m order by 1`);
      const before = await others();
      await run("insert into audience_gate.retention_rules (id, age, action) values ('gone', '380 days', 'person')");
      const done = await apply({ batch_size: 10, max_seconds: 60 });
      assert.deepEqual({ people: done.gone.people, done: done.gone.done }, { people: 2, done: true });
      await cellsHold("people are gone");
      assert.deepEqual(await others(), before);
      await run("select audience_gate.refresh_analytics()");
      await asClient(postgres.adminUrl, (client) => client.query("delete from auth.users where id = $1", [ADA]));
      await asClient(postgres.adminUrl, (client) => client.query("vacuum (full, analyze)"));
      const held = await asClient(
        postgres.adminUrl,
        (client) => holding(client, [ADA, "session-of-ada", "session-of-a-visitor"]),
      );
      assert.deepEqual(held, []);
      assert.match(verifies(), /were erased since/);
    });

    test("every figure is still what it was, and of each day too", async () =>
      assert.deepEqual(await drawn(), figuresBefore));

    test("what a rule did is recorded without a person, and who made the rule too", async () => {
      const recorded = await erasures();
      assert.deepEqual([...new Set(recorded.map(({ reason }) => reason))].sort(), [
        "retention rule gone",
        "retention rule pages",
        "retention rule refused",
      ]);
      const rules = await run(
        "select record ->> 'id' as id, actor from public.audience_registry_history('retention_rule') h (e, record, b, a, actor)",
      );
      assert.deepEqual(rules.map(({ id }) => id).sort(), ["gone", "pages", "refused"]);
      assert.deepEqual(
        await run("select audience_gate.export_erasures('-infinity') @> '[{\"subject_kind\": \"age\"}]' as listed"),
        [
          { listed: false },
        ],
      );
    });

    test("a second run finds nothing and records nothing, from the beginning too", async () => {
      const before = await erasures();
      for (const edit of ["", "update audience_gate.retention_progress set begun_at = now() - interval '8 days'"]) {
        await run(edit);
        for (const { events, people, done } of Object.values(await apply({ batch_size: 10, max_seconds: 60 }))) {
          assert.deepEqual([events, people, done], [0, 0, true]);
        }
      }
      assert.deepEqual(await erasures(), before);
    });

    test("history that comes in later is gone through within a week, and a run that is out of time goes on in the next", async () => {
      await store(
        DONE.slice(0, 31).map((row) => ({
          ...row,
          user_id: "88888888-2222-4222-8222-999999999999",
          session_id: "session-late",
        })),
      );
      await run("update audience_gate.retention_progress set begun_at = now() - interval '8 days'");
      const none = await apply({ batch_size: 5, max_seconds: 0 });
      assert.ok(Object.values(none).every(({ events, done }) => events === 0 && !done), JSON.stringify(none));
      const done = await apply({ batch_size: 5, max_seconds: 60 });
      assert.equal(done.gone.people, 1);
      await cellsHold("with a live tail");
      assert.equal((await run("select from public.audience_events where session_id = 'session-late'")).length, 0);
    });

    test("the rules of SECURITY.md are kept as they stand there", async () => {
      await run("delete from audience_gate.retention_rules");
      const [{ text }] = blocks("SECURITY.md").filter(({ text }) => text.includes("retention_rules"));
      await run(text);
      assert.deepEqual(await run("select active from audience_gate.jobs where name = 'apply_retention'"), [{
        active: true,
      }]);
      const done = await apply();
      assert.deepEqual(Object.keys(done).sort(), ["pages", "people", "refused"]);
      assert.ok(Object.values(done).every(({ done }) => done));
      const made = (await run("select after, notes from public.audience_registry_history('retention_rule', 'pages')"))
        .at(-1);
      assert.deepEqual([made?.after.action, made?.notes], ["values", "record of processing, line 4"]);
      verifies();
    });

    test("a rule that could not be kept is refused", async () => {
      /** @type {string[]} */
      const taken = [];
      for (
        const values of [
          "('Pages', null, null, '90 days', 'values')",
          "('both', 'page_view', 'engagement', '90 days', 'values')",
          "('soon', null, null, '1 hour', 'values')",
          "('other', null, null, '90 days', 'delete')",
          "('part', 'page_view', null, '90 days', 'person')",
        ]
      ) {
        await run(
          `insert into audience_gate.retention_rules (id, event_type, event_category, age, action) values ${values}`,
        ).then(
          () => taken.push(values),
          () => {},
        );
      }
      assert.deepEqual(taken, []);
    });
  });
}
