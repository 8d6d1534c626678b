// Personal data of every kind, planted in every position of an event and of a page's address, is in nothing that the tracker
// writes on the device or sends.
import assert from "node:assert/strict";
import { NEEDLE, planted, TEXTS, WHOLE } from "../../support/canaries.mjs";
import { open, stage, stats, until } from "./browser.mjs";
import { registrySnapshot } from "./registry.mjs";

const scene = stage();
/** @typedef {import("./browser.mjs").Page} Page */

/** Notes whatever a page writes to its storage, even if it is removed again at once. @param {import("./browser.mjs").BrowserContext} context */
const watch = (context) =>
  context.addInitScript(() => {
    const { setItem } = Storage.prototype;
    globalThis.written = [];
    Storage.prototype.setItem = function (key, value) {
      globalThis.written.push(`${key} ${value}`);
      return setItem.call(this, key, value);
    };
  });

/** Everything that a page keeps on the device. @param {Page} page @param {import("./browser.mjs").BrowserContext} context */
async function kept(page, context) {
  const stored = await page.evaluate(async () => [
    JSON.stringify({ ...localStorage }),
    JSON.stringify({ ...sessionStorage }),
    JSON.stringify(await indexedDB.databases()),
    JSON.stringify(await caches.keys()),
  ]);
  assert.deepEqual(stored.slice(1), ["{}", "[]", "[]"], "nothing but localStorage is used");
  return [...stored, JSON.stringify(await context.cookies())];
}

/** What of some texts shows a canary. @param {string[]} texts */
const shown = (texts) =>
  texts.flatMap((text) => {
    const at = text.search(NEEDLE);
    return at < 0 ? [] : [text.slice(Math.max(0, at - 120), at + 120)];
  });

const LONG = { note: "x".repeat(9000) };
/** A report of an event that is too long has its columns alone. */
const long = planted("columns", "untyped").map(({ what, changes }) => ({
  what: `${what} of a long event`,
  changes: { metadata: LONG, ...changes },
}));

/**
 * Tracks events while nothing can be sent, looks at what waits on the device, and then at what was sent.
 *
 * @param {Parameters<Parameters<typeof scene>[1]>[0]} given
 * @param {ReturnType<typeof planted>} cases
 * @param {object} overrides
 */
async function plant({ server, context }, cases, overrides) {
  server.registry = registrySnapshot();
  await watch(context);
  const page = await open(context, server, { maxQueueBytes: 4_000_000, flushInterval: 60_000, ...overrides });
  await page.evaluate(() => globalThis.tracker.ready());
  await context.setOffline(true);
  const given = cases.map(({ changes }) => ({
    event_type: "feature_used",
    event_category: "engagement",
    metadata: { feature_id: "a", page_path: "/" },
    ...changes,
  }));
  const answers = await page.evaluate(async (events) => {
    const told = [];
    for (const event of events) {
      told.push(await globalThis.tracker.track(/** @type {any} */ (event)));
    }
    return told.map(({ status }) => status);
  }, given);
  const waiting = (await stats(page)).queued;
  const { length } = await page.evaluate(() => globalThis.written);
  assert.ok(waiting === cases.length && length >= waiting, `${waiting} of ${cases.length} wait`);
  const written = await page.evaluate(() => globalThis.written);
  assert.deepEqual(shown([...written, ...await kept(page, context)]), [], "on the device");
  await context.setOffline(false);
  await until(
    async () => {
      await page.evaluate(() => globalThis.tracker.flush());
      return (await stats(page)).queued === 0;
    },
    "everything is sent",
    60,
  );
  const sent = [server.rows, server.refused, server.reports].flat().map((row) => JSON.stringify(row));
  assert.ok(sent.length > cases.length / 2, `${sent.length} were sent`);
  assert.deepEqual(shown([...sent, ...server.requests.map((one) => JSON.stringify(one))]), [], "sent");
  return answers;
}

/** A campaign loses what it may not hold; of what is sent as `email`, an address is hashed, and anything else is left out. */
const MENDED = /in utm_\w+$|in email of an event that is not a subscription$/;

scene("where the contract runs, in no form that waits or is sent", async (given) => {
  const cases = [...planted("columns", "metadata", "untyped"), ...long];
  const answers = await plant(given, cases, { contract: undefined });
  const wrong = cases.filter(({ what }, index) => (answers[index] === "queued") !== MENDED.test(what));
  assert.deepEqual(wrong.map(({ what }) => what), []);
});

scene("where the contract may not run, no address of a person is in any form that waits or is sent", async (given) => {
  const cases = [...planted("columns", "metadata", "untyped"), ...long].filter(({ what }) => /email/.test(what));
  await plant(given, cases, { contract: false });
});

scene("in no part of a page's address", async ({ server, context }) => {
  server.registry = registrySnapshot();
  const page = await open(context, server, {
    contract: undefined,
    automatic: ["landing", "page_view", "content_view"],
    flushInterval: 60_000,
  });
  await page.evaluate(() => globalThis.tracker.ready());
  for (const [kind, text] of Object.entries(TEXTS)) {
    // What HTML wrote cannot stand in an address: it would end at its number sign.
    if (text.includes("&#")) continue;
    const encoded = encodeURIComponent(text);
    // An address of a network is known as one where it is all that there is.
    const segment = WHOLE.includes(text) ? "a" : encoded;
    const utm = ["source", "medium", "campaign", "content", "term"].map((name) => `utm_${name}=${encoded}`).join("&");
    await page.goto(`${server.origin}/${segment}/a?${utm}&q=${encoded}#${encoded}`);
    await page.waitForFunction(() => "tracker" in globalThis);
    await page.evaluate((title) => {
      document.title = title;
      return globalThis.tracker.ready();
    }, text);
    await page.evaluate(() => globalThis.tracker.page());
    assert.deepEqual(shown(await kept(page, context)), [], `${kind} on the device`);
    await page.evaluate(() => globalThis.tracker.flush());
  }
  await until(async () => (await stats(page)).queued === 0, "everything is sent");
  const sent = [server.rows, server.refused, server.reports, server.requests].flat().map((row) => JSON.stringify(row));
  assert.ok(server.rows.length > 10, `${server.rows.length} were stored`);
  assert.deepEqual(shown(sent), []);
});
