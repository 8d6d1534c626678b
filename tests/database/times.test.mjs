// What is stored of a time is what was judged: digits beyond microseconds are cut and never rounded, whoever judged.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { judge, loadRegistry } from "../../pkg/inline.js";
import { batchOf, event, ingest } from "./events.mjs";
import { SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

/** @typedef {import("./events.mjs").Event} Event */

/** Yesterday's date, and the day before it, so that every time is within the window. */
const day = (/** @type {number} */ back) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
const [today, yesterday, before2] = [day(0), day(1), day(2)];

/** What is sent, and what is stored of it. @type {[sent: string, stored: string | null][]} */
const TIMES = [
  [`${yesterday}T12:00:59.9999999Z`, `${yesterday} 12:00:59.999999`],
  [`${yesterday}T12:00:00.0000005Z`, `${yesterday} 12:00:00.000000`],
  [`${yesterday}T23:59:59.99999999999999999999999999Z`, `${yesterday} 23:59:59.999999`],
  [`${yesterday}T12:00:00.1Z`, `${yesterday} 12:00:00.100000`],
  [`${yesterday}t12:00:00.123456z`, `${yesterday} 12:00:00.123456`],
  [`${yesterday}T12:00:00.123456+15:59`, `${before2} 20:01:00.123456`],
  [`${yesterday}T12:00:00+23:59`, `${before2} 12:01:00.000000`],
  [`${before2}T12:00:00-23:59`, `${yesterday} 11:59:00.000000`],
  [`${before2}T12:00:00.9999999-16:00`, `${yesterday} 04:00:00.999999`],
  [`${before2}T23:59:60Z`, `${yesterday} 00:00:00.000000`],
  [`${yesterday}T01:29:60.7654321+01:30`, `${yesterday} 00:00:00.765432`],
  ["", null],
  ["\u00a0", null],
];

/** Judged by the module, as the function does. */
async function byModule(/** @type {pg.Client} */ client, /** @type {Event[]} */ events) {
  const { rows: [{ registry }] } = await client.query("select audience_gate.registry() as registry");
  loadRegistry(JSON.stringify(registry));
  const { argument, answer } = judge(new TextEncoder().encode(JSON.stringify(events)), {
    caller: "trusted",
    receivedAt: Date.now(),
    seed: new Uint8Array(16).fill(1),
  });
  assert.deepEqual(JSON.parse(new TextDecoder().decode(answer)).rejected, 0);
  return ingest(client, [], { accepted: JSON.parse(new TextDecoder().decode(argument)).batch.accepted });
}

/** Judged by the database, because nobody has proved to have judged. */
async function byDatabase(/** @type {pg.Client} */ client, /** @type {Event[]} */ events) {
  const { rows: [{ answer }] } = await client.query("select public.ingest_audience_events($1) as answer", [
    JSON.stringify(await batchOf(client, events)),
  ]);
  return answer;
}

for (const version of SCENARIO_VERSIONS) {
  describe(`times on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let client;

    before(async () => {
      postgres = await startPostgres({ version });
      client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
    });
    after(async () => {
      await client.end();
      await postgres.stop();
    });

    for (const [who, send] of Object.entries({ "the module": byModule, "the database": byDatabase })) {
      it(`are stored as ${who} has judged them (today is ${today})`, async () => {
        const sent = TIMES.map(([time]) => event({ id: randomUUID(), occurred_at: time }));
        const answer = await send(client, sent);
        assert.deepEqual(answer.rejected, []);
        const { rows } = await client.query(
          `select id, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as stored
           from public.audience_events where id = any ($1)`,
          [sent.map(({ id }) => id)],
        );
        const stored = new Map(rows.map((row) => [row.id, row.stored]));
        assert.deepEqual(sent.map(({ id, occurred_at }) => [occurred_at, stored.get(id)]), TIMES);
      });
    }
  });
}
