// What the dearest requests cost that somebody can make who needs no account: a mebibyte of events in every shape, judged and
// signed as the function does it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { judge, loadRegistry } from "../../pkg/inline.js";
import { size } from "../long.mjs";
import { batchOf, event, newSession, sendSigned, signatureOf } from "./events.mjs";
import { SCENARIO_VERSIONS, signingKeys, startPostgres } from "./postgres.mjs";

/** @typedef {import("./events.mjs").Event} Event */

const MEBIBYTE = 2 ** 20;
const ROUNDS = size({ short: 3, long: 10 });
/** What the default limits leave an address at first. */
const BURST = 1200;

/** As many events as have room in a request. @param {(n: number) => Event} make @returns {Event[]} */
function mebibyte(make) {
  /** @type {Event[]} */
  const events = [];
  let bytes = 2;
  for (let n = 0; n < 1000; n++) {
    const next = make(n);
    bytes += JSON.stringify(next).length + 1;
    if (bytes > MEBIBYTE) break;
    events.push(next);
  }
  return events;
}

const noted = (/** @type {unknown} */ note) => ({ page_path: "/", note });
const taken = randomUUID();

/** Each called anew for every request. @type {Record<string, () => Event[]>} */
const SHAPES = {
  "ordinary": () => mebibyte(() => event({ metadata: noted("word ".repeat(150)) })),
  "double fires, as large as they can be": () => {
    const session_id = newSession();
    return mebibyte((n) => event({ session_id, metadata: noted(`${n} ${"x".repeat(8000)}`) }));
  },
  "double fires, as many as there can be": () => {
    const session_id = newSession();
    return mebibyte(() => event({ session_id, metadata: noted("word ".repeat(150)) }));
  },
  "double fires of many small parts": () => {
    const session_id = newSession();
    return mebibyte(() =>
      event({ session_id, metadata: noted(Array.from({ length: 900 }, (_, n) => ({ [`k${n % 9}`]: n }))) })
    );
  },
  "one id under many contents": () =>
    mebibyte((n) => event({ id: taken, metadata: noted(`${n} ${"word ".repeat(150)}`) })),
  "refused, as many as there can be": () =>
    mebibyte(() => event({ event_type: "unknown_type", metadata: noted("word ".repeat(150)) })),
  "refused, full of what is redacted": () =>
    mebibyte(() => event({ metadata: noted("ada@example.com 4111 1111 1111 1111 ".repeat(220)) })),
  "refused under ids that are sent again": () => {
    const id = randomUUID();
    return mebibyte((n) => event({ id, event_type: "unknown_type", metadata: noted(`${n} ${"word ".repeat(150)}`) }));
  },
};

for (const version of SCENARIO_VERSIONS) {
  describe(`the dearest requests on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let owner;

    /** @template T @param {(client: pg.Client) => Promise<T>} work @returns {Promise<T>} */
    const asFunction = async (work) => {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      try {
        await client.query("set role service_role");
        return await work(client);
      } finally {
        await client.end();
      }
    };

    /**
     * The call that the function makes for a visitor's request.
     * @param {pg.Client} client @param {Event[]} events @param {string} address
     */
    const prepared = async (client, events, address) => {
      const { argument } = judge(new TextEncoder().encode(JSON.stringify(events)), {
        caller: "visitor",
        receivedAt: Date.now(),
        seed: new Uint8Array(16).fill(1),
      });
      const { accepted, rejected } = JSON.parse(new TextDecoder().decode(argument)).batch;
      const rate = { keys: [{ key: address, scope: "address" }] };
      return JSON.stringify({ batch: await batchOf(client, [], { caller: "visitor", accepted, rejected, rate }) });
    };
    const call = (/** @type {pg.Client} */ client, /** @type {string} */ body) =>
      sendSigned(client, body, signatureOf(String(signingKeys.get(String(client.port))), body));

    before(async () => {
      postgres = await startPostgres({ version, settings: { log_statement_stats: "on" } });
      owner = new pg.Client({ connectionString: postgres.url });
      await owner.connect();
      const { rows: [{ registry }] } = await owner.query("select audience_gate.registry() as registry");
      loadRegistry(JSON.stringify(registry));
      await owner.query(
        "update public.audience_rate_limits set burst = 1e9, per_minute = 1e9 where scope in ('session', 'site')",
      );
    });
    after(async () => {
      await owner.end();
      await postgres.stop();
    });

    it("a mebibyte takes the database at most 20 times as long as an ordinary one, and 1.5 s, and is charged", async (t) => {
      /** @type {Record<string, number>} */
      const cost = {};
      let seconds = 0;
      await asFunction(async (client) => {
        client.on("notice", ({ detail }) => {
          const [, user, system] = /([0-9.]+) s user, ([0-9.]+) s system/.exec(detail ?? "") ?? [];
          seconds += Number(user) + Number(system);
        });
        await client.query("set client_min_messages = log");
        for (let round = 0; round < ROUNDS; round++) {
          for (const [shape, make] of Object.entries(SHAPES)) {
            const [events, address] = [make(), randomUUID()];
            const body = await prepared(client, events, address);
            seconds = 0;
            const answer = await call(client, body);
            // Processor time: what else this machine did meanwhile does not count.
            cost[shape] = Math.min(cost[shape] ?? Infinity, seconds * 1000);
            assert.equal(answer.recorded, true, `${shape}: ${JSON.stringify(answer).slice(0, 300)}`);
            const { rows: [bucket] } = await owner.query(
              "select round(tokens)::int as left from audience_gate.rate_buckets where key = $1",
              [address],
            );
            assert.equal(bucket?.left, BURST - events.length, shape);
          }
        }
      });
      t.diagnostic(Object.entries(cost).map(([shape, ms]) => `${shape}: ${ms.toFixed(0)} ms`).join(", "));
      const dear = Object.entries(cost).filter(([, ms]) => ms > 20 * Number(cost["ordinary"]) || ms > 1500);
      assert.deepEqual(dear, []);
    });
  });
}
