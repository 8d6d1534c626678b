/** Saved views on a real server: who sees, keeps and removes them, and what they may hold. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { asClient, startPostgres } from "./postgres.mjs";

const [HERE, THERE] = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"];
const user = (/** @type {number} */ n) => `${String(n).repeat(8)}-0000-4000-8000-000000000000`;
/** @typedef {import("pg").Client} Client */
/** @type {Record<string, { role: string, id?: string }>} */
const CALLERS = {
  owner: { role: "authenticated", id: user(1) },
  analyst: { role: "authenticated", id: user(2) },
  viewer: { role: "authenticated", id: user(3) },
  other: { role: "authenticated", id: user(4) },
  stranger: { role: "authenticated", id: user(5) },
  anon: { role: "anon" },
  service: { role: "service_role" },
};
const NAMES = Object.keys(CALLERS);
const insert = (/** @type {string} */ site, name = "x", words = '{"view": "refusals"}') =>
  `insert into public.audience_saved_views (site_id, name, words) values ('${site}', '${name}', '${words}') returning id`;
const remove = "delete from public.audience_saved_views where name = 'of the viewer' returning id";

/** Who does what, of whom at least one row is reached. @type {[what: string, statement: string, callers: string][]} */
const ACTIONS = [
  [
    "see the views of a site",
    `select id from public.audience_saved_views where site_id = '${HERE}'`,
    "owner analyst viewer service",
  ],
  ["save one", insert(HERE).replace(" returning id", ""), "owner analyst viewer service"],
  ["save one at another site", insert(THERE).replace(" returning id", ""), "other service"],
  ["remove one that the viewer saved", remove, "owner viewer service"],
  ["rename one", "update public.audience_saved_views set name = 'y'", ""],
  [
    "save it as somebody else",
    `insert into public.audience_saved_views (site_id, name, words, made_by) values ('${HERE}', 'x', '{}', '${
      user(2)
    }')`,
    "",
  ],
];

/** What no view may hold. */
const REFUSED = [
  ["an address in its name", insert(HERE, "of ann@example.org")],
  ["an address in its words", insert(HERE, "x", '{"page": "/ann@example.org"}')],
  ["one event", insert(HERE, "x", '{"event": "1"}')],
  ["the language of one reader", insert(HERE, "x", '{"lang": "de"}')],
  ["something that is no text", insert(HERE, "x", '{"days": 7}')],
  ["no object", insert(HERE, "x", "[]")],
  ["no name", insert(HERE, "")],
  ["a name that is taken", insert(HERE, "of the viewer")],
  ["more than two thousand characters", insert(HERE, "x", JSON.stringify({ page: "a".repeat(2000) }))],
];

describe("saved views", () => {
  /** @type {Awaited<ReturnType<typeof startPostgres>>} */
  let server;
  before(async () => {
    server = await startPostgres();
    await asClient(server.url, async (client) => {
      await client.query(`
        insert into public.audience_sites (id, name) values ('${HERE}', 'Here'), ('${THERE}', 'There');
        insert into public.audience_site_members (site_id, user_id, role) values
          ('${HERE}', '${user(1)}', 'owner'), ('${HERE}', '${user(2)}', 'analyst'), ('${HERE}', '${user(3)}', 'viewer'),
          ('${THERE}', '${user(4)}', 'owner')`);
      await client.query("begin");
      await act(client, "viewer");
      await client.query(insert(HERE, "of the viewer"));
      await client.query("commit");
    });
  });
  after(() => server?.stop());

  test("each caller does with them what it may, and nothing else", () =>
    asClient(server.url, async (client) => {
      /** @type {Record<string, string[]>} */
      const found = {};
      for (const [what, statement] of ACTIONS) {
        const may = [];
        for (const name of NAMES) if (await does(client, name, statement)) may.push(name);
        found[what] = may;
      }
      assert.deepEqual(
        found,
        Object.fromEntries(ACTIONS.map(([what, , may]) => [what, may.split(" ").filter(Boolean)])),
      );
    }));

  test("none holds anything personal, or what only one reader can open", () =>
    asClient(server.url, async (client) => {
      const kept = [];
      for (const [what, statement] of REFUSED) if (await does(client, "owner", statement ?? "")) kept.push(what);
      assert.deepEqual(kept, []);
    }));

  test("a site has a hundred at most", () =>
    asClient(server.url, async (client) => {
      await client.query("begin");
      const many = `insert into public.audience_saved_views (site_id, name, words)
        select '${HERE}', 'view ' || n, '{}' from generate_series(1, $1::integer) n`;
      await client.query("savepoint before");
      await assert.rejects(client.query(many, [100]), /more than 100 saved views/);
      await client.query("rollback to before");
      await client.query(many, [99]);
      await client.query("rollback");
    }));

  test("the history says who saved and who removed it, and an erasure takes its maker out of it", () =>
    asClient(server.url, async (client) => {
      await client.query("begin");
      await act(client, "owner");
      await client.query(remove);
      await client.query("reset role");
      const { rows } = await client.query(
        "select actor, before is null as made, (coalesce(before, after) ? 'made_by') as names from public.audience_registry_events where entity = 'saved_view' order by id",
      );
      assert.deepEqual(rows, [
        { actor: `user:${user(3)}`, made: true, names: false },
        { actor: `user:${user(1)}`, made: false, names: false },
      ]);
      await client.query("rollback");
      await client.query("begin");
      await client.query("select audience_gate.erase_subject('user_id', $1, 'request 1')", [user(3)]);
      const { rows: [kept] } = await client.query("select made_by from public.audience_saved_views");
      assert.deepEqual(kept, { made_by: null });
      await client.query("rollback");
    }));
});

/** @param {Client} client @param {string} name */
async function act(client, name) {
  const { role, id } = /** @type {{ role: string, id?: string }} */ (CALLERS[name]);
  await client.query("select set_config('request.jwt.claims', $1, true)", [
    JSON.stringify(id === undefined ? { role } : { role, sub: id }),
  ]);
  await client.query(`set local role ${role}`);
}

/** Whether a caller can do it, and reaches a row. @param {Client} client @param {string} name @param {string} statement */
async function does(client, name, statement) {
  await client.query("begin");
  try {
    await act(client, name);
    return ((await client.query(statement)).rowCount ?? 0) > 0;
  } catch (error) {
    if (!/^(42501|23...|22...)$/.test(String(/** @type {{ code?: string }} */ (error).code))) throw error;
    return false;
  } finally {
    await client.query("rollback");
  }
}
