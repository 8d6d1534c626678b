import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { at, counted, event, ingest, insert, newSession } from "./events.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

/** The two ways in, with the same interface: one event sent by one client. */
const WAYS = {
  "the batch function": (
    /** @type {pg.Client} */ client,
    /** @type {import("./events.mjs").Event} */ sent,
  ) => ingest(client, [sent]),
  "a direct insert": (
    /** @type {pg.Client} */ client,
    /** @type {import("./events.mjs").Event} */ sent,
  ) => insert(client, [sent]),
};

const SECOND_SITE = "00000000-0000-4000-8000-000000000002";

/** What comes after an event of the same session, and how many of the two are accepted. */
const NEAR = [
  { what: "2.999 s later", then: { seconds: 2.999 }, accepted: 1 },
  { what: "3.000 s later", then: { seconds: 3 }, accepted: 2 },
  { what: "2.999 s earlier", then: { seconds: -2.999 }, accepted: 1 },
  { what: "3.000 s earlier", then: { seconds: -3 }, accepted: 2 },
  {
    what: "at once, another type",
    then: { seconds: 0, event_type: "content_complete", metadata: { content_id: "a", duration_seconds: 42 } },
    accepted: 2,
  },
  { what: "at once, a user after none", then: { seconds: 0, user_id: randomUUID() }, accepted: 2 },
  { what: "at once, another site", then: { seconds: 0, site_id: SECOND_SITE }, accepted: 1 },
  {
    what: "at once, another source and payload",
    then: { seconds: 0, event_source: "ios", metadata: { page_path: "/other" } },
    accepted: 1,
  },
];

/** What each other window would judge differently. */
const OTHER_WINDOWS = {
  "2": ["2.999 s later", "2.999 s earlier"],
  "4": ["3.000 s later", "3.000 s earlier"],
};

