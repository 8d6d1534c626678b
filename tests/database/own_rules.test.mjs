// A rule of an install's own is a row: it refuses, counts or rests as the row says, on every way into the log, and what was
// said is kept.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { event, ingest, insert } from "./events.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const REASON = "a page path begins with /shop; send the path of the shop";
const SITE = "00000000-0000-4000-8000-0000000000aa";
/** What the metadata of a page view must hold. */
const SHOP = { properties: { metadata: { properties: { page_path: { pattern: "^/shop" } } } } };

/** Rows that are refused. @type {[string, Record<string, unknown>][]} */
const REFUSED = [
  ["an id that could be one of the contract's", { id: "engagement.shop" }],
  ["an id with a sign", { id: "own.Shop-1" }],
  ["a keyword that no engine knows", { schema: { properties: { metadata: { patern: "a" } } } }],
  ["a schema that leads back to itself", { schema: { $ref: "#" } }],
  ["an unknown mode", { mode: "warn" }],
  ["no English reason", { reasons: { de: "nein" } }],
  ["an empty reason", { reasons: { en: "" } }],
  ["a reason with an address", { reasons: { en: "ask jane.doe@example.org" } }],
  ["an unknown category", { category: "shop" }],
  ["an event type that is not there", { event_type: "page_vew" }],
  ["a site that is not there", { site_id: "00000000-0000-4000-8000-0000000000bb" }],
];

