/**
 * What one anonymous sender at full rate costs the others, on the real function and a real Postgres with its usual limits:
 * visitors' waits in turns with and without the attacker, who sends the dearest mebibytes and takes no notice of answers.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { publishableKey } from "../../local/settings.mjs";
import { signingKeys, startPostgres } from "../database/postgres.mjs";
import { size } from "../long.mjs";
import { root } from "../runner/paths.mjs";
import { startRpcGateway } from "./rpc-gateway.mjs";
import { serveFunction } from "./serve.mjs";

const TURNS = size({ short: 3, long: 12 });
const TURN_MS = size({ short: 1500, long: 5000 });
const VISITORS = 4;
/** A person's clicks do not follow on each other at once. */
const BETWEEN_MS = 25;
/** How much longer others may wait; in the short form too few waits are measured to say. */
const MOST_RATIO = size({ short: Infinity, long: 1.5 });

const visit = (/** @type {number} */ number) =>
  JSON.stringify({
    session_id: `session-${number}`,
    event_type: "page_view",
    event_category: "engagement",
    event_source: "web",
    metadata: { page_path: "/" },
  });

test("an attacker at full rate costs the database nothing, and others wait at most half as long again", async (t) => {
  const postgres = await startPostgres({});
  const gateway = await startRpcGateway({ database: postgres.url });
  const { url, stop } = await serveFunction({
    store: gateway.url,
    environment: { AUDIENCE_GATE_SIGNING_KEY: signingKeys.get(new URL(postgres.url).port) ?? "" },
  });
  const attacker = spawn(process.execPath, [join(root, "tests", "function", "attacker.mjs"), url], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(async () => {
    attacker.stdin.end();
    await once(attacker, "close");
    await stop();
    await gateway.close();
    await postgres.stop();
  });
  const reports = createInterface({ input: attacker.stdout })[Symbol.asyncIterator]();
  /** How often the attacker was answered how. @returns {Promise<Record<string, number>>} */
  const report = async () => JSON.parse((await reports.next()).value);

  const post = async (/** @type {string} */ address, /** @type {string} */ body) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", apikey: publishableKey, "x-forwarded-for": address },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  };
  /** No address and no session sends twice, so that no visitor meets a limit of its own. */
  let visits = 0;
  /** Each visitor's waits in one turn. */
  const turn = async () => {
    const end = performance.now() + TURN_MS;
    /** @type {number[]} */
    const waits = [];
    const visitor = async () => {
      while (performance.now() < end) {
        const number = ++visits;
        const start = performance.now();
        assert.equal(await post(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, visit(number)), 200);
        waits.push(performance.now() - start);
        await pause(BETWEEN_MS);
      }
    };
    await Promise.all(Array.from({ length: VISITORS }, visitor));
    return waits;
  };

  await report();
  await turn();
  /** @type {{ with: number[], without: number[] }} */
  const waits = { with: [], without: [] };
  /** @type {Record<string, number>} */
  const answers = {};
  let asked = 0;
  for (let number = 0; number < TURNS; number++) {
    waits.without.push(...await turn());
    const before = gateway.calls();
    attacker.stdin.write("go\n");
    const attacked = await turn();
    attacker.stdin.write("stop\n");
    for (const [status, count] of Object.entries(await report())) answers[status] = (answers[status] ?? 0) + count;
    asked += gateway.calls() - before - attacked.length;
    waits.with.push(...attacked);
  }
  const p95 = (/** @type {number[]} */ all) => all.sort((a, b) => a - b)[Math.floor(all.length * 0.95)] ?? NaN;
  const [beside, alone] = [p95(waits.with), p95(waits.without)];
  t.diagnostic(
    `p95 ${beside.toFixed(1)} ms beside ${JSON.stringify(answers)}, ${alone.toFixed(1)} ms alone: ${
      (beside / alone).toFixed(2)
    }`,
  );
  // Its allowance comes back in time, so the database is asked now and then; once a second it is told what was refused.
  const told = answers["429"] ?? 0;
  assert.ok(told > 0, `the attacker was answered ${JSON.stringify(answers)}`);
  const most = 3 * Math.ceil(TURNS * TURN_MS / 1000);
  assert.ok(
    asked <= most,
    `the database was asked ${asked} times beside the visitors' requests, and ${most} at most may be`,
  );
  assert.ok(beside <= MOST_RATIO * alone, `${beside.toFixed(1)} ms beside an attacker, ${alone.toFixed(1)} ms alone`);
});
