import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { batchOf, event, ingest, insert, newSession, sendUnsigned } from "./events.mjs";
import { SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

/** @typedef {import("./events.mjs").Event} Event */

const USER = randomUUID();

/** Sends events that no engine has judged, so that the database judges them. */
const judged = async (/** @type {pg.Client} */ client, /** @type {Event[]} */ events) =>
  sendUnsigned(client, await batchOf(client, events));

/** Sends finished audit rows of events, as the function does for what its own engine refused. */
async function reported(/** @type {pg.Client} */ client, /** @type {Event[]} */ events) {
  const { rows } = await client.query(
    `select audience_gate.rejection_metadata(e, array['engagement.subject'], 'edge-function')
       || jsonb_build_object('event_id', e -> 'id') as metadata
     from jsonb_array_elements($1) e`,
    [JSON.stringify(events)],
  );
  return ingest(client, [], {
    rejected: events.map(({ session_id }, index) => ({
      index,
      session_id,
      event_source: "edge-function",
      metadata: rows[index].metadata,
    })),
  });
}

/** The ways in which a refused event comes to the log. */
const WAYS = { "judged by the database": judged, "refused by the function": reported, "inserted directly": insert };

for (const version of SCENARIO_VERSIONS) {
  describe(`what an id stands for, on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let client;

    /** The audit rows about an id, by the rule that refused it. */
    const audited = async (/** @type {string} */ id) => {
      const { rows } = await client.query(
        `select metadata ->> 'validation_rule_id' as rule, count(*)::int as count, count(distinct id)::int as ids
         from public.audience_events where rejected and metadata ->> 'event_id' = $1 group by 1 order by 1`,
        [id],
      );
      return rows;
    };

    before(async () => {
      postgres = await startPostgres({ version });
      client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
    });
    after(async () => {
      await client.end();
      await postgres.stop();
    });

    for (const [name, send] of Object.entries(WAYS)) {
      for (const holder of ["nobody", "an accepted event"]) {
        it(`500 different events ${name} under an id of ${holder} are 500 rows, and their retries none more`, async () => {
          const id = randomUUID();
          if (holder !== "nobody") await ingest(client, [event({ id })]);
          const session_id = newSession();
          const refused = Array.from({ length: 500 }, (_, n) => event({ id, session_id, metadata: { n } }));
          for (let sent = 0; sent < 2; sent++) {
            for (let start = 0; start < 500; start += 250) await send(client, refused.slice(start, start + 250));
            assert.deepEqual(await audited(id), [{ rule: "engagement.subject", count: 500, ids: 500 }]);
          }
        });
      }
    }

    it("an event that was refused may come again under its id, mended", async () => {
      for (const send of [judged, insert]) {
        const id = randomUUID();
        await send(client, [event({ id, metadata: {} })]);
        await send(client, [event({ id })]);
        const { rows } = await client.query("select rejected from public.audience_events where id = $1", [id]);
        assert.deepEqual(rows, [{ rejected: false }]);
      }
    });

    it("whoever comes first under an id, the event that comes second leaves its row", async () => {
      const ways = { judged, ingest, insert };
      for (const [first, sendFirst] of Object.entries(ways)) {
        for (const [second, sendSecond] of Object.entries(ways)) {
          const id = randomUUID();
          await sendFirst(client, [event({ id })]);
          const answer = await sendSecond(client, [event({ id, user_id: USER, event_source: "backend" })]);
          assert.deepEqual(
            await audited(id),
            [{ rule: "identity.id_reuse", count: 1, ids: 1 }],
            `${first}, then ${second}`,
          );
          if (answer) {
            assert.deepEqual([answer.accepted, answer.replayed], [0, []]);
            assert.equal(answer.rejected[0].rule_id, "identity.id_reuse");
          }
        }
      }
    });

    it("other contents are other contents, whatever they differ in, but for the hash that the gate adds", async () => {
      const sent = event({
        occurred_at: new Date(Date.now() - 60_000).toISOString(),
        utm_source: "letter",
        utm_medium: "mail",
        metadata: { page_path: "/", duration_seconds: 48.5, email_hash: "a".repeat(63) + "b" },
      });
      await ingest(client, [sent]);
      const changes = {
        site_id: { site_id: "00000000-0000-4000-8000-000000000002" },
        user_id: { user_id: USER },
        session_id: { session_id: newSession() },
        event_type: {
          event_type: "content_complete",
          metadata: { ...Object(sent["metadata"]), content_id: "a", duration_seconds: 42 },
        },
        event_source: { event_source: "ios" },
        utm: { utm_medium: "post" },
        occurred_at: { occurred_at: new Date(Date.now() - 50_000).toISOString() },
        metadata: { metadata: { page_path: "/other" } },
      };
      const told = [];
      for (const [name, change] of Object.entries(changes)) {
        const answer = await ingest(client, [{ ...sent, ...change }]);
        told.push([name, answer.rejected[0]?.rule_id]);
      }
      assert.deepEqual(told, Object.keys(changes).map((name) => [name, "identity.id_reuse"]));
      const same = { metadata: { page_path: "/", duration_seconds: 48.50, email_hash: "c".repeat(64) } };
      assert.deepEqual((await ingest(client, [{ ...sent, ...same }])).replayed, [0]);
    });

    it("within a batch the first of an id that is accepted has it", async () => {
      const [id, session_id] = [randomUUID(), newSession()];
      const answer = await ingest(client, [
        event({ id, session_id }),
        event({ id, session_id }),
        event({ id, session_id, metadata: { page_path: "/other" } }),
      ]);
      assert.equal(answer.accepted, 1);
      assert.deepEqual(answer.replayed, [1]);
      assert.deepEqual(
        answer.rejected.map((/** @type {any} */ { index, rule_id }) => [index, rule_id]),
        [[2, "identity.id_reuse"]],
      );
    });

    it("nobody can claim the id under which a rejection will be recorded or replayed", async () => {
      const sent = event({ event_type: "not_yet_known" });
      await insert(client, [sent]);
      const { rows: [row] } = await client.query(
        `select id, left(encode(sha256(convert_to('replay|' || id, 'UTF8')), 'hex'), 32)::uuid as guessed
         from public.audience_events where metadata ->> 'event_id' = $1`,
        [sent["id"]],
      );
      assert.notEqual(row.id, sent["id"]);
      await ingest(client, [event({ id: row.guessed })]);
      await client.query(
        `insert into public.audience_event_types (id, category, tier, score_weight, description)
         values ('not_yet_known', 'engagement', 'consumer', 1, 'x')`,
      );
      const { rows: [{ answer }] } = await client.query(
        "select public.audience_replay(rule => 'registry.event_type') as answer",
      );
      assert.equal(answer.accepted, 1);
      assert.notEqual(answer.results[0].event_id, row.guessed);
    });
  });
}
