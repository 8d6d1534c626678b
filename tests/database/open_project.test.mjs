/** A project may open everything created in it to the API, as older hosted ones do; the gate stays closed even there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { asClient, migrate, startPostgres } from "./postgres.mjs";

const OPEN = ["tables", "sequences", "functions"].map((kind) =>
  `alter default privileges for role postgres in schema public grant all on ${kind} to anon, authenticated, service_role`
).join(";");

/** Who may do what with tables, views, sequences and functions, one line each. */
const RIGHTS = `
  select c.oid::regclass::text as object, a.grantee::regrole::text as role, a.privilege_type as privilege
  from pg_class c, aclexplode(c.relacl) a
  where c.relnamespace in ('public'::regnamespace, 'audience_gate'::regnamespace) and a.grantee <> c.relowner
  union all
  select p.oid::regprocedure::text, a.grantee::regrole::text, a.privilege_type
  from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  where p.pronamespace in ('public'::regnamespace, 'audience_gate'::regnamespace) and a.grantee <> p.proowner
  order by 1, 2, 3`;

/** @param {string} before what is run as the project's owner before the first migration */
async function rights(before) {
  const postgres = await startPostgres({ migrations: [] });
  try {
    return await asClient(postgres.url, async (client) => {
      await client.query(before);
      await migrate(client);
      const { rows } = await client.query(RIGHTS);
      return rows.map(({ object, role, privilege }) => `${role} may ${privilege} ${object}`);
    });
  } finally {
    await postgres.stop();
  }
}

test("a project that opens everything created in it opens no more of the gate than any other project", async () => {
  const anywhere = await rights("select 1");
  assert.ok(anywhere.length > 100);
  assert.deepEqual(await rights(OPEN), anywhere);
});
