/**
 * What one anonymous sender at full rate costs the others, on the real function and a real Postgres with its usual limits:
 * visitors' waits in turns with and without the attacker, who sends the dearest mebibytes and takes no notice of answers.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { publishableKey } from "../../local/settings.mjs";
import { signingKeys, startPostgres } from "../database/postgres.mjs";
import { size } from "../long.mjs";
import { startRpcGateway } from "./rpc-gateway.mjs";
import { serveFunction } from "./serve.mjs";

const TURNS = size({ short: 3, long: 12 });
const TURN_MS = size({ short: 1500, long: 5000 });
const VISITORS = 4;
/** A person's clicks do not follow on each other at once. */
const BETWEEN_MS = 25;
/** How much longer others may wait; in the short form too few waits are measured to say. */
const MOST_RATIO = size({ short: Infinity, long: 1.5 });

const event = (/** @type {string} */ session, /** @type {Record<string, unknown>} */ metadata) => ({
  session_id: session,
  event_type: "page_view",
  event_category: "engagement",
  event_source: "web",
  metadata,
});
const visit = () => JSON.stringify(event(`session-${crypto.randomUUID()}`, { page_path: "/" }));
const mebibyte = JSON.stringify(
  Array.from({ length: 120 }, () => event("session-attacker", { page_path: "/", note: "4111 ".repeat(1600) })),
);

test("an attacker at full rate costs the database nothing, and others wait at most half as long again", async (t) => {
  const postgres = await startPostgres({});
  const gateway = await startRpcGateway({ database: postgres.url });
  const { url, stop } = await serveFunction({
    store: gateway.url,
    environment: { AUDIENCE_GATE_SIGNING_KEY: signingKeys.get(new URL(postgres.url).port) ?? "" },
  });
  t.after(async () => {
    await stop();
    await gateway.close();
    await postgres.stop();
  });
  const post = (/** @type {string} */ address, /** @type {string} */ body) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", apikey: publishableKey, "x-forwarded-for": address },
      body,
    }).then(async (response) => {
      await response.arrayBuffer();
      return response.status;
    });

  /** Each visitor's waits, and what the attacker was answered, in one turn. @param {boolean} attacked */
  const turn = async (attacked) => {
    const end = performance.now() + TURN_MS;
    /** @type {number[]} */
    const waits = [];
    /** @type {Record<number, number>} */
    const attacks = {};
    const before = gateway.calls();
    let address = 0;
    const visitor = async () => {
      while (performance.now() < end) {
        const start = performance.now();
        assert.equal(await post(`198.51.100.${++address % 250}`, visit()), 200);
        waits.push(performance.now() - start);
        await pause(BETWEEN_MS);
      }
    };
    const attacker = async () => {
      while (attacked && performance.now() < end) {
        const status = await post("192.0.2.66", mebibyte);
        attacks[status] = (attacks[status] ?? 0) + 1;
      }
    };
    await Promise.all([...Array.from({ length: VISITORS }, visitor), attacker()]);
    return { waits, attacks, calls: gateway.calls() - before };
  };

  // The attacker's allowance is spent first: what it may send is not an attack.
  while (await post("192.0.2.66", mebibyte) !== 429);
  await turn(false);
  /** @type {{ with: number[], without: number[] }} */
  const waits = { with: [], without: [] };
  /** @type {Record<number, number>} */
  const answers = {};
  let asked = 0;
  for (let number = 0; number < TURNS; number++) {
    waits.without.push(...(await turn(false)).waits);
    const attacked = await turn(true);
    waits.with.push(...attacked.waits);
    asked += attacked.calls - attacked.waits.length;
    for (const [status, count] of Object.entries(attacked.attacks)) {
      answers[Number(status)] = (answers[Number(status)] ?? 0) + count;
    }
  }
  const p95 = (/** @type {number[]} */ all) => all.sort((a, b) => a - b)[Math.floor(all.length * 0.95)] ?? NaN;
  const [beside, alone] = [p95(waits.with), p95(waits.without)];
  t.diagnostic(
    `p95 ${beside.toFixed(1)} ms beside ${JSON.stringify(answers)}, ${alone.toFixed(1)} ms alone: ${
      (beside / alone).toFixed(2)
    }`,
  );
  // Its allowance comes back in time, so the database is asked now and then; once a second it is told what was refused.
  const told = answers[429] ?? 0;
  assert.ok(told > 0, `the attacker was answered ${JSON.stringify(answers)}`);
  const most = 3 * Math.ceil(TURNS * TURN_MS / 1000);
  assert.ok(
    asked <= most,
    `the database was asked ${asked} times beside the visitors' requests, and ${most} at most may be`,
  );
  assert.ok(beside <= MOST_RATIO * alone, `${beside.toFixed(1)} ms beside an attacker, ${alone.toFixed(1)} ms alone`);
});
