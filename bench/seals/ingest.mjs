import { performance } from "node:perf_hooks";
import pg from "pg";
import { batchOf, event, signatureOf } from "../../tests/database/events.mjs";
import { signingKeys, startPostgres } from "../../tests/database/postgres.mjs";

const BATCH = 100;
const ROUNDS = 150;

/**
 * What recording costs where rows are queued for the sealer, beside the same where they are not: two databases on one server
 * take turns, batch by batch, and each pair begins with the other one.
 */
export async function compareIngest() {
  const postgres = await startPostgres();
  const admin = new pg.Client({ connectionString: postgres.adminUrl.replace("/postgres?", "/template1?") });
  await admin.connect();
  await admin.query("create database sealed template postgres");
  await admin.end();
  const [plain, sealed] = [postgres.url, postgres.url.replace("/postgres?", "/sealed?")].map((url) =>
    new pg.Client({ connectionString: url })
  );
  try {
    await plain.connect();
    await sealed.connect();
    await sealed.query("select audience_gate.start_sealing()");
    /** @type {[number, number][]} */
    const pairs = [];
    for (let round = 0; round < ROUNDS; round++) {
      /** @type {[number, number]} */
      const pair = [0, 0];
      for (const place of round % 2 === 0 ? [0, 1] : [1, 0]) pair[place] = await send([plain, sealed][place]);
      // The first ones fill caches.
      if (round >= ROUNDS / 10) pairs.push(pair);
    }
    const middle = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[values.length >> 1];
    const [without, with_] = [0, 1].map((place) => middle(pairs.map((pair) => pair[place])));
    return {
      batch: BATCH,
      rounds: pairs.length,
      without,
      with: with_,
      longer: (middle(pairs.map(([a, b]) => b / a)) - 1) * 100,
    };
  } finally {
    await plain.end();
    await sealed.end();
    await postgres.stop();
  }
}

/** Milliseconds in which a batch is recorded; what the client prepares is not timed. @param {pg.Client} client */
async function send(client) {
  const body = JSON.stringify({ batch: await batchOf(client, Array.from({ length: BATCH }, () => event())) });
  const signature = signatureOf(signingKeys.get(String(client.port)) ?? "", body);
  const start = performance.now();
  const { rows: [{ answer }] } = await client.query("select public.ingest_audience_events_signed($1, $2) as answer", [
    body,
    signature,
  ]);
  const milliseconds = performance.now() - start;
  if (answer.accepted !== BATCH) throw new Error(`not recorded: ${JSON.stringify(answer)}`);
  return milliseconds;
}
