/** Who may change what of the registry, caller by caller, on a real server; and that every change can be taken back. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const [HERE, THERE] = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"];
const user = (/** @type {number} */ n) => `${String(n).repeat(8)}-0000-4000-8000-000000000000`;
/** @typedef {import("pg").Client} Client */
/** @typedef {{ role: string, id?: string }} Caller */
/** @type {Record<string, Caller>} */
const CALLERS = {
  // An owner of all the sites there are, and of one of them.
  all: { role: "authenticated", id: user(1) },
  one: { role: "authenticated", id: user(2) },
  analyst: { role: "authenticated", id: user(3) },
  viewer: { role: "authenticated", id: user(4) },
  // An owner of another site, and nobody's member.
  other: { role: "authenticated", id: user(5) },
  stranger: { role: "authenticated", id: user(6) },
  anon: { role: "anon" },
  service: { role: "service_role" },
};
const NAMES = Object.keys(CALLERS);
const ALERT = "bbbbbbbb-0000-4000-8000-000000000001";
const TOLD = "bbbbbbbb-0000-4000-8000-000000000002";

/** Each action with those who may do it. The site is the first one. @type {[what: string, statement: string, callers: string][]} */
const ACTIONS = [
  ["read event types", "select from public.audience_event_types", "all one analyst viewer other stranger service"],
  ["change a type", "update public.audience_event_types set active = false where id = 'page_view'", "all service"],
  [
    "change a type's schema",
    `update public.audience_event_types set payload_schema = '{"required": ["page_path"]}' where id = 'page_view'`,
    "all service",
  ],
  [
    "add a type",
    "insert into public.audience_event_types (id, category, tier, description) values ('brand_new', 'engagement', 'consumer', 'Of a test.')",
    "all service",
  ],
  [
    "change a type of system",
    "update public.audience_event_types set active = false where category = 'system'",
    "service",
  ],
  [
    "make a type one of system",
    "update public.audience_event_types set category = 'system', score_weight = 0 where id = 'page_view'",
    "service",
  ],
  ["remove a type", "delete from public.audience_event_types where id = 'page_view'", ""],
  [
    "read states",
    "select from public.audience_states where id = 'S3'",
    "all one analyst viewer other stranger service",
  ],
  [
    "change a state",
    "update public.audience_states set name = 'Member', min_score = 26 where id = 'S3'",
    "all service",
  ],
  [
    "add a state",
    "insert into public.audience_states (id, name, meaning, rank, min_score) values ('S6', 'Partner', 'of a test', 6, 500)",
    "all service",
  ],
  ["remove a state that nothing names", "delete from public.audience_states where id = 'unused'", "all"],
  ["move a state in the order", "update public.audience_states set rank = 9 where id = 'S5'", "service"],
  [
    "read funnels",
    `select from public.kpi_funnels('${HERE}') where funnel = 'readers'`,
    "all one analyst viewer service",
  ],
  [
    "make a funnel",
    `select public.audience_save_funnel('${HERE}', 'made', 'Made', 86400, '[{"name": "Read", "event_type": "content_view"}]')`,
    "all one service",
  ],
  [
    "change a funnel",
    `select public.audience_save_funnel('${HERE}', 'readers', 'Renamed', 60, '[{"name": "Look", "event_type": "page_view"}]')`,
    "all one service",
  ],
  ["remove a funnel", `select public.audience_remove_funnel('${HERE}', 'readers')`, "all one service"],
  ["read the site", `select from public.audience_sites where id = '${HERE}'`, "all one analyst viewer service"],
  [
    "change the site",
    `update public.audience_sites set origins = array['https://a.example'] where id = '${HERE}'`,
    "all one service",
  ],
  ["add a site", "insert into public.audience_sites (name) values ('Another')", "service"],
  [
    "read other members",
    `select from public.audience_site_members where site_id = '${HERE}' and user_id = '${user(7)}'`,
    "all one service",
  ],
  [
    "give access",
    `insert into public.audience_site_members (site_id, user_id, role) values ('${HERE}', '${user(8)}', 'viewer')`,
    "all one service",
  ],
  [
    "give oneself access",
    `insert into public.audience_site_members (site_id, user_id, role) values ('${HERE}', '${user(6)}', 'owner')`,
    "all one service",
  ],
  [
    "change a role",
    `update public.audience_site_members set role = 'owner' where site_id = '${HERE}' and user_id = '${user(4)}'`,
    "all one service",
  ],
  [
    "take access",
    `delete from public.audience_site_members where site_id = '${HERE}' and user_id = '${user(4)}'`,
    "all one service",
  ],
  [
    "move a member to another site",
    `update public.audience_site_members set site_id = '${THERE}' where user_id = '${user(4)}'`,
    "service",
  ],
  ["read own rules", "select from public.audience_own_rules where id = 'own.asked'", "all one analyst viewer service"],
  [
    "add an own rule",
    `insert into public.audience_own_rules (id, site_id, schema, reasons) values ('own.more', '${HERE}', '{}', '{"en": "of a test"}')`,
    "all one service",
  ],
  [
    "enforce an own rule",
    "update public.audience_own_rules set mode = 'enforce' where id = 'own.asked'",
    "all one service",
  ],
  [
    "change an alert",
    `update public.audience_alerts set threshold = 0.5, minutes = 30 where id = '${ALERT}'`,
    "all one service",
  ],
  ["remove an alert", `delete from public.audience_alerts where id = '${ALERT}'`, "all one service"],
  [
    "stop telling a webhook",
    `update public.audience_alert_destinations set active = false where id = '${TOLD}'`,
    "all one service",
  ],
  ["read the jobs", `select from public.audience_job_list('${HERE}')`, "all one analyst viewer service"],
  ["switch a job", "select public.audience_switch_job('check_alerts', true)", "all service"],
  ["switch a job in its table", "update audience_gate.jobs set active = true where name = 'check_alerts'", ""],
  [
    "read the history",
    `select from public.audience_registry_changes('${HERE}', 'site') where id is not null`,
    "all one service",
  ],
  [
    "write the history",
    "insert into public.audience_registry_events (entity, record, actor) values ('job', '{}', 'user:ceo')",
    "",
  ],
  [
    "undo a change of a type",
    "select public.audience_undo_registry_change(pg_temp.change('event_type'))",
    "all service",
  ],
  [
    "undo a change of the site",
    "select public.audience_undo_registry_change(pg_temp.change('site'))",
    "all one service",
  ],
  [
    "undo a change of a role",
    "select public.audience_undo_registry_change(pg_temp.change('site_member'))",
    "all one service",
  ],
  [
    "undo a change of a rule",
    "select public.audience_undo_registry_change(pg_temp.change('own_rule'))",
    "all one service",
  ],
  [
    "undo a change of an alert",
    "select public.audience_undo_registry_change(pg_temp.change('alert'))",
    "all one service",
  ],
  [
    "undo a change of a webhook",
    "select public.audience_undo_registry_change(pg_temp.change('alert_destination'))",
    "all one service",
  ],
  ["undo a switch", "select public.audience_undo_registry_change(pg_temp.change('job'))", "all service"],
];

