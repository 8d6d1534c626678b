import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const BODIES = 10_000;
const RUN = new URL("../../../tests/function/hostile-run.ts", import.meta.url);
const CONFIG = new URL("./deno.json", import.meta.url);

Deno.test("10,000 hostile bodies get verdicts or refusals, in flat memory", async () => {
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
  const half = resident.length / 2;
  const grown = Math.max(...resident.slice(half)) -
    Math.max(...resident.slice(0, half));
  assert.ok(grown < 24_000_000, `memory grew by ${grown} bytes: ${resident}`);
});
