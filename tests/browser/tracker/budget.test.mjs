// What the tracker costs a page: bytes over the wire, and time on the main thread.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { registrySnapshot } from "./registry.mjs";
import { stage, until } from "./browser.mjs";

const scene = stage();

const KILOBYTE = 1024;
const size = (/** @type {string} */ name) =>
  brotliCompressSync(readFileSync(new URL(`../../../web/dist/tracker/${name}`, import.meta.url))).length;

for (
  const [what, limit, names] of /** @type {[string, number, string[]][]} */ ([
    ["the module", 7.5, ["tracker.js"]],
    ["the one-line script", 7.5, ["audience-gate.js"]],
    ["the script with the contract", 84, ["audience-gate.js", "contract.js", "audience_gate_bg.wasm"]],
  ])
) {
  test(`${what} is at most ${limit} KB brotli`, (t) => {
    const sizes = names.map((name) => `${name} ${size(name)}`);
    const total = names.reduce((sum, name) => sum + size(name), 0);
    t.diagnostic(`${total} bytes: ${sizes.join(", ")}`);
    assert.ok(total <= limit * KILOBYTE, `${total} bytes: ${sizes.join(", ")}`);
  });
}

scene(
  "no task over 50 ms while the contract loads and 300 events are tracked and sent",
  async ({ server, context, t }) => {
    server.registry = registrySnapshot();
    const page = await context.newPage();
    await page.goto(`${server.origin}/blank`);
    await page.waitForLoadState("networkidle");
    const trace = await record(context, page, async () => {
      await page.evaluate(async (endpoint) => {
        const { createTracker } = await import("/tracker/tracker.js");
        const tracker = createTracker({ endpoint, key: "k", consent: "granted", debug: false, flushInterval: 100 });
        await tracker.ready();
        for (let n = 0; n < 300; n++) {
          await tracker.track({
            event_type: "feature_used",
            event_category: "engagement",
            metadata: { feature_id: `feature-${n}`, page_path: "/", n },
          });
          // A page's events come one by one, not in a loop that never yields, so this yields, but waits for nothing.
          if (n % 10 === 9) await new Promise((done) => setTimeout(done));
        }
      }, server.endpoint);
      await until(() => server.rows.filter((row) => row.metadata.n !== undefined).length === 300, "all are stored");
    });
    const tasks = mainThreadTasks(trace);
    const longest = Math.max(...tasks);
    t.diagnostic(`${tasks.length} tasks, longest ${longest.toFixed(1)} ms of processor time`);
    assert.ok(tasks.length > 100, "the trace holds the tasks");
    assert.ok(longest <= 50, `${longest} ms`);
  },
);

/** What this file reads of a trace. @typedef {{ name: string, pid: number, tid: number, tdur?: number, dur?: number, args: { name?: string } }} TraceEvent */

/**
 * A DevTools trace of what happens while the work is done.
 *
 * @param {import("playwright-core").BrowserContext} context
 * @param {import("playwright-core").Page} page
 * @param {() => Promise<void>} work
 */
async function record(context, page, work) {
  const devtools = await context.newCDPSession(page);
  /** @type {TraceEvent[]} */
  const events = [];
  devtools.on(
    "Tracing.dataCollected",
    ({ value }) => events.push(.../** @type {TraceEvent[]} */ (/** @type {unknown} */ (value))),
  );
  await devtools.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline"] },
  });
  await work();
  const complete = new Promise((done) => devtools.once("Tracing.tracingComplete", done));
  await devtools.send("Tracing.end");
  await complete;
  return events;
}

/** Processor time, in ms, of each task of the renderer's main thread: wall-clock time would include other processes. */
function mainThreadTasks(/** @type {TraceEvent[]} */ events) {
  const main = new Set(
    events.filter((event) => event.name === "thread_name" && event.args.name === "CrRendererMain")
      .map((event) => `${event.pid}:${event.tid}`),
  );
  return events
    .filter((event) => /RunTask$/.test(event.name) && main.has(`${event.pid}:${event.tid}`))
    .map((event) => (event.tdur ?? event.dur ?? 0) / 1000);
}