for (const version of SCENARIO_VERSIONS) {
  describe(`a rule of the install's own in Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let server;
    before(async () => {
      server = await startPostgres({ version });
      await run((client) => client.query("insert into public.audience_sites (id, name) values ($1, 'second')", [SITE]));
    });
    after(() => server.stop());

    /** @template T @param {(client: import("pg").Client) => Promise<T>} act @returns {Promise<T>} */
    const run = (act) => asClient(server.url, act);

    /** @param {import("pg").Client} client @param {Record<string, unknown>} [row] */
    const add = (client, row = {}) => {
      const { id, category, event_type, site_id, schema, mode, reasons } = {
        id: "own.shop",
        category: null,
        event_type: "page_view",
        site_id: null,
        schema: SHOP,
        mode: "enforce",
        reasons: { en: REASON },
        ...row,
      };
      return client.query(
        `insert into public.audience_own_rules (id, category, event_type, site_id, schema, mode, reasons)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [id, category, event_type, site_id, JSON.stringify(schema), mode, JSON.stringify(reasons)],
      );
    };

    /** Runs within a transaction that is undone. @template T @param {(client: import("pg").Client) => Promise<T>} act */
    const undone = (act) =>
      run(async (client) => {
        await client.query("begin");
        try {
          return await act(client);
        } finally {
          await client.query("rollback");
        }
      });

    /** The verdict on a page view of a path, by the document's judge. @param {import("pg").Client} client @param {object} [more] */
    const verdict = async (client, more = {}) =>
      (await client.query("select rule_id, reason, path from public.validate_audience_event($1)", [
        JSON.stringify({ ...event(), metadata: { page_path: "/blog" }, ...more }),
      ])).rows;

    it("rejects with its id, its reason and the place, whichever way the event comes", async () => {
      const { asked, rows, answer } = await undone(async (client) => {
        await add(client);
        const asked = await verdict(client);
        await insert(client, [
          event({ metadata: { page_path: "/blog" } }),
          event({ metadata: { page_path: "/shop/1" } }),
        ]);
        const batch = [event({ metadata: { page_path: "/blog/2" } }), event({ metadata: { page_path: "/shop" } })];
        const answer = await ingest(client, batch, { registry: "of before the rule" });
        const { rows } = await client.query(
          `select e.rejected, e.metadata ->> 'validation_rule_id' as rule, e.metadata ->> 'rejection_reason' as reason,
             e.metadata #>> '{violations,0,path}' as path
           from public.audience_events e order by e.rejected, e.metadata #>> '{original_payload_snapshot,metadata,page_path}'`,
        );
        return { asked, rows, answer };
      });
      const refused = { rule: "own.shop", reason: REASON, path: "/metadata/page_path" };
      assert.deepEqual(asked, [{ rule_id: refused.rule, reason: REASON, path: refused.path }]);
      const accepted = { rejected: false, rule: null, reason: null, path: null };
      assert.deepEqual(rows, [accepted, accepted, { rejected: true, ...refused }, { rejected: true, ...refused }]);
      assert.equal(answer.accepted, 1);
      assert.deepEqual(answer.rejected.map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id), ["own.shop"]);
    });

    it("is not asked again about what the function judged by it", async () => {
      const answer = await undone(async (client) => {
        await add(client);
        return await ingest(client, [event({ metadata: { page_path: "/blog" } })]);
      });
      assert.deepEqual([answer.accepted, answer.rejected], [1, []]);
    });

    it("in observe counts, keeps a redacted sample and lets pass", async () => {
      const { rows, accepted } = await undone(async (client) => {
        await add(client, { mode: "observe" });
        await insert(client, [
          event({ metadata: { page_path: "/blog" } }),
          event({ metadata: { page_path: "/shop/1" } }),
        ]);
        await ingest(client, ["/a", "/b", "/shop"].map((page_path) => event({ metadata: { page_path } })));
        const { rows } = await client.query(
          `select rule_id, event_source, event_type, events::int, sample #>> '{metadata,page_path}' as path
           from public.audience_observations order by id`,
        );
        const { rows: [{ accepted }] } = await client.query(
          "select count(*)::int as accepted from public.audience_events where not rejected",
        );
        return { rows, accepted };
      });
      const seen = { rule_id: "own.shop", event_source: "web", event_type: "page_view" };
      assert.deepEqual(rows, [{ ...seen, events: 1, path: "/blog" }, { ...seen, events: 2, path: "/a" }]);
      assert.equal(accepted, 5);
    });

    it("binds what its row names, and nothing while it is off", async () => {
      /** @type {[string, Record<string, unknown>, object, number][]} */
      const cases = [
        ["everything", { event_type: null }, {}, 1],
        ["its category", { event_type: null, category: "engagement" }, {}, 1],
        ["another category", { event_type: null, category: "system" }, {}, 0],
        ["another type", { event_type: "content_view" }, {}, 0],
        ["another site", { site_id: SITE }, {}, 0],
        ["its site", { site_id: SITE }, { site_id: SITE }, 1],
        ["off", { mode: "off" }, {}, 0],
        ["observe", { mode: "observe" }, {}, 0],
        ["the columns of the event", { schema: { required: ["user_id"] } }, {}, 1],
        ["no field that is null", { schema: { required: ["utm_source"] } }, { utm_source: null }, 1],
        ["no id", { schema: { not: { required: ["id"] } } }, {}, 0],
      ];
      /** @type {string[]} */
      const wrong = [];
      for (const [name, row, more, wanted] of cases) {
        const found = await undone(async (client) => {
          await add(client, row);
          return await verdict(client, more);
        });
        if (found.length !== wanted) wrong.push(`${name}: ${JSON.stringify(found)}`);
      }
      assert.deepEqual(wrong, []);
    });

    it("is refused as it is written, if it could not be judged or told", async () => {
      /** @type {string[]} */
      const wrong = [];
      for (const [name, row] of REFUSED) {
        const code = await undone((client) =>
          add(client, row).then(() => "taken", (/** @type {{ code: string }} */ error) => error.code)
        );
        if (!["23514", "23503"].includes(code)) wrong.push(`${name}: ${code}`);
      }
      assert.deepEqual(wrong, []);
    });

    it("is read by everybody who signs in if it binds every site, and else by the members of its site", async () => {
      const member = "00000000-0000-4000-8000-0000000000cc";
      const read = await undone(async (client) => {
        await add(client);
        await add(client, { id: "own.second", site_id: SITE });
        await client.query("insert into auth.users (id) values ($1)", [member]);
        await client.query("insert into public.audience_site_members (site_id, user_id) values ($1, $2)", [
          SITE,
          member,
        ]);
        await client.query("set local role authenticated");
        const seen = async (/** @type {string} */ user) => {
          await client.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify({ sub: user })]);
          return (await client.query("select id from public.audience_own_rules order by id")).rows.map(({ id }) => id);
        };
        return [await seen(SITE), await seen(member)];
      });
      assert.deepEqual(read, [["own.shop"], ["own.second", "own.shop"]]);
    });

    it("is judged by in its own transaction, and not after that was undone", async () => {
      const within = await undone(async (client) => {
        await add(client);
        return await verdict(client);
      });
      assert.deepEqual([within.length, (await run((client) => verdict(client))).length], [1, 0]);
    });

    it("is in force beside another that somebody wrote at the same time", async () => {
      await run(async (client) => {
        const [id, other] = ["own.first", "own.second"];
        await client.query("begin");
        await add(client, { id });
        const later = run((second) => add(second, { id: other }));
        while ((await client.query("select from pg_locks where not granted")).rows.length === 0) await setTimeout(10);
        await client.query("commit");
        await later;
        try {
          assert.deepEqual((await verdict(client)).map(({ rule_id }) => rule_id), [id, other]);
        } finally {
          await client.query("delete from public.audience_own_rules");
        }
        assert.deepEqual(await verdict(client), []);
      });
    });

    it("leaves every change on record, which nobody edits, and changes the version of the registry", async () => {
      await undone(async (client) => {
        const version = async () => (await client.query("select audience_gate.registry_version() as v")).rows[0].v;
        const first = await version();
        await client.query("set role service_role");
        await add(client);
        await client.query("update public.audience_own_rules set mode = 'off'");
        await client.query("delete from public.audience_own_rules");
        await client.query("reset role");
        assert.equal(await version() - first, 3);
        const { rows } = await client.query(
          `select rule_id, actor, before ->> 'mode' as before, after ->> 'mode' as after
           from public.audience_own_rule_events where rule_id = 'own.shop' order by id`,
        );
        const change = { rule_id: "own.shop", actor: "service_role" };
        assert.deepEqual(rows, [
          { ...change, before: null, after: "enforce" },
          { ...change, before: "enforce", after: "off" },
          { ...change, before: "off", after: null },
        ]);
        await assert.rejects(client.query("delete from public.audience_own_rule_events"), { code: "42501" });
      });
    });
  });
}
