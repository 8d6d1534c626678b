// A stage for the tracker's tests, and the few steps they share.
import { after, before, test } from "node:test";
import { launch } from "../pages.mjs";
import buildTracker from "../../../web/tracker/build.mjs";
import { startServer } from "./server.mjs";

/** One Chromium a file. Each scene has a server and a fresh profile of its own, and leaves nothing behind. */
export function stage() {
  /** @type {import("playwright-core").Browser} */
  let browser;
  before(async () => {
    await buildTracker();
    browser = await launch();
  });
  after(() => browser.close());
  return function scene(name, run, settings = {}) {
    test(name, async (t) => {
      const server = await startServer(settings);
      const context = await browser.newContext();
      try {
        await run({ server, context, t });
      } finally {
        await context.close();
        await server.close();
      }
    });
  };
}

/** What the page hands to `createTracker`, unless a test says otherwise: no events but the test's own. */
export const config = (server, overrides = {}) => ({
  endpoint: server.endpoint,
  consent: "granted",
  automatic: [],
  flushInterval: 50,
  contract: false,
  ...overrides,
});

/** Opens the test page with a tracker. */
export async function open(context, server, overrides = {}, path = "/") {
  const page = await context.newPage();
  await page.addInitScript((given) => {
    globalThis.config = given;
  }, config(server, overrides));
  await page.goto(server.origin + path);
  await page.waitForFunction(() => "tracker" in globalThis);
  return page;
}

/** An event no rule objects to, told apart by a number. */
export const used = (n, more = {}) => ({
  event_type: "feature_used",
  event_category: "engagement",
  ...more,
  metadata: { feature_id: `feature-${n}`, page_path: "/", n, ...more.metadata },
});

export const track = (page, event) => page.evaluate((given) => globalThis.tracker.track(given), event);

export const stats = (page) => page.evaluate(() => globalThis.tracker.stats());

export const log = (page) => page.evaluate(() => globalThis.log);

/** Waits until `condition()` holds, and says what it last saw when it never does. */
export async function until(condition, what, limit = 15_000) {
  const end = Date.now() + limit;
  let seen;
  while (Date.now() < end) {
    seen = await condition();
    if (seen === true) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(
    `never happened: ${what} (last seen: ${JSON.stringify(seen)})`,
  );
}

/** Numbers of the events stored, in order of arrival. */
export const numbers = (server) => server.rows.map((row) => row.metadata.n);
