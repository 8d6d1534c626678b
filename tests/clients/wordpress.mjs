/** The plugin for WordPress sends what it is told, and breaks no page. The functions of WordPress are stubs: wordpress.php. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { wordpressPlugin } from "../../build/npm.mjs";
import { publishableKey, secretKey } from "../../local/settings.mjs";
import { root } from "../runner/paths.mjs";
import { base } from "./drivers.mjs";
import { startFront } from "./front.mjs";

const id = randomUUID();
const EVENT = {
  id,
  occurred_at: new Date().toISOString(),
  session_id: `session-${randomUUID()}`,
  event_type: "content_view",
  event_category: "engagement",
  event_source: "wordpress",
  metadata: { content_id: "post-7", duration_seconds: 42 },
};

/** What is asked of it, in which environment, and what its error log then says. @type {[event: unknown, env: Record<string, string>, complains: RegExp][]} */
const CASES = [
  [{ ...EVENT, id: "7" }, {}, /^audience-gate: `id` is not a UUID/],
  [EVENT, { AUDIENCE_GATE_KEY: "" }, /^audience-gate: set AUDIENCE_GATE_KEY/],
  [EVENT, { AUDIENCE_GATE_QUEUE: "SITE/wp-content" }, /^audience-gate: set AUDIENCE_GATE_QUEUE to a folder outside/],
  [EVENT, {}, /^$/],
];

/** @param {Awaited<ReturnType<typeof import("./gate.mjs").startGate>>} gate */
export async function worksInWordPress(gate) {
  const front = await startFront(gate.functions, []);
  const plugin = join(base, "wordpress");
  wordpressPlugin(plugin);
  mkdirSync(join(plugin, "tracker"));
  writeFileSync(join(plugin, "tracker/audience-gate.js"), "");
  try {
    for (const [event, { AUDIENCE_GATE_QUEUE = join(base, "wordpress-queue"), ...changes }, complains] of CASES) {
      const env = {
        ...process.env,
        AUDIENCE_GATE_URL: front.url,
        AUDIENCE_GATE_KEY: secretKey,
        AUDIENCE_GATE_QUEUE: AUDIENCE_GATE_QUEUE.replace("SITE", join(plugin, "site")),
        AUDIENCE_GATE_PUBLISHABLE_KEY: publishableKey,
        ...changes,
      };
      const args = [join(root, "tests/clients/wordpress.php"), plugin, JSON.stringify(event)];
      const { stdout, stderr } = await promisify(execFile)("php", ["-d", "display_errors=stderr", ...args], { env });
      assert.match(stderr, complains);
      assert.deepEqual(JSON.parse(stdout), {
        schedule: ["audience_gate_flush", 60],
        script: "https://shop.example/wp-content/plugins/audience-gate/tracker/audience-gate.js",
        attributes: { id: "audience-gate-js", async: true, "data-endpoint": front.url, "data-key": publishableKey },
      });
    }
    assert.deepEqual((await gate.recorded([id])).map(({ rejected }) => rejected), [false]);
    assert.deepEqual(front.seen.map(({ events, key }) => [events, key]), [[1, secretKey]]);
  } finally {
    front.close();
  }
}
