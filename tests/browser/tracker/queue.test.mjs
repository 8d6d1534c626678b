// What a browser does to a queue: goes offline, kills the tab, fills the disk, opens two tabs.
import assert from "node:assert/strict";
import { log, movableClock, numbers, open, stage, stats, track, until, used } from "./browser.mjs";

const scene = stage();
const keys = (/** @type {import("./browser.mjs").Page} */ page) => page.evaluate(() => Object.keys(localStorage));

scene(
  "offline events wait, and arrive once online",
  async ({ server, context }) => {
    await movableClock(context);
    const page = await open(context, server);
    await context.setOffline(true);
    for (let n = 0; n < 5; n++) {
      assert.equal(
        (await track(page, used(n))).status,
        "queued",
      );
    }
    await page.clock.runFor(120_000);
    assert.equal(server.requests.length, 0);
    assert.equal((await stats(page)).queued, 5);
    await context.setOffline(false);
    await until(() => server.rows.length === 5, "all five are stored");
    assert.deepEqual(numbers(server), [0, 1, 2, 3, 4]);
  },
);

scene(
  "a killed tab loses nothing: the next page sends what it left",
  async ({ server, context }) => {
    const page = await open(context, server, { flushInterval: 60_000 });
    for (let n = 0; n < 8; n++) await track(page, used(n));
    const devtools = await context.newCDPSession(page);
    devtools.send("Page.crash").catch(() => {});
    await page.waitForEvent("crash");
    assert.equal(server.rows.length, 0);
    await page.close();
    await open(context, server);
    await until(() => server.rows.length === 8, "all eight are stored");
    assert.deepEqual(numbers(server), [...Array(8).keys()]);
  },
);

scene(
  "what a killed tab had under way is sent again and stored once",
  async ({ server, context }) => {
    const page = await open(context, server);
    /** @type {(value?: unknown) => void} */
    let answer = () => {};
    server.faults.push({ held: new Promise((resolve) => answer = resolve) });
    await track(page, used(1));
    await until(() => server.requests.length === 1, "the request is under way");
    const devtools = await context.newCDPSession(page);
    devtools.send("Page.crash").catch(() => {});
    await page.waitForEvent("crash");
    await page.close();
    const next = await open(context, server);
    await until(
      async () => (await stats(next)).queued === 0,
      "the queue is empty",
    );
    // Only now does the server handle what the killed tab had sent.
    answer();
    await until(() => server.answered === 2, "both requests are done");
    assert.deepEqual(numbers(server), [1]);
  },
);

scene(
  "a full storage costs nothing: events wait in memory, and nothing is thrown at the page",
  async ({ server, context }) => {
    const page = await open(context, server, { flushInterval: 500 });
    /** @type {Error[]} */
    const errors = [];
    page.on("pageerror", (error) => errors.push(error));
    await page.evaluate(() => {
      let size = 1 << 22;
      for (let key = 0; size >= 1; key++) {
        try {
          localStorage.setItem(`fill${key}`, "x".repeat(size));
        } catch {
          size >>= 1;
        }
      }
    });
    for (let n = 0; n < 5; n++) {
      assert.equal((await track(page, used(n))).status, "queued");
    }
    assert.deepEqual(
      (await keys(page)).filter((key) => key.includes(".q.")),
      [],
    );
    await until(() => server.rows.length === 5, "all five are stored");
    assert.deepEqual(errors, []);
  },
);

scene("storage that is denied altogether", async ({ server, context }) => {
  await context.addInitScript(() => {
    for (const name of ["localStorage", "sessionStorage"]) {
      Object.defineProperty(globalThis, name, {
        get: () => {
          throw new DOMException("denied", "SecurityError");
        },
      });
    }
  });
  const page = await open(context, server);
  await track(page, used(1));
  await until(() => server.rows.length === 1, "the event is stored");
});

scene(
  "the queue is limited in bytes: the oldest events give way, and are counted",
  async ({ server, context }) => {
    const page = await open(context, server, {
      maxQueueBytes: 5000,
      flushInterval: 60_000,
    });
    for (let n = 0; n < 30; n++) await track(page, used(n));
    const { queued, queuedBytes, dropped } = await stats(page);
    assert.ok(queuedBytes <= 5000, `${queuedBytes} bytes`);
    assert.equal(queued + dropped, 30);
    assert.equal(
      (await log(page)).filter((one) => one.kind === "drop" && one.reason === "queue_full").length,
      dropped,
    );
    await page.evaluate(() => globalThis.tracker.flush());
    assert.deepEqual(
      numbers(server),
      [...Array(30).keys()].slice(-queued),
      "the newest are kept",
    );
  },
);

scene(
  "two tabs share one queue and one session; each event is sent by one of them",
  async ({ server, context }) => {
    const first = await open(context, server);
    // Two tabs that begin at the same instant are two sessions, because browsers do not order access to their storage.
    await track(first, used(0));
    await until(() => server.rows.length === 1, "the session has begun");
    const tabs = [first, await open(context, server)];
    /** @type {(value?: unknown) => void} */
    let answer = () => {};
    server.faults.push({ held: new Promise((resolve) => answer = resolve) });
    await Promise.all([...Array(39).keys()].map((n) => track(tabs[n % 2], used(n + 1))));
    answer();
    await until(() => server.rows.length === 40, "all forty are stored");
    const sent = server.requests.flatMap((request) => request.ids);
    assert.equal(sent.length, new Set(sent).size, "no id was sent twice");
    assert.equal(new Set(server.rows.map((row) => row.session_id)).size, 1);
  },
);

scene(
  "a pause the server asked for holds in every tab",
  async ({ server, context }) => {
    const first = await open(context, server);
    server.faults.push({ status: 429, headers: { "retry-after": "2" } });
    await track(first, used(1));
    await until(() => server.requests.length === 1, "the first attempt");
    const second = await open(context, server);
    await track(second, used(2));
    await until(() => server.rows.length === 2, "both are stored");
    assert.ok(server.requests[1].at - server.requests[0].at >= 1900);
  },
);
