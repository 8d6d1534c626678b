/** A project that has had the gate since its first release, by hand: upgraded in place, taken out, and brought in again. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { asClient, startPostgres, VERSIONS } from "../database/postgres.mjs";
import { size } from "../long.mjs";
import { root } from "../runner/paths.mjs";
import { project } from "./scene.mjs";
import { schema } from "./schema.mjs";

const OWN = {
  "migrations/20240102030405_orders.sql": "create table public.orders (id int primary key, total numeric);\n",
};
const CONFIG = { "config.toml": 'project_id = "upgraded"\n' };
const FIRST = Object.keys(
  JSON.parse(readFileSync(join(root, "supabase/contract/releases/0.1.0.json"), "utf8")).migrations,
);
const COUNTED = "select count(*)::int as events from public.audience_events where not rejected";

for (const version of VERSIONS.slice(0, size({ short: 1, long: VERSIONS.length }))) {
  describe(`on Postgres ${version}`, () => {
    const scene = project(`upgraded ${version}`, { ...CONFIG, ...OWN });
    /** @type {import("../database/postgres.mjs").Postgres} */
    let postgres;
    /** @type {string[]} */
    let at;
    /** @type {{ files: Record<string, string>, schema: Awaited<ReturnType<typeof schema>> }} */
    let theirs;
    const done = (/** @type {import("./scene.mjs").Ended} */ { code, said }) => assert.equal(code, 0, said);
    const sql = (/** @type {string} */ text) =>
      asClient(postgres.url, async (client) => (await client.query(text)).rows);
    // Each time in another session, because the same event again at once is a double fire.
    const record = (/** @type {string} */ session) =>
      sql(`insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
        values ('${session}', 'page_view', 'engagement', 'web', '{"page_path": "/"}')`);

    before(async () => {
      postgres = await startPostgres({ version, migrations: [] });
      at = ["--db-url", postgres.url];
      done(scene.supabase("db", "push", ...at));
      theirs = { files: scene.files(), schema: await schema(postgres.url, version) };
      for (const name of FIRST) {
        put(`migrations/${name}`, readFileSync(join(root, "supabase/migrations", name), "utf8"));
      }
      put("functions/ingest/index.ts", "// of 0.1.0\n");
      done(scene.supabase("db", "push", ...at));
      await record("session-before");
    });
    after(() => postgres.stop());
    const put = (/** @type {string} */ path, /** @type {string} */ text) => {
      const full = join(scene.folder, "supabase", path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
    };

    test("gets what is newer, keeps what it recorded, and records on", async () => {
      done(scene.gate(["upgrade", ...at]));
      done(scene.supabase("db", "push", ...at));
      done(scene.gate(["status", ...at]));
      await record("session-after");
      assert.deepEqual(await sql(COUNTED), [{ events: 2 }]);
    });

    test("is left by the gate as it was before its first release", async () => {
      done(scene.gate(["uninstall", ...at]));
      assert.deepEqual(scene.files(), theirs.files);
      assert.deepEqual(await schema(postgres.url, version), theirs.schema);
    });

    test("takes it again", async () => {
      done(scene.gate(["init", ...at]));
      done(scene.supabase("db", "push", ...at));
      await record("session-again");
      assert.deepEqual(await sql(COUNTED), [{ events: 1 }]);
    });
  });
}