/** Changes of which each is taken back, and the row that must then be as it was. @type {[entity: string, row: string, change: string][]} */
const CHANGES = [
  [
    "event_type",
    "public.audience_event_types where id = 'page_view'",
    `update public.audience_event_types set active = false, score_weight = 7, payload_schema = '{"required": ["a"]}' where id = 'page_view'`,
  ],
  [
    "site",
    `public.audience_sites where id = '${HERE}'`,
    `update public.audience_sites set name = 'Renamed', origins = array['https://b.example'] where id = '${HERE}'`,
  ],
  [
    "site_member",
    `public.audience_site_members where user_id = '${user(4)}'`,
    `update public.audience_site_members set role = 'analyst' where user_id = '${user(4)}'`,
  ],
  [
    "own_rule",
    "public.audience_own_rules where id = 'own.asked'",
    `update public.audience_own_rules set mode = 'enforce', schema = '{"required": ["metadata"]}' where id = 'own.asked'`,
  ],
  [
    "alert",
    `public.audience_alerts where id = '${ALERT}'`,
    `update public.audience_alerts set threshold = 0.9, active = false where id = '${ALERT}'`,
  ],
  [
    "alert_destination",
    `public.audience_alert_destinations where id = '${TOLD}'`,
    `update public.audience_alert_destinations set active = false where id = '${TOLD}'`,
  ],
  [
    "job",
    "audience_gate.jobs where name = 'check_alerts'",
    "update audience_gate.jobs set active = true where name = 'check_alerts'",
  ],
  [
    "site_member",
    `public.audience_site_members where user_id = '${user(7)}'`,
    `delete from public.audience_site_members where user_id = '${user(7)}'`,
  ],
  ["alert", `public.audience_alerts where id = '${ALERT}'`, `delete from public.audience_alerts where id = '${ALERT}'`],
  [
    "alert",
    "public.audience_alerts where minutes = 77",
    `insert into public.audience_alerts (site_id, kind, threshold, minutes) values ('${HERE}', 'lag', 5, 77)`,
  ],
  [
    "site_member",
    `public.audience_site_members where user_id = '${user(9)}'`,
    `insert into public.audience_site_members (site_id, user_id) values ('${HERE}', '${user(9)}')`,
  ],
  [
    "state",
    "public.audience_states where id = 'S3'",
    "update public.audience_states set name = 'Member', min_score = 26 where id = 'S3'",
  ],
  ["state", "public.audience_states where id = 'unused'", "delete from public.audience_states where id = 'unused'"],
  [
    "funnel",
    `public.audience_funnels where id = 'readers' and site_id = '${HERE}'`,
    `select public.audience_save_funnel('${HERE}', 'readers', 'Renamed', 60, '[{"name": "Read", "event_type": "content_view"}]')`,
  ],
  [
    "funnel_step",
    `public.audience_funnel_steps where site_id = '${HERE}' and funnel_id = 'readers' and position = 2`,
    `select public.audience_save_funnel('${HERE}', 'readers', 'Readers', 604800,
       '[{"name": "Read", "event_type": "content_view"}, {"name": "Look", "event_type": "page_view"}]')`,
  ],
];

