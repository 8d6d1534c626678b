// The whole retry matrix in a real page: what each answer does to the events it was about.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { later, log, movableClock, numbers, open, stage, stats, track, until, used } from "./browser.mjs";

const scene = stage();

/** @typedef {import("./browser.mjs").Server} Server */
/** @typedef {import("./browser.mjs").Page} Page */

/**
 * Sends one event into a fault, and checks that the tracker ends as given.
 *
 * @param {import("./server.mjs").Fault} fault
 * @param {keyof typeof ENDS} ends
 */
function check(fault, ends) {
  scene(`${JSON.stringify(fault)}: ${ends}`, async ({ server, context }) => {
    await movableClock(context);
    const page = await open(context, server);
    server.faults.push(fault);
    await track(page, used(1));
    await ENDS[ends](server, page);
    const ids = new Set(server.requests.flatMap((request) => request.ids));
    assert.equal(ids.size, 1, "every attempt carries the same id");
  });
}

const ENDS = {
  "the same id again, and stored once": async (/** @type {Server} */ server, /** @type {Page} */ page) => {
    await until(async () => {
      await page.clock.runFor(100);
      return (await stats(page)).accepted === 1;
    }, "the event is accepted");
    assert.equal(server.requests.length, 2);
    assert.deepEqual(numbers(server), [1]);
    assert.equal((await stats(page)).queued, 0);
  },
  "nothing more is sent, the event is kept, the developer is told": async (
    /** @type {Server} */ server,
    /** @type {Page} */ page,
  ) => {
    await until(async () => (await log(page)).some((one) => one.kind === "error"), "the developer is told");
    await later(page, 120_000);
    assert.equal(server.requests.length, 1, "no further attempt");
    assert.equal((await stats(page)).queued, 1, "the event is kept");
  },
  "given up, and told": async (/** @type {Server} */ server, /** @type {Page} */ page) => {
    await until(async () => (await stats(page)).dropped === 1, "the event is given up");
    assert.deepEqual((await log(page)).map((one) => one.kind), ["drop", "error"]);
    assert.equal((await stats(page)).queued, 0);
    assert.equal(server.requests.length, 1);
  },
};

/** @type {import("./server.mjs").Fault[]} */
const AGAIN = [
  ...[408, 425, 429, 500, 502, 503, 504, 521].map((status) => ({ status })),
  { lost: "before" },
  { lost: "after" },
  // A captive portal's page is not an answer, and neither is a text without verdicts.
  { status: 200, text: "<html>please sign in</html>" },
  { status: 200, text: "{}" },
  { status: 200, text: '{"results":[]}' },
  { status: 207, text: '{"results":[{"index":0,"status":"unheard of"}]}' },
];
for (const fault of AGAIN) check(fault, "the same id again, and stored once");
for (const status of [401, 403, 404, 405, 410, 415]) {
  check({ status }, "nothing more is sent, the event is kept, the developer is told");
}
for (const status of [400, 413]) check({ status }, "given up, and told");

for (
  const [form, header, due] of /** @type {const} */ ([
    [
      "in seconds",
      () => "2",
      (/** @type {string} */ seconds, /** @type {number} */ asked) => asked + 1000 * Number(seconds),
    ],
    ["as a date", () => new Date(Date.now() + 3000).toUTCString(), (/** @type {string} */ date) => Date.parse(date)],
  ])
) {
  for (const status of [429, 503]) {
    scene(`${status} waits as long as Retry-After says, ${form}`, async ({ server, context }) => {
      const page = await open(context, server);
      const asked = header();
      server.faults.push({ status, headers: { "retry-after": asked } });
      await track(page, used(1));
      await until(() => server.rows.length === 1, "the event is stored");
      const [first, second] = server.requests;
      const early = due(asked, first.at) - second.at;
      assert.ok(early <= 100, `${early} ms too early`);
    });
  }
}

scene(
  "each further failure waits longer: the waits double, and half of each is random",
  async ({ server, context }) => {
    const page = await open(context, server);
    server.faults.push(...Array(4).fill({ status: 500 }));
    await track(page, used(1));
    await until(() => server.rows.length === 1, "the event is stored", 30);
    const waits = server.requests.slice(1).map(({ at }, index) => at - server.requests[index].at);
    // One second doubled each time; the upper half of it is random.
    for (const [attempt, wait] of waits.entries()) {
      const ceiling = 1000 * 2 ** attempt;
      assert.ok(wait >= ceiling / 2 - 20 && wait < ceiling + 1500, `wait ${attempt}: ${wait} ms of at most ${ceiling}`);
    }
  },
);

test("retries thin out to one an hour, and never end", async () => {
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [fileURLToPath(new URL("../../../web/tracker/retry.ts", import.meta.url))],
    format: "esm",
    write: false,
  });
  /** @type {typeof import("../../../web/tracker/retry.ts")} */
  const { backOff } = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
  /** How many attempts fit into this many hours, at the shortest and the longest waits. */
  const attempts = (/** @type {number} */ hours) =>
    [0, 1].map((random) => {
      let count = 0;
      for (let spent = 0; spent < hours * 3_600_000; count++) spent += backOff(count, random);
      return count;
    });
  for (const count of attempts(24)) assert.ok(count > 24 && count < 80, `${count} attempts a day`);
  const [fast, slow] = attempts(1000).map((count, index) => count - attempts(976)[index]);
  assert.ok(fast <= 48 && slow >= 24, `${slow} to ${fast} attempts a day in the long run`);
});

scene("a user's expired token is asked for again", async ({ server, context }) => {
  const id = "11111111-1111-4111-8111-111111111111";
  await context.addInitScript((known) => {
    let calls = 0;
    globalThis.configure = (config) => ({ ...config, user: () => ({ id: known, token: `token-${calls++}` }) });
  }, id);
  const page = await open(context, server);
  server.faults.push({ status: 401 });
  await track(page, used(1));
  await until(() => server.rows.length === 1, "the event is stored");
  const tokens = server.requests.map((request) => request.headers.authorization);
  assert.equal(new Set(tokens).size, 2);
  assert.equal(server.rows[0].user_id, id);
});

scene("413 halves the batch until it passes, and loses nothing", async ({ server, context }) => {
  const page = await open(context, server, { flushInterval: 60_000 });
  server.faults.push({ status: 413 }, { status: 413 });
  for (let n = 0; n < 20; n++) await track(page, used(n));
  await page.evaluate(() => globalThis.tracker.flush());
  await until(() => server.rows.length === 20, "all are stored");
  assert.deepEqual(server.requests.slice(0, 3).map((request) => request.ids.length), [20, 10, 5]);
  assert.deepEqual(numbers(server), [...Array(20).keys()]);
});

scene(
  "207 settles each event by itself: the rejected one is reported, with rule and reason",
  async ({ server, context }) => {
    const page = await open(context, server, { flushInterval: 300 });
    for (let n = 1; n <= 3; n++) await track(page, used(n));
    await until(async () => (await log(page)).length === 3, "three verdicts");
    assert.deepEqual(numbers(server), [1, 3]);
    const { by, violations } = (await log(page)).find((one) => one.kind === "reject") ?? {};
    assert.equal(by, "server");
    assert.deepEqual(violations, [{ rule_id: "registry.event_type", reason: "not a registered event" }]);
    assert.equal((await stats(page)).queued, 0);
  },
  {
    judge: (event) =>
      event.metadata.n === 2 ? [{ rule_id: "registry.event_type", reason: "not a registered event" }] : [],
  },
);
