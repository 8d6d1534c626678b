/**
 * That a change of the figures is told over Realtime, on both versions of Postgres, with a stand-in for what Realtime makes in
 * a database (realtime.sql). What its server does with a message is not tried here: there is none to be had.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";

const REALTIME = readFileSync(new URL("realtime.sql", import.meta.url), "utf8");
const [HERE, THERE] = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"];
const user = (/** @type {number} */ n) => `${String(n).repeat(8)}-0000-4000-8000-000000000000`;
const topic = (/** @type {string} */ site) => `audience-gate:${site}`;
/** @typedef {import("pg").Client} Client */

/** The one value of a statement. @param {Client} client @param {string} sql @param {...unknown} values */
const one = async (client, sql, ...values) => Object.values((await client.query(sql, values)).rows[0] ?? {})[0];

/** The same as a signed-in user. @param {Client} client @param {number} n @param {string} sql @param {...unknown} values */
async function as(client, n, sql, ...values) {
  await client.query("begin");
  try {
    const claims = JSON.stringify({ sub: user(n), role: "authenticated" });
    await client.query("select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)", [
      claims,
    ]);
    return await one(client, sql, ...values);
  } finally {
    await client.query("commit");
  }
}

/** @param {Client} client @param {string} site @param {number} [many] */
const events = (client, site, many = 1) =>
  client.query(
    `insert into public.audience_events (site_id, session_id, event_type, event_category, event_source, metadata)
     select $1, 'session-' || gen_random_uuid(), 'page_view', 'engagement', 'web', '{"page_path": "/"}' from generate_series(1, $2)`,
    [site, many],
  );

/** @param {Client} client @returns {Promise<Record<string, any>>} */
const fold = async (
  client,
) => /** @type {Record<string, any>} */ (await one(client, "select audience_gate.fold_analytics()"));

/** What was handed to Realtime, and no more. @param {Client} client */
async function messages(client) {
  const { rows } = await client.query(
    "delete from realtime.messages returning topic, event, extension, private, payload - 'id' as payload",
  );
  return rows;
}

/** A second later for the limit. @param {Client} client */
const later = (client) =>
  client.query("update audience_gate.site_listeners set told_at = told_at - interval '2 seconds'");

/**
 * As Realtime asks whether somebody may join: it writes a row of the topic, becomes the caller, and looks whether the row is seen.
 *
 * @param {Client} admin @param {string} wanted @param {{ role: string, id?: string }} caller @param {string} [extension]
 */
async function joins(admin, wanted, { role, id }, extension = "broadcast") {
  await admin.query("begin");
  try {
    const probe = await one(
      admin,
      "insert into realtime.messages (topic, extension) values ($1, $2) returning id",
      wanted,
      extension,
    );
    const claims = JSON.stringify({ role, ...(id === undefined ? {} : { sub: id }) });
    await admin.query(
      `select set_config('role', $1, true), set_config('realtime.topic', $2, true), set_config('request.jwt.claims', $3, true),
         set_config('request.jwt.claim.sub', $4, true)`,
      [role, wanted, claims, id ?? ""],
    );
    return await one(admin, "select count(*)::integer from realtime.messages where id = $1", probe) === 1;
  } finally {
    await admin.query("rollback");
  }
}