for (const version of SCENARIO_VERSIONS) {
  describe(`the registry in the hands of owners: Postgres ${version}`, () => {
    /** @type {Awaited<ReturnType<typeof startPostgres>>} */
    let server;
    before(async () => {
      server = await startPostgres({ version });
      await asClient(server.url, scene);
    });
    after(() => server?.stop());

    test("each caller does what it may, and nothing else", async (t) => {
      await asClient(server.url, async (client) => {
        /** @type {Record<string, string>} */
        const found = {};
        for (const [what, statement] of ACTIONS) {
          found[what] = (await each(NAMES, (name) => outcome(client, CALLERS[name], statement))).join(" ");
        }
        t.diagnostic(`${"".padEnd(30)} ${NAMES.join(" ")}`);
        for (const [what, answers] of Object.entries(found)) {
          t.diagnostic(
            `${what.padEnd(30)} ${
              answers.split(" ").map((answer, at) => answer.padEnd(NAMES[at]?.length ?? 0)).join(" ")
            }`,
          );
        }
        const expected = ACTIONS.map((
          [what, , may],
        ) => [what, NAMES.map((name) => may.split(" ").includes(name) ? "yes" : "no").join(" ")]);
        assert.deepEqual(found, Object.fromEntries(expected));
      });
    });

    test("what was changed, removed or added is as it was once it is taken back, and the history has both", async () => {
      await asClient(server.url, async (client) => {
        for (const [entity, row, change] of CHANGES) {
          await client.query("begin");
          const was = await one(
            client,
            `select to_jsonb(t) - 'created_at' - 'updated_at' as row from ${row.replace(" where", " t where")}`,
          );
          await client.query(change);
          const now = await one(
            client,
            `select to_jsonb(t) - 'created_at' - 'updated_at' as row from ${row.replace(" where", " t where")}`,
          );
          assert.notDeepEqual(now, was, change);
          const id = await one(client, "select max(id) from public.audience_registry_events where entity = $1", entity);
          await act(client, CALLERS["all"]);
          await client.query("select public.audience_undo_registry_change($1)", [id]);
          await client.query("reset role");
          assert.deepEqual(
            await one(
              client,
              `select to_jsonb(t) - 'created_at' - 'updated_at' as row from ${row.replace(" where", " t where")}`,
            ),
            was,
            change,
          );
          const { rows: [told] } = await client.query(
            "select actor, notes from public.audience_registry_events where entity = $1 order by id desc limit 1",
            [entity],
          );
          assert.deepEqual(told, { actor: `user:${user(1)}`, notes: `undoes change ${id}` });
          await client.query("rollback");
        }
      });
    });

    test("what was changed again since is not taken back, nor twice", async () => {
      await asClient(server.url, async (client) => {
        await client.query("begin");
        await client.query("update public.audience_event_types set active = false where id = 'page_view'");
        const first = await one(client, "select max(id) from public.audience_registry_events");
        await client.query("update public.audience_event_types set active = true where id = 'page_view'");
        await act(client, CALLERS["all"]);
        await assert.rejects(client.query("select public.audience_undo_registry_change($1)", [first]), {
          code: "PT409",
        });
        await client.query("rollback");
      });
    });

    test("a type that a change made is switched off, as events may have it", async () => {
      await asClient(server.url, async (client) => {
        await client.query("begin");
        await act(client, CALLERS["all"]);
        await client.query(ACTIONS.find(([what]) => what === "add a type")?.[1] ?? "");
        const id = await one(
          client,
          "select max(id) from public.audience_registry_changes(audience_gate.default_site(), 'event_type')",
        );
        await client.query("select public.audience_undo_registry_change($1)", [id]);
        assert.equal(await one(client, "select active from public.audience_event_types where id = 'brand_new'"), false);
        await client.query("rollback");
      });
    });

    test("scores rise with the states, funnels have 1 to 12 steps of different types, and a state in use stays", async () => {
      const steps = (/** @type {string[]} */ ...types) =>
        `select public.audience_save_funnel('${HERE}', 'readers', 'Readers', 60, '${
          JSON.stringify(types.map((event_type) => ({ name: "a step", event_type })))
        }')`;
      await asClient(server.url, async (client) => {
        const found = [];
        for (
          const statement of [
            "update public.audience_states set min_score = 5 where id = 'S3'",
            "update public.audience_states set min_score = 500 where id = 'S3'",
            "delete from public.audience_states where id = 'S3'",
            steps(),
            steps("page_view", "content_view", "page_view"),
            steps("no_such_type"),
          ]
        ) {
          await client.query("begin");
          await act(client, CALLERS["all"]);
          found.push(await client.query(statement).then(() => "done", ({ code }) => code));
          await client.query("rollback");
        }
        assert.deepEqual(found, ["23514", "23514", "23503", "22023", "22023", "23503"]);
      });
    });

    test("funnels of two sites by one name have a history each", async () => {
      await asClient(server.url, async (client) => {
        await client.query("begin");
        await client.query("update public.audience_funnels set name = name || ' anew' where id = 'readers'");
        const { rows } = await client.query(
          `select site_id, before ->> 'name' as before, after ->> 'name' as after from public.audience_registry_events
           where entity = 'funnel' and notes is null order by id desc limit 2`,
        );
        assert.deepEqual(rows.sort((a, b) => (a.site_id < b.site_id ? -1 : 1)), [
          { site_id: HERE, before: "Readers", after: "Readers anew" },
          { site_id: THERE, before: "Readers there", after: "Readers there anew" },
        ]);
        await client.query("rollback");
      });
    });

    test("what every engine could not judge by is not saved", async () => {
      await asClient(server.url, async (client) => {
        await client.query("begin");
        await act(client, CALLERS["all"]);
        await assert.rejects(
          client.query(
            `update public.audience_event_types set payload_schema = '{"properties": {"a": {"pattern": "(?=x)"}}}' where id = 'page_view'`,
          ),
          { code: "23514" },
        );
        await client.query("rollback");
      });
    });

    test("a site keeps an owner, also where its last two leave at the same time", async () => {
      await asClient(server.url, (first) =>
        asClient(server.url, async (second) => {
          for (const [client, name] of /** @type {[Client, string][]} */ ([[first, "all"], [second, "one"]])) {
            await client.query("begin");
            await act(client, CALLERS[name]);
          }
          const leave = (/** @type {string} */ name) =>
            `delete from public.audience_site_members where site_id = '${HERE}' and user_id = '${CALLERS[name]?.id}'`;
          await first.query(leave("all"));
          const refused = assert.rejects(second.query(leave("one")), { code: "23514" });
          await first.query("commit");
          await refused;
          await second.query("rollback");
        }));
      await asClient(
        server.url,
        (client) => client.query("insert into public.audience_site_members values ($1, $2, 'owner')", [HERE, user(1)]),
      );
    });
  });
}

