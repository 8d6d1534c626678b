/** Compares its share of the generated events, in a thread of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { generated, hostile } from "./generated.mjs";
import { CALLERS, cases, comparison } from "./native.mjs";

/** How many events are compared at once. */
const AT_ONCE = 5000;

/** @type {{ gate: string, folder: string, events: number, seed: number, worker: number, workers: number }} */
const { gate, folder, events, seed, worker, workers } = workerData;
const own = mkdtempSync(join(folder, "worker-"));
const { compare } = comparison(gate, own);
const total = { rejected: 0, looked: 0 };
for (let batch = worker; batch * AT_ONCE < events; batch += workers) {
  const start = batch * AT_ONCE;
  const count = Math.min(AT_ONCE, events - start);
  // These are twenty times as large as others, and there are enough of them in a long run.
  const crooked = Math.ceil(count / 40);
  const sent = [...generated(count - crooked, cases, seed + start), ...hostile(crooked, seed + start)];
  const { rejected, looked } = compare(sent.map(({ text }) => text), CALLERS[batch % CALLERS.length]);
  total.rejected += rejected;
  total.looked += looked;
}
rmSync(own, { recursive: true });
parentPort?.postMessage(total);
