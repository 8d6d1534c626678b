/** Links for screens, on a real server: what the secret opens, for how long, and that the database never has it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { asClient, startPostgres } from "./postgres.mjs";

const [HERE, THERE] = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"];
const DAY = 86_400_000;
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

/** Who does what, with $1 the secret of a link of the first site and $2 its id. @type {[what: string, statement: string, callers: string][]} */
const ACTIONS = [
  ["make a link", `select public.audience_add_wall_link('${HERE}', 'hall', 7)`, "owner service"],
  ["list the links", `select id from public.audience_wall_links where site_id = '${HERE}'`, "owner service"],
  ["read a digest", "select digest from public.audience_wall_links", ""],
  [
    "insert a link",
    `insert into public.audience_wall_links (site_id, name, digest, expires_at) values ('${HERE}', 'x', '\\x00', now() + interval '1 day')`,
    "",
  ],
  ["make one hold longer", "update public.audience_wall_links set expires_at = now() + interval '300 days'", ""],
  ["remove one", "delete from public.audience_wall_links", ""],
  ["end one", `select 1 where public.audience_end_wall_link('${HERE}', $2)`, "owner service"],
  ["end one as of another site", `select 1 where public.audience_end_wall_link('${THERE}', $2)`, ""],
  [
    "read the figures with the secret",
    "select 1 where public.audience_wall_figures($1) ->> 'site' = 'Here'",
    NAMES.join(" "),
  ],
  ["with another secret", "select public.audience_wall_figures(repeat('a', 64))", ""],
  ["without any", "select public.audience_wall_figures(null)", ""],
  [
    "with what the database keeps",
    "select public.audience_wall_figures((select encode(sha256(convert_to($1, 'UTF8')), 'hex')))",
    "",
  ],
  [
    "read events with the secret",
    `select set_config('audience_gate.wall_secret', $1, true), (select count(*) from public.audience_recent_events('${HERE}', 5))`,
    "owner analyst viewer service",
  ],
];