for (const version of SCENARIO_VERSIONS) {
  describe(`repeats and replays on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client[]} */
    let clients;

    before(async () => {
      postgres = await startPostgres({ version });
      clients = await Promise.all(Array.from({ length: 50 }, async () => {
        const client = new pg.Client({ connectionString: postgres.url });
        await client.connect();
        await client.query("set role service_role");
        return client;
      }));
    });
    after(async () => {
      await Promise.all(clients.map((client) => client.end()));
      await postgres.stop();
    });

    for (const [name, send] of Object.entries(WAYS)) {
      it(`${name}: one event under 50 ids at once is accepted once and audited 49 times`, async () => {
        const session_id = newSession();
        await Promise.all(
          clients.map((client) => send(client, event({ session_id }))),
        );
        // An audit row has the session of the event it is about.
        assert.deepEqual(
          await counted(clients[0], "session_id", [session_id]),
          { accepted: 1, audited: 49 },
        );
      });

      it(`${name}: one id sent 50 times at once is accepted once and leaves no audit row`, async () => {
        const sent = event();
        await Promise.all(clients.map((client) => send(client, sent)));
        assert.deepEqual(
          await counted(clients[0], "session_id", [sent.session_id]),
          { accepted: 1, audited: 0 },
        );
      });

      it(`${name}: one event a second for a minute is accepted 20 times and audited 40 times`, async () => {
        const session_id = newSession();
        const start = Date.now() - 3_600_000;
        for (let second = 0; second < 60; second++) {
          await send(
            clients[0],
            event({ session_id, occurred_at: at(start, second) }),
          );
        }
        assert.deepEqual(
          await counted(clients[0], "session_id", [session_id]),
          { accepted: 20, audited: 40 },
        );
      });

      it(`${name}: the window is three seconds, open at both ends`, async () => {
        assert.deepEqual(await misjudged(clients[0], send), []);
      });

      for (const [seconds, told] of Object.entries(OTHER_WINDOWS)) {
        it(`${name}: a window of ${seconds} seconds would be noticed`, async () => {
          await setFireWindow(postgres.url, seconds);
          try {
            assert.deepEqual((await misjudged(clients[0], send)).map(({ what }) => what), told);
          } finally {
            await setFireWindow(postgres.url, "3");
          }
        });
      }
    }

    it("both ways in at once, one event under 50 ids, still accept it once", async () => {
      const session_id = newSession();
      const ways = Object.values(WAYS);
      await Promise.all(
        clients.map((client, i) => ways[i % 2](client, event({ session_id }))),
      );
      assert.deepEqual(await counted(clients[0], "session_id", [session_id]), {
        accepted: 1,
        audited: 49,
      });
    });

    it("large batches over the same sessions at once do not deadlock and agree", async () => {
      const names = Array.from({ length: 100 }, newSession);
      const answers = await Promise.all(
        clients.slice(0, 8).map((client, i) => {
          const order = i % 2 ? names : names.toReversed();
          return ingest(
            client,
            order.map((session_id) => event({ session_id })),
          );
        }),
      );
      assert.equal(
        answers.reduce((sum, { accepted }) => sum + accepted, 0),
        100,
      );
      assert.deepEqual(await counted(clients[0], "session_id", names), {
        accepted: 100,
        audited: 700,
      });
    });

    it("batches are decided as if their events came one by one", async () => {
      for (let round = 0; round < 40; round++) {
        const { batches, expected } = generated(round);
        const answers = [];
        for (const events of batches) {
          answers.push(
            verdicts(await ingest(clients[0], events), events.length),
          );
        }
        assert.deepEqual(
          answers,
          expected,
          `round ${round}: ${JSON.stringify(batches)}`,
        );
      }
    });

    it("repeatable read is refused, because it could not see what was recorded meanwhile", async () => {
      for (const send of Object.values(WAYS)) {
        await clients[0].query("begin isolation level repeatable read");
        await assert.rejects(send(clients[0], event()), { code: "0A000" });
        await clients[0].query("rollback");
      }
    });
  });
}

/** The pairs of events that are not judged as they must be. @param {pg.Client} client @param {(client: pg.Client, sent: import("./events.mjs").Event) => Promise<unknown>} send */
async function misjudged(client, send) {
  await client.query(
    "insert into public.audience_sites (id, name) values ($1, 'Second') on conflict do nothing",
    [SECOND_SITE],
  );
  const wrong = [];
  for (const { what, then: { seconds, ...members }, accepted } of NEAR) {
    const session_id = newSession();
    const start = Date.now() - 3_600_000;
    await send(client, event({ session_id, occurred_at: at(start, 0) }));
    await send(client, event({ session_id, occurred_at: at(start, seconds), ...members }));
    const counts = await counted(client, "session_id", [session_id]);
    if (counts.accepted !== accepted || counts.audited !== 2 - accepted) wrong.push({ what, ...counts });
  }
  return wrong;
}

/** Makes every path judge by a window of this many seconds. @param {string} url @param {string} seconds */
function setFireWindow(url, seconds) {
  return asClient(url, (client) =>
    client.query(
      `create or replace function audience_gate.fire_window() returns interval
       language sql immutable parallel safe set search_path = '' as $$ select interval '${seconds} seconds' $$`,
    ));
}

/** @param {{ replayed: number[], rejected: { index: number }[] }} answer @param {number} count */
function verdicts(answer, count) {
  const refused = new Set(answer.rejected.map(({ index }) => index));
  const replayed = new Set(answer.replayed);
  return Array.from(
    { length: count },
    (_, i) => refused.has(i) ? "rejected" : replayed.has(i) ? "replayed" : "accepted",
  );
}

/** Crowded batches, and what each event's answer must be. @param {number} seed */
function generated(seed) {
  const random = randomNumbers(seed + 1);
  const pick = (/** @type {any[]} */ values) => values[Math.floor(random() * values.length)];
  const names = [newSession(), newSession()];
  const users = [null, randomUUID()];
  const ids = Array.from({ length: 30 }, () => randomUUID());
  const start = Date.now() - 3_600_000;
  /** @type {Map<string, { key: string, at: number }>} the accepted events, by id */
  const recorded = new Map();
  const expected = [];
  const batches = [];
  for (let batch = 0; batch < 3; batch++) {
    const events = Array.from(
      { length: 1 + Math.floor(random() * 25) },
      () => ({
        ...event(),
        id: pick(ids),
        session_id: pick(names),
        user_id: pick(users),
        occurred_at: at(start, Math.floor(random() * 40) / 2),
      }),
    );
    batches.push(events);
    expected.push(events.map(({ id, session_id, user_id, occurred_at }) => {
      const key = `${session_id} ${user_id}`;
      const time = Date.parse(occurred_at);
      const known = recorded.get(id);
      if (known) return known.key === key && known.at === time ? "replayed" : "rejected";
      const repeated = [...recorded.values()].some((other) => other.key === key && Math.abs(other.at - time) < 3000);
      if (!repeated) recorded.set(id, { key, at: time });
      return repeated ? "rejected" : "accepted";
    }));
  }
  return { batches, expected };
}

/** The same numbers for the same seed. @param {number} state */
function randomNumbers(state) {
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}