/** Two sites, their members, and of everything one change. @param {Client} client */
async function scene(client) {
  await client.query(`
    insert into public.audience_sites (id, name) values ('${HERE}', 'Here'), ('${THERE}', 'There');
    insert into public.audience_site_members (site_id, user_id, role)
    select s.id, '${user(1)}', 'owner' from public.audience_sites s
    union all values ('${HERE}'::uuid, '${user(2)}'::uuid, 'owner'), ('${HERE}', '${
    user(3)
  }', 'analyst'), ('${HERE}', '${user(4)}', 'viewer'),
      ('${HERE}', '${user(7)}', 'viewer'), ('${THERE}', '${user(5)}', 'owner');
    insert into public.audience_states (id, name, meaning, rank, min_score) values ('unused', 'Unused', 'of a test', 7, 600);
    insert into public.audience_funnels (site_id, id, name, conversion_window)
    values ('${HERE}', 'readers', 'Readers', '7 days'), ('${THERE}', 'readers', 'Readers there', '7 days');
    insert into public.audience_funnel_steps (site_id, funnel_id, position, name, event_type)
    values ('${HERE}', 'readers', 1, 'Read', 'content_view'), ('${THERE}', 'readers', 1, 'Read', 'content_view');
    insert into public.audience_own_rules (id, site_id, schema, reasons) values ('own.asked', '${HERE}', '{}', '{"en": "of a test"}');
    insert into public.audience_alerts (id, site_id, kind, threshold) values ('${ALERT}', '${HERE}', 'rejected_share', 0.1);
    insert into public.audience_alert_destinations (id, site_id, name, form) values ('${TOLD}', '${HERE}', 'operations', 'slack')`);
}