describe("links for screens", () => {
  /** @type {Awaited<ReturnType<typeof startPostgres>>} */
  let server;
  /** @type {string} */
  let secret;
  /** @type {string} */
  let link;
  before(async () => {
    server = await startPostgres();
    await asClient(server.url, async (client) => {
      await client.query(`
        insert into public.audience_sites (id, name) values ('${HERE}', 'Here'), ('${THERE}', 'There');
        insert into public.audience_site_members (site_id, user_id, role) values
          ('${HERE}', '${user(1)}', 'owner'), ('${HERE}', '${user(2)}', 'analyst'), ('${HERE}', '${
        user(3)
      }', 'viewer'), ('${THERE}', '${user(4)}', 'owner');
        insert into public.audience_events (site_id, session_id, event_type, event_category, event_source, metadata)
        select s, 'session-' || n, 'page_view', 'engagement', 'web', '{"page_path": "/"}'
        from (values ('${HERE}'::uuid, 3), ('${THERE}', 40)) v (s, many), generate_series(1, many) n`);
      secret = String(await one(client, "select public.audience_add_wall_link($1, 'hall', 7)", HERE));
      link = String(await one(client, "select id from public.audience_wall_links"));
    });
  });
  after(() => server?.stop());

  test("each caller does with them what it may, and nothing else", async (t) => {
    await asClient(server.url, async (client) => {
      /** @type {Record<string, string[]>} */
      const found = {};
      for (const [what, statement] of ACTIONS) {
        const may = [];
        for (const name of NAMES) if (await does(client, name, statement)) may.push(name);
        found[what] = may;
        t.diagnostic(`${what.padEnd(34)} ${may.join(" ") || "nobody"}`);
      }
      assert.deepEqual(
        found,
        Object.fromEntries(ACTIONS.map(([what, , may]) => [what, may.split(" ").filter(Boolean)])),
      );
    });
  });

  test("it shows the figures of its own site, and no person, session or event", async () => {
    await asClient(server.url, async (client) => {
      const figures =
        /** @type {Record<string, any>} */ (await as(client, "anon", "select public.audience_wall_figures($1)"));
      assert.deepEqual(Object.keys(figures).toSorted(), [
        "days",
        "expires_at",
        "live",
        "month",
        "site",
        "today",
        "zone",
      ]);
      assert.equal(figures.today.events, 3);
      assert.equal(
        figures.live.reduce(
          (/** @type {number} */ sum, /** @type {{ events: number }} */ { events }) => sum + events,
          0,
        ),
        3,
      );
      assert.doesNotMatch(JSON.stringify(figures), /session-|page_view|[0-9a-f]{8}-[0-9a-f]{4}/);
    });
  });

  test("when it has read, nothing is open any more", async () => {
    await asClient(server.url, async (client) => {
      await client.query("begin");
      await act(client, "stranger");
      await client.query("select public.audience_wall_figures($1)", [secret]);
      assert.equal(await one(client, "select audience_gate.can_read_site($1)", HERE), false);
      await client.query("rollback");
    });
  });

  test("it ends by itself, and at once where an owner ends it", async () => {
    await asClient(server.url, async (client) => {
      for (
        const end of [
          "update public.audience_wall_links set created_at = now() - interval '2 days', expires_at = now() - interval '1 second'",
          `select public.audience_end_wall_link('${HERE}', '${link}')`,
        ]
      ) {
        await client.query("begin");
        await client.query(end);
        await act(client, "anon");
        await assert.rejects(client.query("select public.audience_wall_figures($1)", [secret]), { code: "42501" }, end);
        await client.query("rollback");
      }
    });
  });

  test("the secret is in no table, and the history of its making has none either", async () => {
    await asClient(server.url, async (client) => {
      const { rows } = await client.query(
        "select oid::regclass::text as name from pg_class where relkind in ('r', 'p', 'm') and relnamespace in ('public'::regnamespace, 'audience_gate'::regnamespace)",
      );
      const digest = await one(client, "select encode(digest, 'hex') from public.audience_wall_links");
      for (const { name } of rows) {
        assert.equal(
          Number(await one(client, `select count(*) from ${name} t where t::text like '%' || $1 || '%'`, secret)),
          0,
          name,
        );
      }
      const recorded = await one(
        client,
        "select string_agg(e::text, ' ') from public.audience_registry_events e where entity = 'wall_link'",
      );
      assert.match(String(recorded), /hall/);
      assert.ok(!String(recorded).includes(String(digest)));
    });
  });

  test("a site has 20 that hold at most, and none for ever or named after a person", async () => {
    await asClient(server.url, async (client) => {
      await client.query("begin");
      await client.query(
        `select public.audience_add_wall_link('${HERE}', 'screen ' || n) from generate_series(1, 19) n`,
      );
      for (
        const [statement, code] of [
          [`select public.audience_add_wall_link('${HERE}', 'more')`, "23514"],
          [`select public.audience_add_wall_link('${THERE}', 'long', 367)`, "22023"],
          [`select public.audience_add_wall_link('${THERE}', 'ada@example.com')`, "23514"],
        ]
      ) {
        await client.query("savepoint s");
        await assert.rejects(client.query(String(statement)), { code }, statement);
        await client.query("rollback to s");
      }
      await client.query("rollback");
    });
  });

  test("its month is of 28 days, also where the clock was put forward meanwhile", async () => {
    await asClient(server.url, async (client) => {
      // A zone of its own, whose clock was put forward ten days ago, whenever this is run.
      const yearDay = (/** @type {number} */ days) =>
        Math.min(
          365,
          Math.ceil(
            (Date.now() + days * DAY - Date.UTC(new Date(Date.now() + days * DAY).getUTCFullYear(), 0, 1)) / DAY,
          ),
        );
      const zone = `AAA0BBB,J${yearDay(-10)}/0,J${yearDay(100)}/0`;
      await client.query(
        "insert into audience_gate.site_zones (site_id, time_zone, covered_until) values ($1, $2, '-infinity')",
        [HERE, zone],
      );
      await client.query("set role audience_gate_store");
      await client.query(
        `insert into public.audience_events (site_id, created_at, session_id, event_type, event_category, event_source, contract)
         select $1, ((now() at time zone $2)::date - 27 + t) at time zone $2, 'session-' || t, 'page_view', 'engagement', 'web',
           audience_gate.contract_fingerprint() from unnest('{-30 minutes,30 minutes}'::interval[]) t`,
        [HERE, zone],
      );
      await client.query("reset role");
      await act(client, "anon");
      const figures = /** @type {Record<string, any>} */ (await one(
        client,
        `select public.audience_wall_figures($1, '${zone}')`,
        secret,
      ));
      assert.equal(figures.zone, zone);
      assert.deepEqual([figures.month.events, figures.days.length], [4, 2]);
    });
  });

  /** @param {Client} client @param {string} name @param {string} statement */
  async function does(client, name, statement) {
    await client.query("begin");
    try {
      await act(client, name);
      const { rowCount } = await client.query(statement.replaceAll("$1", `'${secret}'`).replaceAll("$2", `'${link}'`));
      return (rowCount ?? 0) > 0;
    } catch (error) {
      const { code, message } = /** @type {{ code: string, message: string }} */ (error);
      assert.equal(code, "42501", `${statement}: ${message}`);
      return false;
    } finally {
      await client.query("rollback");
    }
  }

  /** @param {Client} client @param {string} name @param {string} statement */
  async function as(client, name, statement) {
    await client.query("begin");
    await act(client, name);
    const answer = await one(client, statement, secret);
    await client.query("rollback");
    return answer;
  }
});

/** @param {Client} client @param {string} name */
async function act(client, name) {
  const caller = CALLERS[name];
  const claims = JSON.stringify({ role: caller?.role, ...(caller?.id ? { sub: caller.id } : {}) });
  await client.query(
    "select set_config('request.jwt.claims', $1, true), set_config('request.jwt.claim.sub', $2, true)",
    [claims, caller?.id ?? ""],
  );
  await client.query(`set local role ${caller?.role}`);
}

/** The first value of the first row. @param {Client} client @param {string} text @param {unknown[]} values */
async function one(client, text, ...values) {
  const { rows: [row] } = await client.query(text, values);
  return row === undefined ? null : Object.values(row)[0];
}
