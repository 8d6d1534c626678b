/**
 * The store is killed at random points, again and again, while senders send and retry. In the end, every event that was
 * sent is recorded once, and every answer agrees with the tables.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { publishableKey } from "../../local/settings.mjs";
import { asClient, signingKeys, startPostgres } from "../database/postgres.mjs";
import { startRpcGateway } from "./rpc-gateway.mjs";
import { serveFunction } from "./serve.mjs";
import { size } from "../long.mjs";

const KILLS = Number(process.env.KILLS ?? size({ short: 100, long: 1000 }));
const SENDERS = 8;
/** More tries than the kills of a whole run can cost one request. */
const MOST_TRIES = 300;
// A crash ends every session of the server, and it recovers from its log. That is slow, so a few are enough.
const CRASHES = Math.max(1, Math.round(KILLS / 50));

/** @type {Awaited<ReturnType<typeof startPostgres>>} */
let postgres;
/** @type {Awaited<ReturnType<typeof startRpcGateway>>} */
let gateway;
/** @type {Awaited<ReturnType<typeof serveFunction>>} */
let served;

before(async () => {
  postgres = await startPostgres({ version: 15 });
  await asClient(
    postgres.adminUrl,
    (client) => client.query("update public.audience_rate_limits set burst = 2000000000, per_minute = 1000000000"),
  );
  gateway = await startRpcGateway({ database: postgres.url });
  served = await serveFunction({
    store: gateway.url,
    environment: {
      AUDIENCE_GATE_STORE_TIMEOUT_MS: "3000",
      AUDIENCE_GATE_SIGNING_KEY: signingKeys.get(new URL(postgres.url).port) ?? "",
    },
  });
});

after(async () => {
  await (await overseer)?.end();
  await served?.stop();
  await gateway?.close();
  await postgres?.stop();
});

test(`${KILLS} kills of the store lose and double nothing`, async (t) => {
  let stop = false;
  /** @type {Map<string, "accepted" | "rejected">} every event, and what its sender was told */
  const told = new Map();
  const seen = { requests: 0, unavailable: 0, replayed: 0 };

  const senders = Array.from({ length: SENDERS }, async () => {
    while (!stop) {
      const events = batch();
      for (const { id, status } of await sendUntilAnswered(events, seen)) {
        assert.equal(told.has(id), false, "an id answered in two batches");
        told.set(id, status);
      }
    }
  });
  const killing = killAtRandom();
  // A sender ends early only if it fails, and then there is no point in going on.
  await Promise.race([...senders, killing.done]);
  stop = true;
  killing.stop();
  await killing.done;
  await Promise.all(senders);

  const { rows } = await ask(
    `select sent.id, e.rejected, count(*) over (partition by sent.id)::integer as copies
     from public.audience_events e
     cross join lateral (select case when e.rejected then e.metadata ->> 'event_id' else e.id::text end as id) sent`,
  );
  assert.equal(rows.length, told.size, "sent = recorded");
  const wrong = rows.filter(({ id, rejected, copies }) =>
    copies !== 1 || told.get(id) !== (rejected ? "rejected" : "accepted")
  );
  assert.deepEqual(wrong, []);
  assert.ok(seen.unavailable > 0, "no request was ever hit");
  t.diagnostic(
    `${killing.count()} kills; ${told.size} events in ${seen.requests} requests, ` +
      `${seen.unavailable} of them answered 503 and sent again, ${seen.replayed} events replayed`,
  );
});

/** Kills one call after another while it is under way; ends when all kills are done. */
function killAtRandom() {
  const counts = { session: 0, connection: 0, crash: 0 };
  const total = () => counts.session + counts.connection + counts.crash;
  let stopped = false;
  const done = (async () => {
    while (!stopped && total() < KILLS) {
      // This is no particular moment.
      await pause(Math.random() * 12);
      const flights = [...gateway.flights];
      const flight = flights[Math.floor(Math.random() * flights.length)];
      if (!flight) continue;
      if (
        counts.crash < CRASHES && total() >= counts.crash * (KILLS / CRASHES) &&
        flight.backend
      ) {
        counts.crash += crash(flight.backend);
      } else if (Math.random() < 0.5 && flight.backend) {
        counts.session += await terminate(flight.backend);
      } else {
        flight.cut();
        counts.connection += 1;
      }
    }
  })();
  return {
    done,
    stop: () => stopped = true,
    count: () => `${total()} (${JSON.stringify(counts)})`,
  };
}

/** @param {number} backend @returns {number} how many servers were brought down */
function crash(backend) {
  try {
    process.kill(backend, "SIGKILL");
    return 1;
  } catch {
    // It had ended by itself.
    return 0;
  }
}

/** @param {number} backend @returns {Promise<number>} how many sessions ended */
async function terminate(backend) {
  try {
    const { rows } = await ask("select pg_terminate_backend($1) as ended", [
      backend,
    ]);
    return rows[0].ended ? 1 : 0;
  } catch {
    // The server is recovering from a crash: nothing was killed this time.
    return 0;
  }
}

/** @type {Promise<pg.Client> | undefined} */
let overseer;

/** @param {string} sql @param {unknown[]} [values] */
async function ask(sql, values = []) {
  overseer ??= connect();
  try {
    return await (await overseer).query(sql, values);
  } catch (error) {
    overseer = undefined;
    throw error;
  }
}

async function connect() {
  const client = new pg.Client({ connectionString: postgres.adminUrl });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Only letters, because a run of digits could be taken for somebody's card. */
const session = () =>
  `session-${
    Array.from(
      { length: 24 },
      () => String.fromCharCode(97 + Math.random() * 26),
    ).join("")
  }`;

/** Events in sessions of their own: some that the gate rejects, and some fired twice, which only the store can. */
function batch() {
  const events = Array.from(
    { length: 1 + Math.floor(Math.random() * 12) },
    () => ({
      id: randomUUID(),
      session_id: session(),
      event_type: "content_view",
      event_category: "engagement",
      event_source: "outage-test",
      metadata: {
        content_id: "a",
        duration_seconds: Math.random() < 0.2 ? 1 : 30,
      },
    }),
  );
  const last = events[events.length - 1];
  return Math.random() < 0.3 ? [...events, { ...last, id: randomUUID() }] : events;
}

/**
 * @param {ReturnType<typeof batch>} events
 * @param {{ requests: number, unavailable: number, replayed: number }} seen
 * @returns {Promise<{ id: string, status: "accepted" | "rejected" }[]>}
 */
async function sendUntilAnswered(events, seen) {
  for (let tries = 1;; tries += 1) {
    const response = await fetch(served.url, {
      method: "POST",
      headers: { apikey: publishableKey, "content-type": "application/json" },
      body: JSON.stringify(events),
    });
    const answer = await response.json();
    seen.requests += 1;
    if (response.status === 503) {
      assert.ok(tries < MOST_TRIES, "refused long after the last kill");
      assert.ok(response.headers.get("retry-after"));
      seen.unavailable += 1;
      // This is what a sender does that was told to come again, but sooner: the answer's Retry-After is in whole
      // seconds.
      await pause(20 + Math.random() * 80);
      continue;
    }
    assert.ok(
      [200, 207, 422].includes(response.status),
      `${response.status} ${JSON.stringify(answer)}`,
    );
    assert.equal(
      answer.accepted + answer.replayed + answer.rejected,
      events.length,
    );
    assert.deepEqual(
      answer.results.map((/** @type {{ id: string }} */ { id }) => id),
      events.map(({ id }) => id),
    );
    seen.replayed += answer.replayed;
    return answer.results;
  }
}
