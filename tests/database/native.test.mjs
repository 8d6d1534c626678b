// The native gate and the module are one source compiled twice, and say the same of every event: the rules that it
// violates with their places, the redacted record with its digests, and what is kept of an accepted event. Each audit
// row is itself a valid event to both, and what no text may hold is refused alike. AUDIENCE_GATE_SEED=… and
// AUDIENCE_GATE_EVENTS=… as in the differential test.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import { commandLine } from "../command_line.mjs";
import { size } from "../long.mjs";
import { generated, random } from "./generated.mjs";
import { answered, CALLERS, cases, comparison, told } from "./native.mjs";

const GENERATED = Number(process.env.AUDIENCE_GATE_EVENTS ?? size({ short: 10_000, long: 10_000_000 }));
const seed = Number(process.env.AUDIENCE_GATE_SEED ?? Date.now() % 2 ** 31);

const folder = mkdtempSync(join(tmpdir(), "audience-gate-native-"));
after(() => rmSync(folder, { recursive: true }));

const gate = commandLine();

/** What one thread found in its share. @param {number} worker @param {number} workers @returns {Promise<{ rejected: number, looked: number }>} */
async function share(worker, workers) {
  const workerData = { gate, folder, events: GENERATED, seed, worker, workers };
  const thread = new Worker(new URL("native_worker.mjs", import.meta.url), { workerData });
  return (await once(thread, "message"))[0];
}

test(`the native gate and the module say the same of ${GENERATED} generated events (seed ${seed})`, async (t) => {
  const workers = availableParallelism();
  const started = performance.now();
  const shares = await Promise.all(Array.from({ length: workers }, (_, worker) => share(worker, workers)));
  const total = (/** @type {"rejected" | "looked"} */ what) => shares.reduce((sum, one) => sum + one[what], 0);
  const seconds = (performance.now() - started) / 1000;
  t.diagnostic(
    `${Math.round(GENERATED / seconds)} events/s; bytes differed, and verdicts did not, in ${total("looked")}`,
  );
  assert.ok(total("rejected") > GENERATED / 4, `only ${total("rejected")} events are rejected`);
  // If this grows, the bytes are no longer what is compared.
  assert.ok(total("looked") < GENERATED / 10, `${total("looked")} events were looked at one by one`);
});

/** What no JSON text may hold: bytes that are not UTF-8, or cut it, and the characters that Postgres cannot store. */
const UNREADABLE = [
  ...[[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0x00], [0xff, 0xfe]],
  ...["\\u0000", "\\ud83d", "\\ude00", "\\ude00\\ud83d"].map((text) => [...Buffer.from(text)]),
].map((bytes) => Buffer.from(bytes));

test(`the native gate and the module say the same of unreadable bytes at any place of an event (seed ${seed})`, () => {
  const next = random(seed);
  const lines = generated(UNREADABLE.length * 75, cases, seed).map(({ text }, index) => {
    const event = Buffer.from(text);
    const at = Math.floor(next() * (event.length + 1));
    return Buffer.concat([event.subarray(0, at), UNREADABLE[index % UNREADABLE.length], event.subarray(at)]);
  });
  const body = Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]));
  const native = comparison(gate, folder).byProgram(body, CALLERS[0]).rejected;
  /** @type {import("./native.mjs").Row[]} */
  const rows = JSON.parse(answered(body, CALLERS[0], { ndjson: true })).batch.rejected;
  const module = new Map(rows.map(({ index, ...row }) => [index, row]));
  const wrong = lines.flatMap((line, index) => {
    const record = native.get(index);
    const [left, right] = [told(record && JSON.parse(record)), told(module.get(index))];
    return left === right && left !== "accepted" ? [] : [`${line.toString("latin1")}\n  ${left}\n  ${right}`];
  });
  assert.equal(wrong.length, 0, `${wrong.length} differ or are accepted:\n${wrong.slice(0, 5).join("\n")}`);
});

test("the native gate and the module say the same of each case of the corpus, whoever sends it", () => {
  const { compare } = comparison(gate, folder);
  const written = cases.map(({ text }) => text).filter((text) => !/[\n\r\ufeff]/.test(text) && isJson(text));
  assert.ok(written.length > 300, `only ${written.length} cases`);
  for (const by of CALLERS) compare(written, by);
});

/** @param {string} text */
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