for (const version of VERSIONS) {
  describe(`changes told over Realtime, on Postgres ${version}`, () => {
    /** @type {Awaited<ReturnType<typeof startPostgres>>} */
    let server;
    before(async () => {
      server = await startPostgres({ version });
      await asClient(server.url, (client) =>
        client.query(`
          insert into public.audience_sites (id, name) values ('${HERE}', 'Here'), ('${THERE}', 'There');
          insert into public.audience_site_members (site_id, user_id, role) values
            ('${HERE}', '${user(1)}', 'owner'), ('${HERE}', '${user(2)}', 'viewer'), ('${THERE}', '${
          user(3)
        }', 'owner')`));
    });
    after(() => server?.stop());

    test("without Realtime nobody is told, nothing fails, and a dashboard hears that it has to ask", async () => {
      await asClient(server.url, async (client) => {
        assert.deepEqual(await one(client, "select audience_gate.enable_push()"), { realtime: false });
        assert.equal(await as(client, 1, "select public.audience_push_topic($1)", HERE), null);
        await events(client, HERE);
        assert.deepEqual([
          (await fold(client)).outcome,
          await one(client, "select count(*)::int from audience_gate.site_listeners"),
        ], [
          "ok",
          0,
        ]);
        assert.deepEqual(await one(client, "select audience_gate.disable_push()"), { realtime: false });
      });
    });

    test("once Realtime is there it is enabled by one call, and by another one nothing changes", async () => {
      await asClient(server.adminUrl, (admin) => admin.query(REALTIME));
      await asClient(server.url, async (client) => {
        assert.equal(await as(client, 1, "select public.audience_push_topic($1)", HERE), null, "not before that call");
        for (let turn = 0; turn < 2; turn += 1) {
          assert.deepEqual(await one(client, "select audience_gate.enable_push()"), { realtime: true });
        }
        assert.equal(await one(client, "select count(*)::int from pg_policies where schemaname = 'realtime'"), 1);
        for (const n of [1, 2]) {
          assert.equal(await as(client, n, "select public.audience_push_topic($1)", HERE), topic(HERE));
        }
        for (const n of [3, 4]) {
          await assert.rejects(as(client, n, "select public.audience_push_topic($1)", HERE), { code: "42501" });
        }
      });
    });

    test("a member may join the topic of their site, and nobody any other", async () => {
      await asClient(server.adminUrl, async (admin) => {
        const found = [];
        for (const n of [1, 2, 3, 4]) {
          for (const [name, site] of [["here", HERE], ["there", THERE]]) {
            if (await joins(admin, topic(site), { role: "authenticated", id: user(n) })) found.push(`${n} ${name}`);
          }
        }
        assert.deepEqual(found, ["1 here", "2 here", "3 there"]);
        const member = { role: "authenticated", id: user(1) };
        assert.equal(await joins(admin, topic(HERE), { role: "anon" }), false);
        assert.equal(await joins(admin, topic(HERE), { role: "authenticated" }), false);
        assert.equal(await joins(admin, topic(HERE), member, "presence"), false);
        assert.equal(await joins(admin, "room:1", member), false, "the project's own topics are as they were");
        assert.equal(await joins(admin, "audience-gate:not-a-site", member), false);
      });
    });

    test("a fold tells of the sites that it changed and somebody looks at, without any figure", async () => {
      await asClient(server.url, async (client) => {
        await fold(client);
        assert.deepEqual(await messages(client), [], "nothing has changed");
        await events(client, HERE, 5);
        await events(client, THERE);
        const began = await one(client, "select now()");
        assert.equal((await fold(client)).events, 6);
        const [told, ...more] = await messages(client);
        assert.deepEqual(more, [], "nobody looks at the other site, and one message is enough for all that changed");
        const { until, ...payload } = told.payload;
        assert.deepEqual({ ...told, payload }, {
          topic: topic(HERE),
          event: "changed",
          extension: "broadcast",
          private: true,
          payload: { site: HERE },
        });
        assert.ok(new Date(until) >= /** @type {Date} */ (began), `${until}`);

        await later(client);
        await client.query(
          `insert into public.audience_events (site_id, session_id, event_type, event_category, event_source, metadata)
           values ($1, 'refused-1', 'page_view', 'engagement', 'web', '{}')`,
          [HERE],
        ).catch(() => {});
        await events(client, HERE);
        await fold(client);
        assert.equal((await messages(client)).length, 1);
        await events(client, HERE);
        await fold(client);
        assert.deepEqual(await messages(client), [], "at most once a second");

        await client.query("update audience_gate.site_listeners set wanted_until = now() - interval '1 second'");
        await later(client);
        await events(client, HERE);
        await fold(client);
        assert.deepEqual(await messages(client), [], "nobody has asked for a day");
        assert.equal(await as(client, 1, "select public.audience_push_topic($1)", HERE), topic(HERE));
      });
    });

    test("a move between states is told, and figures that are made anew", async () => {
      await asClient(server.url, async (client) => {
        for (
          const change of [
            `insert into audience_gate.flow_slots (site_id, slot, from_state, to_state, transitions, stays, seconds)
             values ('${HERE}', '2026-01-01Z', 'a', 'b', 1, 0, 0)`,
            "update audience_gate.flow_slots set transitions = transitions + 1",
            `select audience_gate.make_figures(array['${HERE}', '${THERE}']::uuid[])`,
          ]
        ) {
          await later(client);
          await client.query(change);
          assert.deepEqual((await messages(client)).map((told) => told.topic), [topic(HERE)], change);
        }
      });
    });

    test("whatever becomes of a message, the fold takes its events", async (t) => {
      await asClient(server.adminUrl, (admin) =>
        asClient(server.url, async (client) => {
          const accepted = () =>
            one(
              client,
              "select sum(events)::int from audience_gate.receipt_slots where site_id = $1 and rule_id = ''",
              HERE,
            );
          const before = /** @type {number} */ (await accepted());
          const refuses =
            "create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)" +
            " returns void language plpgsql as $$ begin raise exception 'no'; end $$";
          const { rows: [{ was }] } = await admin.query(
            "select pg_get_functiondef('realtime.send(jsonb,text,text,boolean)'::regprocedure) as was",
          );
          await later(client);
          await admin.query(refuses);
          await events(client, HERE);
          assert.equal((await fold(client)).outcome, "ok");
          await admin.query(was);

          await later(client);
          await admin.query("begin; lock table realtime.messages");
          await events(client, HERE);
          const began = performance.now();
          assert.equal((await fold(client)).outcome, "ok");
          const held = performance.now() - began;
          await admin.query("rollback");
          t.diagnostic(`a fold of one event while Realtime's table is locked: ${Math.round(held)} ms`);
          assert.ok(held < 2_000, `${held} ms`);

          await later(client);
          await admin.query("drop function realtime.send(jsonb, text, text, boolean)");
          await events(client, HERE);
          assert.equal((await fold(client)).outcome, "ok");
          await admin.query(was);
          assert.equal(await accepted(), before + 3);
          assert.deepEqual(await messages(client), []);
        }));
    });

    test("a request for the topic does not wait for a fold", async () => {
      await asClient(server.adminUrl, (admin) =>
        asClient(server.url, async (client) => {
          await admin.query("begin; update audience_gate.site_listeners set told_at = now()");
          await client.query("set statement_timeout = '2s'");
          assert.equal(await as(client, 2, "select public.audience_push_topic($1)", HERE), topic(HERE));
          await admin.query("rollback");
        }));
    });

    test("once it is disabled nobody is told and nobody may join", async () => {
      await asClient(server.url, async (client) => {
        assert.deepEqual(await one(client, "select audience_gate.disable_push()"), { realtime: true });
        await later(client);
        await events(client, HERE);
        await fold(client);
        assert.deepEqual(await messages(client), []);
        assert.equal(await as(client, 1, "select public.audience_push_topic($1)", HERE), null);
      });
      await asClient(server.adminUrl, async (admin) => {
        assert.equal(await joins(admin, topic(HERE), { role: "authenticated", id: user(1) }), false);
      });
    });
  });
}
