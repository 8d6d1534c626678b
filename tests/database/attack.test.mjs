import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { size } from "../long.mjs";
import { batchOf, event, ingest, newSession, sendSigned, signatureOf } from "./events.mjs";
import { SCENARIO_VERSIONS, signingKeys, startPostgres } from "./postgres.mjs";

const SECONDS = size({ short: 5, long: 60 });

/** A statement that inserts so many page views, each of a session of its own. */
const inserts = (/** @type {number} */ rows) =>
  `insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
   select 'session-' || gen_random_uuid(), 'page_view', 'engagement', 'web', '{"page_path": "/"}' from generate_series(1, ${rows})`;

for (const version of SCENARIO_VERSIONS) {
  describe(`what one sender can cost the others, on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let owner;

    /** @template T @param {string} role @param {(client: pg.Client) => Promise<T>} work @param {string} [user] @returns {Promise<T>} */
    const as = async (role, work, user = randomUUID()) => {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      try {
        await client.query(
          "select set_config('request.jwt.claims', $1, false), set_config('request.jwt.claim.sub', $2, false)",
          [JSON.stringify({ sub: user, role }), user],
        );
        await client.query(`set role ${role}`);
        return await work(client);
      } finally {
        await client.end();
      }
    };
    const events = async () =>
      (await owner.query("select count(*)::int as count from public.audience_events")).rows[0].count;

    before(async () => {
      postgres = await startPostgres({ version });
      owner = new pg.Client({ connectionString: postgres.url });
      await owner.connect();
    });
    after(async () => {
      await owner.end();
      await postgres.stop();
    });

    it("no plan for a row is so dear that the server compiles it", async () => {
      // A scan that is switched off counts as ten thousand million, and compiling takes longer than a thousand rows.
      await as("authenticated", async (client) => {
        await client.query("set jit = on; set jit_above_cost = 100000");
        const start = performance.now();
        await client.query(inserts(20));
        assert.ok(performance.now() - start < 5000, `20 rows took ${(performance.now() - start).toFixed(0)} ms`);
      });
    });

    it("60,000 rows in one statement of one account are refused, and none is recorded", async () => {
      const stored = await events();
      await as("authenticated", (client) => assert.rejects(client.query(inserts(60_000)), { code: "PT413" }));
      assert.equal(await events(), stored);
    });

    it("an account that has sent too much is refused before a row is judged, and others are not", async () => {
      const user = randomUUID();
      await as("authenticated", async (client) => {
        await client.query(inserts(1000));
        await assert.rejects(client.query(inserts(1)), { code: "PT429" });
      }, user);
      await as("authenticated", (client) => client.query(inserts(1)));
      await as("service_role", (client) => client.query(inserts(1)));
    });

    it("a request that repeats itself costs at most 20 times an ordinary one of its size", async () => {
      const shapes = {
        ordinary: () =>
          Array.from({ length: 100 }, () => event({ metadata: { page_path: "/", note: "word ".repeat(180) } })),
        "equal events full of what could be a card": () => {
          const session_id = newSession();
          return Array.from(
            { length: 12 },
            () => event({ session_id, metadata: { page_path: "/", note: "4111 ".repeat(1600) } }),
          );
        },
        "equal events of many texts": () => {
          const session_id = newSession();
          const metadata = { page_path: "/", notes: Array.from({ length: 1000 }, (_, n) => `n${n % 9}`) };
          return Array.from({ length: 12 }, () => event({ session_id, metadata }));
        },
        "equal events, as small as they can be": () => {
          const session_id = newSession();
          return Array.from({ length: 400 }, () => event({ session_id }));
        },
      };
      /** @type {Record<string, number>} */
      const cost = {};
      await as("service_role", async (client) => {
        for (let round = 0; round < 3; round++) {
          for (const [shape, make] of Object.entries(shapes)) {
            const events = make();
            const start = performance.now();
            assert.equal((await ingest(client, events)).recorded, true);
            cost[shape] = Math.min(cost[shape] ?? Infinity, performance.now() - start);
          }
        }
      });
      const dear = Object.entries(cost).filter(([, ms]) => ms > 20 * Number(cost["ordinary"]));
      assert.deepEqual(dear, [], JSON.stringify(cost));
    });

    it("what a batch cost is charged even if it runs out of time, and nothing of it is recorded", async () => {
      const key = randomUUID();
      const stored = await events();
      const answer = await as("service_role", async (client) => {
        const batch = await batchOf(client, Array.from({ length: 100 }, () => event()), {
          registry: "another",
          rate: { keys: [{ key, scope: "address" }] },
        });
        await owner.query("begin; lock table public.audience_event_types in access exclusive mode");
        await client.query("set statement_timeout = '300ms'");
        const body = JSON.stringify({ batch });
        return sendSigned(client, body, signatureOf(String(signingKeys.get(String(client.port))), body));
      });
      await owner.query("rollback");
      assert.equal(answer.recorded, false);
      assert.equal(answer.failed, "too much work");
      assert.equal(await events(), stored);
      const { rows: [bucket] } = await owner.query(
        "select tokens from audience_gate.rate_buckets where key = $1 and scope = 'address'",
        [key],
      );
      assert.equal(bucket?.tokens, 1100);
    });

    it(`${SECONDS} seconds of attackers: no batch of another sender fails, and nothing deadlocks`, async () => {
      const end = Date.now() + SECONDS * 1000;
      const attacker = randomUUID();
      /** @type {Record<string, number>} */
      const failures = {};
      let batches = 0;
      const until = async (/** @type {() => Promise<unknown>} */ work) => {
        while (Date.now() < end) await work();
      };
      const attack = () =>
        as("authenticated", (client) => until(() => client.query(inserts(900)).catch(() => {})), attacker);
      // Back ends that insert many sessions at once, in no order.
      const backend = () =>
        as("service_role", (client) =>
          until(() =>
            client.query(inserts(200)).catch(({ code }) => {
              failures[code] = (failures[code] ?? 0) + 1;
            })
          ));
      const batcher = () =>
        as("service_role", (client) =>
          until(async () => {
            const answer = await ingest(client, Array.from({ length: 50 }, () => event({ session_id: newSession() })));
            batches += 1;
            assert.deepEqual([answer.recorded, answer.accepted], [true, 50]);
          }));
      await Promise.all([attack(), attack(), attack(), backend(), backend(), batcher(), batcher(), batcher()]);
      const { rows: [{ deadlocks }] } = await owner.query(
        "select deadlocks::int from pg_stat_database where datname = current_database()",
      );
      assert.ok(batches > 0);
      assert.deepEqual({ failures, deadlocks }, { failures: {}, deadlocks: 0 });
    });
  });
}
