/** Into a project that exists and out of it again, with the real Supabase CLI on a real Postgres: nothing of theirs changes. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { asClient, startPostgres, VERSIONS } from "../database/postgres.mjs";
import { size } from "../long.mjs";
import { project, quick } from "./scene.mjs";
import { schema } from "./schema.mjs";
import { SHAPES } from "./shapes.mjs";

/** The versions to which a project is taken: of Postgres 17 there is no pg_cron here. @param {import("./shapes.mjs").Shape} shape */
const versionsOf = ({ cron, version }) =>
  size({ short: 0, long: 1 }) ? VERSIONS.filter((one) => !cron || one === 15) : [version];

const runs = SHAPES.flatMap((shape) => versionsOf(shape).map((version) => ({ ...shape, version })));

const EVENT = `insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
  values ('session-round-1', 'page_view', 'engagement', 'round', '{"page_path": "/"}')`;
const FAILED = "select job, error from audience_gate.job_runs where outcome <> 'succeeded'";

for (const { name, version, files, refused, again, platform, byHand, works = [], ...server } of runs) {
  describe(`${name}, on Postgres ${version}`, () => {
    const scene = project(`${name} ${version}`, files);
    /** @type {import("../database/postgres.mjs").Postgres} */
    let postgres;
    /** @type {string[]} */
    let at;
    /** @type {{ files: Record<string, string>, schema: Awaited<ReturnType<typeof schema>> }} */
    let theirs;
    /** @param {import("./scene.mjs").Ended} ended */
    const done = ({ code, said }) => assert.equal(code, 0, said);
    const stillWorks = async () => {
      for (const [sql, rows] of works) {
        assert.deepEqual(await asClient(postgres.url, async (client) => (await client.query(sql)).rows), rows);
      }
    };
    const push = () => scene.supabase("db", "push", ...at);
    before(async () => {
      postgres = await startPostgres({ version, migrations: [], ...server });
      at = ["--db-url", postgres.url];
      if (platform) await asClient(postgres.adminUrl, (client) => client.query(platform));
      if (byHand) await asClient(postgres.url, (client) => client.query(byHand));
      done(push());
      theirs = { files: scene.files(), schema: await schema(postgres.url, version) };
    });
    after(() => postgres.stop());

    if (refused) {
      test("is refused with all that is in the way, and stays as it is", async () => {
        const looked = scene.gate(["init", ...at]);
        assert.equal(looked.code, 1, looked.said);
        assert.match(looked.said, refused);
        assert.deepEqual(scene.files(), theirs.files);
        done(scene.gate(["init"]));
        const pushed = push();
        assert.notEqual(pushed.code, 0);
        assert.match(pushed.said, refused);
        assert.deepEqual(await schema(postgres.url, version), theirs.schema);
        done(scene.gate(["uninstall", ...at]));
        assert.deepEqual(scene.files(), theirs.files);
        done(push());
      });
      return;
    }

    test("says what it would write, and writes it once", (t) => {
      const dry = scene.gate(["init", ...at, "--dry-run"]);
      done(dry);
      assert.deepEqual(scene.files(), theirs.files);
      const written = quick(t, () => scene.gate(["init", ...at]));
      done(written);
      assert.equal(written.said.match(/^ {2}[+~] .*/gm)?.length, dry.said.match(/^ {2}[+~] .*/gm)?.length);
      const once = scene.files();
      done(scene.gate(["init", ...at]));
      assert.deepEqual(scene.files(), once);
      for (const [path, text] of Object.entries(theirs.files)) {
        assert.ok(once[path].startsWith(text), `${path} is not as it was, with more at its end`);
      }
    });

    test("its migrations and the gate's apply by one push, and nothing is scheduled", async () => {
      done(push());
      done(scene.supabase("migration", "list", ...at));
      await asClient(postgres.url, async (client) => {
        const { rows: [{ enabled }] } = await client.query("select audience_gate.jobs_enabled() as enabled");
        assert.equal(enabled, false);
        await client.query(EVENT);
        await client.query("select audience_gate.run_due_jobs()");
        const { rows } = await client.query("select rejected from public.audience_events where event_source = 'round'");
        assert.deepEqual(rows, [{ rejected: false }]);
        assert.deepEqual((await client.query(FAILED)).rows, []);
      });
      done(scene.gate(["status", ...at]));
      const told = scene.gate(["enable", "push", ...at]);
      assert.equal(told.code, platform?.includes("realtime.send") ? 0 : 1, told.said);
    });

    test("what was theirs is still there, unchanged", async () => {
      const now = new Set((await schema(postgres.url, version)).catalogue);
      const taken = /audience_(events|state)\b/;
      assert.deepEqual(theirs.schema.catalogue.filter((line) => !now.has(line) && !taken.test(line)), []);
      await stillWorks();
    });

    test("is left by the gate as it was found", async () => {
      done(scene.gate(["uninstall", ...at]));
      assert.deepEqual(scene.files(), theirs.files);
      assert.deepEqual(await schema(postgres.url, version), theirs.schema);
      await stillWorks();
      done(push());
    });

    if (again || size({ short: 0, long: 1 })) {
      test("takes it again, and leaves the history of a table that it tracked", async () => {
        done(scene.gate(["init", ...at]));
        done(push());
        await asClient(postgres.url, (client) =>
          client.query(`
            create schema tracked;
            create table tracked.orders (id integer primary key, status text not null);
            select audience_gate.track_lifecycle('tracked.orders', 'status');
            insert into tracked.orders values (1, 'placed')`));
        done(scene.gate(["uninstall"]));
        done(push());
        await asClient(postgres.url, async (client) => {
          await client.query("update tracked.orders set status = 'sent'");
          const { rows } = await client.query("select order_id, to_stage from tracked.order_events");
          assert.deepEqual(rows, [{ order_id: 1, to_stage: "placed" }]);
          const { rows: policies } = await client.query(
            "select count(*)::integer as policies from pg_policies where schemaname = 'tracked' and qual ~ 'EXISTS' and qual !~ ' OR '",
          );
          assert.deepEqual(policies, [{ policies: 1 }]);
          await client.query("drop schema tracked cascade");
        });
        assert.deepEqual(await schema(postgres.url, version), theirs.schema);
        done(scene.gate(["uninstall", ...at]));
        assert.deepEqual(scene.files(), theirs.files);
        done(push());
      });
    }
  });
}
