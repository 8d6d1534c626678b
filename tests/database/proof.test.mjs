import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { batchOf, event, newSession, sendSigned, sendUnsigned, signatureOf } from "./events.mjs";
import { SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const MINUTES = 60_000;

for (const version of SCENARIO_VERSIONS) {
  describe(`the proof that a batch was judged, on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let owner;
    /** @type {pg.Client} */
    let client;
    /** The keys of the install, oldest first; two are valid. @type {string[]} */
    const keys = [];

    before(async () => {
      postgres = await startPostgres({ version });
      owner = new pg.Client({ connectionString: postgres.url });
      client = new pg.Client({ connectionString: postgres.url });
      await Promise.all([owner.connect(), client.connect()]);
      for (let made = 0; made < 3; made++) {
        keys.push((await owner.query("select audience_gate.new_signing_key() as key")).rows[0].key);
      }
      await client.query("set role service_role");
    });
    after(async () => {
      await Promise.all([owner.end(), client.end()]);
      await postgres.stop();
    });

    /** A batch that says, with every public proof there is, that an event which breaks a rule was accepted. */
    const forged = async (/** @type {string} */ session_id) =>
      JSON.stringify({ batch: await batchOf(client, [event({ session_id, metadata: {} })]) });

    it("only a fresh signature over the very bytes, by one of the last two keys, is believed", async () => {
      const newest = () => String(keys[2]);
      /** @type {[string, (body: string) => string, boolean][]} */
      const cases = [
        ["the newest key", (body) => signatureOf(newest(), body), true],
        ["the key before it", (body) => signatureOf(String(keys[1]), body), true],
        ["four minutes old", (body) => signatureOf(newest(), body, Date.now() - 4 * MINUTES), true],
        ["the key before that", (body) => signatureOf(String(keys[0]), body), false],
        ["six minutes old", (body) => signatureOf(newest(), body, Date.now() - 6 * MINUTES), false],
        ["six minutes ahead", (body) => signatureOf(newest(), body, Date.now() + 6 * MINUTES), false],
        ["a key of somebody's own", (body) => signatureOf("0b".repeat(32), body), false],
        ["another body", (body) => signatureOf(newest(), `${body} `), false],
        ["another nonce", (body) => signatureOf(newest(), body).replace(/n=.{4}/, "n=0000"), false],
        ["a digest cut short", (body) => signatureOf(newest(), body).slice(0, -2), false],
        ["nothing", () => "", false],
      ];
      const told = [];
      for (const [name, sign] of cases) {
        const body = await forged(newSession());
        const { accepted } = await sendSigned(client, body, sign(body));
        told.push([name, accepted === 1]);
      }
      assert.deepEqual(told, cases.map(([name, , believed]) => [name, believed]));
    });

    it("the service key alone stores nothing that breaks a rule: it is judged, and its audit row is the database's own", async () => {
      const session_id = newSession();
      const rejected = [{
        index: 1,
        session_id,
        event_source: "edge-function",
        metadata: {
          event_id: randomUUID(),
          validation_rule_id: "made.up",
          rejection_reason: "made up",
          violations: [],
        },
      }];
      const batch = await batchOf(client, [event({ session_id, metadata: {} })], { rejected });
      const answer = await sendUnsigned(client, batch);
      assert.deepEqual([answer.accepted, answer.rejected[0].rule_id], [0, "engagement.subject"]);
      const { rows } = await owner.query(
        `select rejected, metadata ->> 'validation_rule_id' as rule, metadata::text like '%made%' as is_forged
         from public.audience_events where session_id = $1 order by 2`,
        [session_id],
      );
      assert.deepEqual(rows, [
        { rejected: true, rule: "engagement.subject", is_forged: false },
        { rejected: true, rule: "parse.shape", is_forged: false },
      ]);
    });

    it("a call that is made again records nothing twice, events without ids included", async () => {
      const session_id = newSession();
      const rejected = [0, 1].map((index) => ({
        index,
        session_id,
        event_source: "edge-function",
        metadata: { validation_rule_id: "base.utm", validation_result: "rejected", violations: ["base.utm"] },
      }));
      const body = JSON.stringify({ batch: await batchOf(client, [], { rejected }) });
      const signature = signatureOf(String(keys[2]), body);
      await sendSigned(client, body, signature);
      await sendSigned(client, body, signature);
      const count = async () =>
        (await owner.query("select count(*)::int as n from public.audience_events where session_id = $1", [session_id]))
          .rows[0].n;
      assert.equal(await count(), 2);
      await sendSigned(client, body, signatureOf(String(keys[2]), body));
      assert.equal(await count(), 4);
    });
  });
}
