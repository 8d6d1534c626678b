import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const BODIES = Deno.env.get("AUDIENCE_GATE_LONG") === "1" ? 100_000 : 40_000;
const RUN = new URL("../../../tests/function/hostile-run.ts", import.meta.url);
const CONFIG = new URL("./deno.json", import.meta.url);

Deno.test("forty thousand hostile bodies and more get verdicts or refusals, in flat memory", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--allow-all",
      "--v8-flags=--expose-gc",
      `--config=${fileURLToPath(CONFIG)}`,
      fileURLToPath(RUN),
      String(BODIES),
    ],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { wrong, statuses, resident } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  assert.deepEqual(wrong, []);
  // Not one sort of body has taken over: verdicts and refusals were both exercised.
  for (const status of [400, 413, 422]) assert.ok(statuses[status] > 100);
  // Memory grows in steps over the first half, as the runtime's own heaps do; then it has to stay. A peak
  // goes by when the collector comes round, so what counts is the least that is taken: a leak raises that too. It varies by
  // ten megabytes; two kilobytes that stay of every body are twenty.
  const quarter = resident.length / 4;
  const grown = Math.min(...resident.slice(-quarter)) -
    Math.min(...resident.slice(-2 * quarter, -quarter));
  assert.ok(grown < 20_000_000, `memory grew by ${grown} bytes: ${resident}`);
});
