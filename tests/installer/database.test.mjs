/** What the command does with a database, from the first push to a project in which nothing is amiss. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { asClient, startPostgres } from "../database/postgres.mjs";
import { project } from "./scene.mjs";

describe("an install on a server that has pg_cron", () => {
  const scene = project("database", { "config.toml": 'project_id = "database"\n' });
  /** @type {import("../database/postgres.mjs").Postgres} */
  let postgres;
  /** @type {string[]} */
  let at;
  const env = () => readFileSync(join(scene.folder, "supabase/functions/.env"), "utf8");
  const done = (/** @type {import("./scene.mjs").Ended} */ { code, said }) => assert.equal(code, 0, said);
  const sql = (/** @type {string} */ text) => asClient(postgres.url, async (client) => (await client.query(text)).rows);

  before(async () => {
    postgres = await startPostgres({ version: 15, cron: true, migrations: [] });
    at = ["--db-url", postgres.url];
  });
  after(() => postgres.stop());

  test("is asked for before the migrations are pushed", () => {
    done(scene.gate(["init"]));
    const early = scene.gate(["enable", "jobs", ...at]);
    assert.equal(early.code, 1);
    assert.match(early.said, /the gate is not in this database; run: npx supabase db push/);
    assert.match(scene.gate(["doctor", ...at]).said, /the gate is not in the database/);
    done(scene.supabase("db", "push", ...at));
  });

  test("hears from the doctor what is left to do", async () => {
    const { code, said } = scene.gate(["doctor", ...at]);
    assert.equal(code, 1);
    for (
      const finding of [
        /no AUDIENCE_GATE_SIGNING_KEY/,
        /no signing key/,
        /from every page/,
        /nobody may read/,
        /runs no jobs/,
      ]
    ) {
      assert.match(said, finding);
    }
    assert.deepEqual(await sql("select 1 from cron.job"), []);
  });

  test("gets a signing key that nobody is shown, and another the next time", () => {
    const keys = [1, 2].map(() => {
      const { code, said } = scene.gate(["enable", "signing", ...at]);
      assert.equal(code, 0, said);
      const [, key] = /^AUDIENCE_GATE_SIGNING_KEY=([0-9a-f]{64})$/m.exec(env()) ?? [];
      assert.ok(key && !said.includes(key));
      return key;
    });
    assert.notEqual(keys[0], keys[1]);
    assert.equal(env().match(/SIGNING_KEY/g)?.length, 1);
  });

  test("has its jobs scheduled when they are enabled", async () => {
    done(scene.gate(["enable", "jobs", ...at]));
    const [{ jobs }] = await sql("select count(*)::int as jobs from cron.job where jobname like 'audience-gate:%'");
    assert.ok(jobs >= 4);
  });

  test("is well once origins and a reader are named", async () => {
    await sql("update public.audience_sites set origins = array['https://www.example.com']");
    await sql(
      "insert into public.audience_site_members (site_id, user_id) select id, gen_random_uuid() from public.audience_sites",
    );
    const { code, said } = scene.gate(["doctor", ...at]);
    assert.equal(code, 0, said);
    assert.match(said, /Nothing is amiss in the files, the database\./);
  });

  test("hears that nobody sends what its alerts have to say", async () => {
    await sql(`with made as (
        select public.audience_add_alert_destination(s.id, 'ops', 'slack', 'https://hooks.example.com/x') as id, s.id as site
        from public.audience_sites s)
      insert into public.audience_alert_deliveries (site_id, destination_id, due_at) select site, id, now() - interval '1 hour' from made`);
    assert.match(
      scene.gate(["doctor", ...at]).said,
      /nobody sends what alerts have to say\n +have a scheduler run npx audience-gate alerts/,
    );
  });

  test("is not taken out while something of theirs depends on it, and the answer names it", async () => {
    await sql(`create view public.daily as select created_at::date, count(*) from public.audience_events group by 1;
      create function public.mine() returns trigger language plpgsql as 'begin return null; end';
      create table public.mine_too (site_id uuid references public.audience_sites (id))`);
    const { code, said } = scene.gate(["uninstall", ...at]);
    assert.equal(code, 1);
    assert.match(said, /nothing was removed:[\s\S]*constraint mine_too_site_id_fkey on mine_too[\s\S]*v daily/);
    assert.equal((await sql("select audience_gate.contract_fingerprint()")).length, 1);
    await sql("drop view public.daily; drop table public.mine_too");
  });

  test("hands over its events when it goes, and takes its schedules along", async () => {
    await sql(`insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
      select 'session-' || n, 'page_view', 'engagement', 'web', '{"page_path": "/"}' from generate_series(1000, 3499) n`);
    done(scene.gate(["uninstall", ...at, "--export", "events.ndjson"]));
    const lines = readFileSync(join(scene.folder, "events.ndjson"), "utf8").trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.equal(lines.length, 2500);
    assert.equal(new Set(lines.map(({ session_id }) => session_id)).size, 2500);
    assert.deepEqual(await sql("select 1 from cron.job"), []);
    assert.equal((await sql("select 1 from pg_proc where proname = 'mine'")).length, 1);
  });
});
