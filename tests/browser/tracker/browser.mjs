// A stage for the tracker's tests, and the few steps that they share.
import { after, before, test } from "node:test";
import { until } from "../../until.mjs";
import { launch } from "../pages.mjs";
import buildTracker from "../../../web/tracker/build.mjs";
import { startServer } from "./server.mjs";

export { until };

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").BrowserContext} BrowserContext */
/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */
/** @typedef {import("../../../web/tracker/types.ts").TrackerOptions} TrackerOptions */
/** What a test tracks, which may be something that the tracker's types would refuse. @typedef {Record<string, unknown>} Given */

/** One Chromium per file. Each scene has its own server and fresh profile, and leaves nothing behind. */
export function stage() {
  /** @type {import("playwright-core").Browser} */
  let browser;
  before(async () => {
    await buildTracker();
    browser = await launch();
  });
  after(() => browser.close());
  /**
   * @param {string} name
   * @param {(given: { server: Server, context: BrowserContext, t: import("node:test").TestContext }) => Promise<void>} run
   * @param {import("./server.mjs").Settings} [settings]
   */
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

/**
 * What the page passes to `createTracker` unless a test says otherwise: it sends no events but the test's own.
 *
 * @param {Server} server
 * @param {Partial<TrackerOptions>} [overrides]
 * @returns {Partial<TrackerOptions>}
 */
export const config = (server, overrides = {}) => ({
  endpoint: server.endpoint,
  consent: "granted",
  automatic: [],
  flushInterval: 50,
  contract: false,
  ...overrides,
});

/**
 * Opens the test page with a tracker.
 *
 * @param {BrowserContext} context
 * @param {Server} server
 * @param {{ [name in keyof TrackerOptions]?: TrackerOptions[name] | undefined }} [overrides]
 */
export async function open(context, server, overrides = {}, path = "/") {
  const page = await context.newPage();
  await page.addInitScript((given) => {
    globalThis.config = given;
  }, config(server, /** @type {Partial<TrackerOptions>} */ (overrides)));
  await page.goto(server.origin + path);
  await page.waitForFunction(() => "tracker" in globalThis);
  return page;
}

/**
 * Makes the page's clock jump, and every timer in between go off. What the page then sends has arrived when this
 * returns, because the page's last request, to an address that nothing else asks for, comes after it.
 *
 * @param {Page} page whose context was opened with `movableClock`
 * @param {number} milliseconds
 */
export async function later(page, milliseconds) {
  await page.clock.runFor(milliseconds);
  await page.evaluate(() => fetch("/fence").then((answer) => answer.text()));
}

/**
 * For contexts whose tests let time pass: their pages' clocks run like others until `later` moves them. They begin an
 * hour ago, so that no event comes from the future.
 */
export const movableClock = (/** @type {BrowserContext} */ context) =>
  context.clock.install({ time: Date.now() - 3_600_000 });

/** An event that violates no rule, with a number to tell it from others. @param {number} n @param {Given & { metadata?: Given }} [more] */
export const used = (n, more = {}) => ({
  event_type: "feature_used",
  event_category: "engagement",
  ...more,
  metadata: { feature_id: `feature-${n}`, page_path: "/", n, ...more.metadata },
});

/** @typedef {import("../../../web/tracker/types.ts").EventInput} EventInput */
/** @typedef {{ status: "queued" | "rejected" | "withheld", id?: string, reason?: string, violations?: readonly import("../../../web/tracker/types.ts").Violation[] }} Answer */

/** @param {Page} page @param {Given} event */
export const track = async (page, event) => {
  const track = (/** @type {Given} */ given) =>
    globalThis.tracker.track(/** @type {EventInput} */ (/** @type {unknown} */ (given)));
  return /** @type {Answer} */ (await page.evaluate(track, event));
};

export const stats = (/** @type {Page} */ page) => page.evaluate(() => globalThis.tracker.stats());

export const log = (/** @type {Page} */ page) => page.evaluate(() => globalThis.log);

/** Numbers of the events stored, in order of arrival. */
export const numbers = (/** @type {Server} */ server) => server.rows.map((row) => row.metadata.n);
