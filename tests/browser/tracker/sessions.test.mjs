// Random sessions with faults of every kind: everything that was tracked is stored exactly once, and everything that the
// page refused is reported exactly once.
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import buildTracker from "../../../web/tracker/build.mjs";
import { launch } from "../pages.mjs";
import { open, stats, track, until, used } from "./browser.mjs";
import { size } from "../../long.mjs";
import { startServer } from "./server.mjs";

const SESSIONS = Number(process.env.SESSIONS ?? size({ short: 24, long: 200 }));
const SEED = Number(process.env.SEED ?? 1);
const BATCH = 20;
const AT_ONCE = 6;

/** @typedef {import("./browser.mjs").Page} Page */

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  await buildTracker();
  browser = await launch();
});
after(() => browser.close());

const totals = {
  tracked: 0,
  stored: 0,
  refused: 0,
  reported: 0,
  requests: 0,
  faults: 0,
  crashes: 0,
  reloads: 0,
  closes: 0,
  outages: 0,
};

for (let first = 0; first < SESSIONS; first += BATCH) {
  const last = Math.min(first + BATCH, SESSIONS);
  test(
    `random sessions ${first + 1} to ${last} (seed ${SEED}): sent = stored, refused = reported`,
    { timeout: 900_000 },
    async () => {
      /** @type {string[]} */
      const failures = [];
      let next = first;
      const worker = async () => {
        while (next < last) {
          const number = next++;
          const failure = await session(SEED * 100_000 + number).catch((error) => String(error));
          if (failure) failures.push(`session ${number + 1}: ${failure}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      assert.deepEqual(failures, []);
    },
  );
}

test("the sessions met every kind of fault", (t) => {
  t.diagnostic(JSON.stringify(totals));
  for (const [name, count] of Object.entries(totals)) assert.ok(count > 0, `no ${name} at all`);
});

/** One visitor's session. Returns what went wrong, if anything did. */
async function session(/** @type {number} */ seed) {
  const random = generator(seed);
  /** @template Choice @param {Choice[]} choices */
  const pick = (choices) => choices[Math.floor(random() * choices.length)];
  const server = await startServer();
  const context = await browser.newContext();
  await context.addInitScript(keepLedger);
  server.randomFault = () => {
    if (random() > 0.3) return undefined;
    totals.faults++;
    return pick(
      /** @type {import("./server.mjs").Fault[]} */ ([
        { status: 500 },
        { status: 503, headers: { "retry-after": "1" } },
        { status: 429, headers: { "retry-after": "1" } },
        { status: 200, text: "<html>portal</html>" },
        { lost: "before" },
        { lost: "after" },
        // Slow, like a distant server. This is one of the faults, and nothing waits for it.
        { held: pause(300) },
      ]),
    );
  };
  let n = 0;
  let bad = 0;
  const automatic = /** @type {const} */ (["landing", "page_view", "content_view"]);
  const visit = () => open(context, server, { automatic, flushInterval: 100 }, `/page-${Math.floor(random() * 5)}`);
  let pages = [await visit()];
  const replace = async (/** @type {Page} */ page) => {
    pages = pages.filter((other) => other !== page);
    pages.push(await visit());
  };

  const steps = {
    track: async (/** @type {Page} */ page) => {
      for (let count = 1 + Math.floor(random() * 4); count > 0; count--) await track(page, used(n++));
    },
    mistake: async (/** @type {Page} */ page) => {
      await track(page, used(-1, { metadata: { note: `person-${bad++}@mail.example` } }));
    },
    // The visitor reads for a while. This is part of the session, and nothing waits for it.
    wait: () => pause(random() * 250),
    scroll: (/** @type {Page} */ page) => page.mouse.wheel(0, 300 + random() * 2000),
    reload: async (/** @type {Page} */ page) => {
      totals.reloads++;
      await page.reload();
      await page.waitForFunction(() => "tracker" in globalThis);
    },
    outage: async () => {
      totals.outages++;
      await context.setOffline(true);
      for (const page of pages) {
        await track(page, used(n++));
        await steps.mistake(page);
      }
      await pause(random() * 200);
      await context.setOffline(false);
    },
    second: async () => {
      if (pages.length < 3) pages.push(await visit());
    },
    close: async (/** @type {Page} */ page) => {
      totals.closes++;
      await page.close({ runBeforeUnload: true });
      await replace(page);
    },
    crash: async (/** @type {Page} */ page) => {
      totals.crashes++;
      const devtools = await context.newCDPSession(page);
      const crashed = page.waitForEvent("crash");
      devtools.send("Page.crash").catch(() => {});
      await crashed;
      await page.close();
      await replace(page);
    },
  };
  /** @type {(keyof typeof steps)[]} */
  const weighted = [
    ...Array(6).fill(/** @type {const} */ ("track")),
    "mistake",
    "mistake",
    "wait",
    "wait",
    "scroll",
    "reload",
    "reload",
    "outage",
    "second",
    "close",
    "close",
    "crash",
  ];
  try {
    await steps.track(pages[0]);
    for (let step = 3 + Math.floor(random() * 6); step > 0; step--) await steps[pick(weighted)](pick(pages));

    // The faults are over; whatever is left must arrive.
    server.randomFault = undefined;
    const last = await visit();
    // A connection that returns ends the tracker's back-off, which saves the test the wait.
    await context.setOffline(true);
    await context.setOffline(false);
    await until(
      async () => {
        const { queued } = await stats(last);
        return queued === 0 || queued;
      },
      "the queue is empty",
      30,
    );
    const ledger = (/** @type {string} */ name) =>
      last.evaluate(
        (prefix) =>
          Object.keys(localStorage).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)),
        name,
      );
    const sent = await ledger("ledger.");
    const stored = server.stored();
    const refused = await ledger("refused.");
    const reported = /** @type {string[]} */ (server.reports.map(({ event }) => event.id));
    totals.tracked += sent.length;
    totals.stored += stored.length;
    totals.refused += refused.length;
    totals.reported += reported.length;
    totals.requests += server.requests.length;
    if (refused.length !== bad || reported.sort().join() !== refused.sort().join()) {
      return `${bad} refused, ${refused.length} of them queued as reports, ${reported.length} reported`;
    }
    return judge(sent, stored, server.rows, n);
  } finally {
    await context.close();
    await server.close();
  }
}

/** @param {string[]} sent @param {string[]} stored @param {import("./server.mjs").Row[]} rows @param {number} expected */
function judge(sent, stored, rows, expected) {
  const lost = sent.filter((id) => !stored.includes(id));
  const unknown = stored.filter((id) => !sent.includes(id));
  const numbers = rows.map((row) => row.metadata.n).filter((number) => number !== undefined);
  const doubled = numbers.length - new Set(numbers).size + stored.length - new Set(stored).size;
  if (lost.length + unknown.length + doubled > 0 || numbers.length !== expected) {
    return `${lost.length} lost, ${doubled} doubled, ${unknown.length} unknown, ${numbers.length} of ${expected} numbered`;
  }
}

/** Records, inside the page, every id that enters the queue: a second list to compare with the server's. */
function keepLedger() {
  const { setItem } = Storage.prototype;
  Storage.prototype.setItem = function (/** @type {string} */ key, /** @type {string} */ value) {
    setItem.call(this, key, value);
    const [, report, id] = /\.q\.[^.]*\.\d+\.(report\.)?([\w-]{36})$/.exec(key) ?? [];
    // Each id has its own key, as in the queue, because a list that two tabs rewrite would lose entries.
    if (report) setItem.call(this, `refused.${JSON.parse(value).event.id}`, "");
    else if (id) setItem.call(this, `ledger.${id}`, "");
  };
}

/** mulberry32: the same seed, the same session. */
function generator(/** @type {number} */ seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
