// The tracker against the whole system: the real function, the real database, the demo page as `npm start` serves it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../../local/ports.mjs";
import { startStack } from "../../../local/stack.mjs";
import { begun } from "../../stack/beginning.mjs";
import { launch, LOOKED, overflow, picture, violations } from "../pages.mjs";
import { until } from "./browser.mjs";

const folder = mkdtempSync(join(tmpdir(), "audience-gate-tracker-"));
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
before(async () => {
  // One after the other: if the stack cannot start, there is still a browser to close.
  browser = await launch();
  await begun(folder);
  stack = await startStack({ folder, port: await freePort(), demo: false });
});
after(async () => {
  await browser?.close();
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** @param {string} sql @returns {Promise<Record<string, any>[]>} */
const rows = async (sql) => (await stack.database.query(sql)).rows;

test("the demo page shows what the database holds", { timeout: 180_000 }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${stack.url}/demo/?utm_source=newsletter&utm_medium=email&utm_campaign=better-sleep`);
  await page.waitForFunction(() => document.querySelector("#check")?.textContent?.startsWith("Judged in this page"));
  assert.deepEqual(await rows("select id from public.audience_events"), [], "nothing before consent");

  await page.click("[data-consent=granted]");
  await page.click("[data-do=save]");
  await page.click("[data-do=share]");
  await page.fill("[name=address]", "Canary.Person@Example.org");
  await page.check("[name=agreed]");
  await page.click("#letter button");
  for (const button of await page.locator("#mistakes button").all()) await button.click();
  await page.click("#flush");
  const shown = () =>
    page.$$eval(
      "#entries li",
      (items) =>
        items.map((item) =>
          [
            item.querySelector(".name")?.textContent,
            item.querySelector(".tag")?.textContent,
            item.querySelector(".rule-id")?.textContent ?? "",
          ].join(" ").trim()
        ).sort(),
    );
  await until(async () => !(await shown()).some((line) => line.includes("waiting")), "every event has its verdict");
  assert.deepEqual(await shown(), [
    "campaign_landing accepted",
    "content_saved accepted",
    "content_share accepted",
    "content_share stopped in the page advocacy.not_like",
    "content_view stopped in the page engagement.content_view_threshold",
    "email_subscribe accepted",
    "feature_used accepted",
    "feature_used rejected by the gate duplicate.double_fire",
    "feature_used stopped in the page advocacy.platform",
    "feature_used stopped in the page privacy.raw_email",
    "feature_used stopped in the page state.escalation",
    "heart_tapped_twice stopped in the page registry.event_type",
    "job_completed stopped in the page system.trusted_caller",
    "page_view accepted",
    "push_subscribe stopped in the page subscription.consent",
  ]);

  const stored = await rows(
    "select event_type, utm_campaign, metadata from public.audience_events order by event_type",
  );
  const accepted = stored.filter((row) => row.event_type !== "event_validation_fail");
  assert.deepEqual(accepted.map((row) => row.event_type), [
    "campaign_landing",
    "content_saved",
    "content_share",
    "email_subscribe",
    "feature_used",
    "page_view",
  ]);
  for (const row of accepted) {
    assert.deepEqual([row.utm_campaign, row.metadata.tracking_consent], ["better-sleep", "granted"]);
  }
  // What was stopped in the page was reported, so that every rejection has its row.
  const refused = () =>
    rows(`select metadata ->> 'source_system' as by, metadata ->> 'validation_rule_id' as rule_id
      from public.audience_events where event_type = 'event_validation_fail'`);
  await until(async () => (await refused()).length === 9, "every rejection has its audit row");
  assert.deepEqual((await refused()).map(({ by, rule_id }) => `${by} ${rule_id}`).sort(), [
    "browser advocacy.not_like",
    "browser advocacy.platform",
    "browser engagement.content_view_threshold",
    "browser privacy.raw_email",
    "browser registry.event_type",
    "browser state.escalation",
    "browser subscription.consent",
    "browser system.trusted_caller",
    "edge-function duplicate.double_fire",
  ]);
  assert.ok(!/canary/i.test(JSON.stringify(stored)), "no address anywhere");
  await context.close();
});

test(
  "when answers are lost, the gate says `replayed`, and every id is stored once",
  { timeout: 180_000 },
  async () => {
    const context = await browser.newContext();
    let posts = 0;
    await context.route("**/functions/v1/ingest", async (route) => {
      // The function has stored the events, but its answer never arrives.
      if (route.request().method() === "POST" && ++posts % 2 === 1) {
        await route.fetch();
        return await route.abort("connectionreset");
      }
      await route.continue();
    });
    const page = await context.newPage();
    await page.goto(`${stack.url}/demo/`);
    const ids = await page.evaluate(async ({ key, events }) => {
      const { createTracker } = await import("/tracker/tracker.js");
      globalThis.replayed = [];
      globalThis.tracker = createTracker({
        endpoint: `${location.origin}/functions/v1/ingest`,
        key,
        consent: "granted",
        automatic: [],
        flushInterval: 100,
        onAccept: (one) => {
          if (one.replayed) globalThis.replayed.push(one.id);
        },
      });
      const results = [];
      for (const event of events) results.push(await globalThis.tracker.track(event));
      return results.map((result) => result.status === "queued" ? result.id : result.status);
    }, {
      key: stack.publishableKey,
      // The types differ, because to the contract two of one type within three seconds are one event.
      events: ["feature_used", "tool_used", "content_saved", "content_complete"].map((event_type, n) => ({
        event_category: /** @type {const} */ ("engagement"),
        event_type,
        metadata: { feature_id: "f", tool_id: "t", content_id: "c", duration_seconds: 42, page_path: "/", n },
      })),
    });
    await until(() => page.evaluate(() => globalThis.tracker.stats().queued === 0), "the queue is empty", 30);
    assert.deepEqual((await page.evaluate(() => globalThis.replayed)).sort(), ids.toSorted());
    const stored = await rows("select id::text from public.audience_events where metadata ? 'n'");
    assert.deepEqual(stored.map((row) => row.id).sort(), ids.toSorted());
    await context.close();
  },
);

for (const look of LOOKED) {
  test(
    `the demo page, ${look.name}: nothing for axe-core to object to, nothing cut off`,
    { timeout: 120_000 },
    async () => {
      const context = await browser.newContext(look);
      const page = await context.newPage();
      await page.goto(`${stack.url}/demo/`);
      await page.waitForFunction(() =>
        document.querySelector("#check")?.textContent?.startsWith("Judged in this page")
      );
      const asked = { violations: await violations(page), overflow: await overflow(page) };
      await picture(page, `demo-asked-${look.name}`);
      await page.click("[data-consent=granted]");
      for (const button of await page.locator("#mistakes button").all()) await button.click();
      await page.waitForSelector(".tag.pass");
      await page.evaluate(() => scrollTo(0, 0));
      const tracked = { violations: await violations(page), overflow: await overflow(page) };
      await picture(page, `demo-tracked-${look.name}`);
      const nothing = { violations: [], overflow: [] };
      assert.deepEqual({ asked, tracked }, { asked: nothing, tracked: nothing });
      await context.close();
    },
  );
}
