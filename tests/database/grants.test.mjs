/** The rights of every role on every object, on a platform that opens new objects by default and on one that does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "../../local/database.mjs";
import { secretKey } from "../../local/settings.mjs";
import { begun } from "../stack/beginning.mjs";
import { temporaryFolder } from "../stack/launch.mjs";
import { golden, lines, MATRIX, matrix } from "./grants.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";

for (const version of VERSIONS) {
  for (const openByDefault of [false, true]) {
    const platform = `Postgres ${version} with Supabase's default privileges ${openByDefault ? "on" : "off"}`;
    test(`every role has the rights of grants.txt and no other: ${platform}`, async (t) => {
      const server = await startPostgres({ version, openByDefault });
      t.after(() => server.stop());
      const [is, must] = [await matrix(server.adminUrl), golden()];
      assert.ok(must.length > 150, `${must.length} objects`);
      assert.deepEqual(
        { more: is.filter((line) => !must.includes(line)), less: must.filter((line) => !is.includes(line)) },
        { more: [], less: [] },
        "if the change is meant, run `node tests/database/grants.mjs` and read the difference",
      );
    });
  }
}

// The library of the local stack would open every table to them, and the secret key could delete an event type.
test("every role has the same rights to tables on the local stack", async (t) => {
  const folder = temporaryFolder(t);
  await begun(folder);
  const database = await openDatabase({ folder });
  const ask = (/** @type {string} */ path, /** @type {RequestInit} */ init = {}) =>
    database.fetch(new Request(`http://127.0.0.1/rest/v1/${path}`, { headers: { apikey: secretKey }, ...init }));
  try {
    assert.equal((await ask("audience_event_types?id=eq.page_view")).status, 200);
    assert.equal((await ask("audience_event_types?id=eq.page_view", { method: "DELETE" })).status, 403);
    const tables = (/** @type {string[]} */ all) => all.filter((line) => !/^(function|schema) /.test(line));
    assert.deepEqual(tables(lines((await database.query(MATRIX)).rows)), tables(golden()));
  } finally {
    await database.close();
  }
});

/** What a policy lets the owners of a site remove by themselves, row by row: supabase/tests/database/control_room.sql, registry_owners.test.mjs. */
const REMOVED_BY_OWNERS = new Set(
  [
    ...["audience_alerts", "audience_alert_destinations", "audience_saved_views", "audience_site_members"],
    ...["audience_states", "audience_funnels", "audience_funnel_steps"],
  ].map((table) => `authenticated: delete from ${table}`),
);

test("no role of the API can empty, change or shape a table, whatever the platform opens by default", async (t) => {
  const server = await startPostgres({ openByDefault: true });
  t.after(() => server.stop());
  const taken = await asClient(server.adminUrl, async (client) => {
    const { rows } = await client.query(`
      select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'audience_gate') and c.relkind in ('r', 'p')`);
    /** @type {string[]} */
    const taken = [];
    for (const { name } of rows) {
      for (const role of ["anon", "authenticated"]) {
        for (const statement of [`truncate ${name} cascade`, `delete from ${name}`]) {
          await client.query("begin");
          await client.query(`set local role ${role}`);
          const done = await client.query(statement).then(() => true, () => false);
          await client.query("rollback");
          const what = `${role}: ${statement}`;
          if (done && !REMOVED_BY_OWNERS.has(what)) taken.push(what);
        }
      }
    }
    return taken;
  });
  assert.deepEqual(taken, []);
});
