// A page that closes at once still sends what happened on it, within what browsers allow.
import assert from "node:assert/strict";
import { numbers, open, stage, stats, track, until, used } from "./browser.mjs";

const scene = stage();

scene(
  "closing the page sends what is queued, as plain text without a preflight",
  async ({ server, context }) => {
    const page = await open(context, server, { flushInterval: 60_000 });
    for (let n = 0; n < 3; n++) await track(page, used(n));
    await page.close({ runBeforeUnload: true });
    await until(() => server.rows.length === 3, "all three are stored");
    const [{ headers, query }] = server.requests;
    assert.match(headers["content-type"] ?? "", /^text\/plain/);
    assert.equal(query, "?apikey=sb_publishable_test");
    const next = await open(context, server);
    await until(
      async () => (await stats(next)).queued === 0,
      "the queue is empty",
    );
    assert.deepEqual(numbers(server), [0, 1, 2]);
  },
);

scene(
  "where fetch has no keepalive, a beacon is sent instead",
  async ({ server, context }) => {
    await context.addInitScript(() => {
      Reflect.deleteProperty(Request.prototype, "keepalive");
    });
    const page = await open(context, server, { flushInterval: 60_000 });
    await track(page, used(1));
    await page.close({ runBeforeUnload: true });
    await until(() => server.rows.length === 1, "the event is stored");
  },
);

scene(
  "a long queue stays within the 64 KiB that closing pages share",
  async ({ server, context }) => {
    const page = await open(context, server, { flushInterval: 60_000 });
    await page.evaluate(async () => {
      for (let n = 0; n < 200; n++) {
        await globalThis.tracker.track({
          event_type: "feature_used",
          event_category: "engagement",
          metadata: {
            feature_id: "f",
            page_path: "/",
            n,
            filler: "ü".repeat(300),
          },
        });
      }
    });
    await page.close({ runBeforeUnload: true });
    await until(() => server.rows.length > 0, "the first part is stored");
    assert.ok(server.rows.length < 200);
    const sent = Number(server.requests[0].headers["content-length"]);
    assert.ok(sent <= 65_536 && sent > 50_000, `${sent} bytes`);
    const next = await open(context, server);
    await until(
      async () => (await stats(next)).queued === 0,
      "the rest follows",
    );
    assert.deepEqual(numbers(server).sort((a, b) => a - b), [
      ...Array(200).keys(),
    ]);
  },
);

scene("a hidden page still waits as the server asked when it is visible again", async ({ server, context }) => {
  const page = await open(context, server, { flushInterval: 60_000 });
  server.faults.push({ status: 429, headers: { "retry-after": "2" } });
  await track(page, used(1));
  const show = (/** @type {string} */ state) =>
    page.evaluate((given) => {
      Object.defineProperty(document, "visibilityState", { value: given, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await show("hidden");
  await until(() => server.requests.length === 1, "the attempt while hidden");
  await show("visible");
  await until(() => server.rows.length === 1, "the event is stored");
  const [first, second] = server.requests;
  assert.ok(second.at - first.at >= 1900, `waited ${second.at - first.at} ms`);
});