/** What comes of a statement: "yes", "no" where it is refused or reaches no row, or the error. What it did is undone.
 * @param {Client} client @param {Caller | undefined} caller @param {string} statement */
async function outcome(client, caller, statement) {
  await client.query("begin");
  try {
    // Of everything one change, which can be taken back.
    for (const [, , change] of CHANGES.slice(0, 7)) if (statement.includes("undo")) await client.query(change);
    await client.query(`create function pg_temp.change(wanted text) returns bigint language sql security definer as
      $$ select max(id) from public.audience_registry_events where entity = wanted $$`);
    await act(client, caller);
    const { rowCount } = await client.query(statement);
    return (rowCount ?? 0) > 0 ? "yes" : "no";
  } catch (error) {
    const { code, message } = /** @type {{ code: string, message: string }} */ (error);
    return ["42501", "P0002", "PT409"].includes(code) ? "no" : `${code}:${message.replaceAll(" ", "_")}`;
  } finally {
    await client.query("rollback");
  }
}

/** @param {Client} client @param {Caller | undefined} caller */
async function act(client, caller) {
  if (!caller) throw new Error("no such caller");
  const claims = JSON.stringify({ role: caller.role, ...(caller.id ? { sub: caller.id } : {}) });
  await client.query(
    "select set_config('request.jwt.claims', $1, true), set_config('request.jwt.claim.sub', $2, true)",
    [claims, caller.id ?? ""],
  );
  await client.query(`set local role ${caller.role}`);
}

/** The first value of the first row. @param {Client} client @param {string} text @param {unknown[]} values */
async function one(client, text, ...values) {
  const { rows: [row] } = await client.query(text, values);
  return row === undefined ? null : Object.values(row)[0];
}

/** One after the other. @template A, B @param {readonly A[]} all @param {(one: A) => Promise<B>} act */
async function each(all, act) {
  const done = [];
  for (const one of all) done.push(await act(one));
  return done;
}
