/**
 * Sends seeded hostile bodies through the handler and prints, as JSON, what was wrong and how much memory stayed in
 * use. It is a process of its own, so that nobody else's garbage is counted.
 */
import { hostile } from "./hostile.mjs";
import { KEYS, scene, type SentBatch } from "./scene.ts";

const bodies = Number(Deno.args[0]);
const ALLOWED = new Set([200, 207, 400, 413, 415, 422]);
const { gc } = globalThis as unknown as { gc: () => void };

const { handle, batches, lines } = scene();
const wrong: string[] = [];
const statuses: Record<number, number> = {};
const resident: number[] = [];
for (let seed = 0; seed < bodies; seed += 1) {
  const { body, headers } = hostile(seed);
  const response = await handle(
    new Request("http://gate.test/ingest", {
      method: "POST",
      body: body.slice(),
      headers: { ...headers, apikey: KEYS.publishable[0] ?? "" },
    }),
  );
  const { status } = response;
  statuses[status] = (statuses[status] ?? 0) + 1;
  const complaint = complaintOf(status, await response.text(), batches[0]);
  if (complaint) wrong.push(`seed ${seed}: ${status} ${complaint}`);
  // The scene keeps these, not the function.
  batches.length = 0;
  lines.length = 0;
  if (seed % Math.ceil(bodies / 20) === 0) {
    gc();
    resident.push(Deno.memoryUsage().rss);
  }
}
console.log(JSON.stringify({ wrong, statuses, resident }));

/** The scene has parsed what reached the store strictly, so text that Postgres could not read has thrown there. */
function complaintOf(
  status: number,
  text: string,
  batch: SentBatch | undefined,
): string | null {
  if (!ALLOWED.has(status)) return text.slice(0, 200);
  const answer = JSON.parse(text);
  if (answer.error) return batch ? "refused, but recorded" : null;
  const { accepted, replayed, rejected, results } = answer;
  if (accepted + replayed + rejected !== results.length) {
    return "events without a verdict";
  }
  const recorded = (batch?.accepted.length ?? 0) +
    (batch?.rejected.length ?? 0);
  return recorded === results.length ? null : `${recorded} of ${results.length} events recorded`;
}
