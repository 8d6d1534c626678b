// The dashboard on the real local stack, filled with the demo site: what it says of what comes in and of what is missing,
// how it works by keyboard, with failures and with nothing to show, and axe-core in every look.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { complaints, launch, LOOKED, LOOKS, overflow, picture, violations } from "./pages.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const ZONE = "Asia/Kolkata";
const DEMO = { email: "demo@example.test", password: "demo-password" };
const WAIT = { timeout: 120_000 };
/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("node:test").TestContext} TestContext */
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-dashboard-"));
  // One after the other: if the stack cannot start, there is still a browser to close.
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
  await stack.database.query("insert into public.audience_sites (name) values ('Someone else''s')");
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/**
 * @param {TestContext} t
 * @param {{ query?: string, look?: import("./pages.mjs").Look, ignore?: string[], movableClock?: boolean }} [how]
 */
async function signedIn(t, { query = "", look = LOOKS[0], ignore = [], movableClock = false } = {}) {
  const context = await browser.newContext({ ...look, timezoneId: ZONE, reducedMotion: "reduce" });
  t.after(() => context.close());
  if (movableClock) await context.clock.install();
  const page = await context.newPage();
  const said = complaints(page, ignore);
  await page.goto(`${stack.url}/dashboard/${query}`);
  await page.getByLabel("E-mail").fill(DEMO.email);
  await page.getByLabel("Password").fill(DEMO.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await loaded(page);
  return { page, said };
}

const loaded = (/** @type {Page} */ page) =>
  page.waitForSelector("main[data-loaded] .panel:not([aria-busy=true])", WAIT).then(() => idle(page));
const idle = (/** @type {Page} */ page) =>
  page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), undefined, WAIT);

/** Texts of elements. @param {Page} page @param {string} selector */
const texts = (page, selector) =>
  page.$$eval(selector, (elements) => elements.map((element) => element.textContent ?? ""));

/** The table under a chart, as written; it is in the page whether it is unfolded or not. @param {Page} page @param {string} panel */
const table = (page, panel) =>
  page.$$eval(
    `#${panel} table tbody tr`,
    (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? "")),
  );

/** @param {string} text @param {unknown[]} parameters @returns {Promise<Record<string, any>[]>} */
async function sql(text, ...parameters) {
  const { rows } = await stack.database.query(text, parameters);
  return rows;
}

test("an event shows within seconds, and a refusal with its rule", async (t) => {
  const { page } = await signedIn(t, { movableClock: true });
  const send = (/** @type {Record<string, unknown>} */ metadata) =>
    fetch(`${stack.url}/functions/v1/ingest`, {
      method: "POST",
      headers: { apikey: stack.publishableKey, "content-type": "application/json" },
      body: JSON.stringify({
        session_id: `live-${crypto.randomUUID()}`,
        event_type: "benchmark_compared",
        event_category: "engagement",
        event_source: "web",
        metadata,
      }),
    });
  assert.equal((await send({ report_id: "live", page_path: "/live" })).status, 200);
  await page.clock.runFor(10_000);
  await page.locator(".ticker li", { hasText: "Benchmark compared" }).first().waitFor({ timeout: 10_000 });
  assert.equal((await send({ report_id: "live" })).status, 422);
  await page.clock.runFor(10_000);
  await page.locator(".ticker li", { hasText: "engagement.subject" }).first().waitFor({ timeout: 10_000 });

  const pause = page.getByRole("button", { name: "Pause" });
  await pause.click();
  await page.getByRole("status").filter({ hasText: "paused" }).waitFor();
  const shown = await page.locator(".ticker").innerHTML();
  await send({ report_id: "unseen", page_path: "/live" });
  await page.clock.runFor(60_000);
  await idle(page);
  assert.equal(await page.locator(".ticker").innerHTML(), shown, "a paused ticker stands still");
});

test("a rule opens what was refused under it, redacted, and returns focus", async (t) => {
  const { page } = await signedIn(t);
  const rule = page.locator('.refusal[data-rule="privacy.raw_email"]');
  await rule.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "privacy.raw_email" });
  await dialog.locator("pre").first().waitFor(WAIT);
  const [{ n }] = await sql(
    "select least(count(*), 20) as n from public.audience_events where site_id = $1 and metadata ->> 'validation_rule_id' = 'privacy.raw_email' and created_at > now() - interval '27 days'",
    SITE,
  );
  const snapshots = await dialog.locator("pre").allTextContents();
  assert.ok(
    snapshots.length >= Number(n) - 1 && snapshots.length <= 20,
    `${snapshots.length} snapshots, ${n} in the log`,
  );
  for (const text of snapshots) assert.doesNotMatch(text, /[^\s"]@[^\s"]+\.[a-z]/i, "no address in a snapshot");
  assert.ok(snapshots.some((text) => text.includes("[redacted:email]")));
  assert.deepEqual(await violations(page), []);
  await picture(page, "dashboard-refusals");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-rule")), "privacy.raw_email");
});

test("the tier filter, the dates and the site stay in the address", async (t) => {
  const { page } = await signedIn(t);
  await page.getByLabel("Tier", { exact: true }).selectOption("practitioner");
  await page.locator("label", { hasText: "7 days" }).click();
  await idle(page);
  assert.deepEqual(await texts(page, "#engagement thead th"), [
    "Period",
    "practitioner",
  ]);
  assert.equal((await table(page, "engagement")).length, 7);
  const address = new URL(page.url());
  assert.deepEqual([
    address.searchParams.get("tier"),
    address.searchParams.get("days"),
    address.searchParams.get("site"),
  ], ["practitioner", "7", SITE]);
  await page.reload();
  await loaded(page);
  assert.equal(await page.getByLabel("Tier", { exact: true }).inputValue(), "practitioner");
  assert.deepEqual(
    await page.locator("#site-choice option").allTextContents(),
    ["Demo site", "Sleep podcast"],
    "sites of others are not offered",
  );
});

test("the page says when there is nothing to show, and when it cannot show it", async (t) => {
  const { page } = await signedIn(t, {
    query: "?from=2020-01-01&to=2020-01-31",
    ignore: ["Failed to load", "ReadError", "ERR_FAILED"],
  });
  for (
    const text of [
      "No event reached this site",
      "Nobody did anything",
      "Nobody visited",
      "No feature was used",
      "Nothing was refused",
      "Nobody changed state",
      "No timing was reported",
    ]
  ) {
    assert.ok(await page.getByText(text).first().isVisible(), text);
  }
  assert.deepEqual(await violations(page), []);
  await picture(page, "dashboard-empty");

  await page.route("**/rpc/kpi_retention", (route) => route.abort());
  await page.locator("label", { hasText: "28 days" }).click();
  await page.locator("#retention .failure").waitFor(WAIT);
  await idle(page);
  assert.deepEqual(await violations(page), []);
  assert.ok((await table(page, "engagement")).length > 0, "one failing panel leaves the others alone");
  await page.unroute("**/rpc/kpi_retention");
  await page.getByRole("button", { name: "Try again: Retention" }).click();
  await page.locator("#retention svg").waitFor(WAIT);
});

test("a user who is not a member sees no site, and a wrong password gets a message", async (t) => {
  const context = await browser.newContext(LOOKS[0]);
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${stack.url}/dashboard/`);
  await page.getByLabel("E-mail").fill(DEMO.email);
  await page.getByLabel("Password").fill("not the password");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "do not match" }).waitFor(WAIT);
  await fetch(`${stack.url}/auth/v1/signup`, {
    method: "POST",
    headers: { apikey: stack.publishableKey, "content-type": "application/json" },
    body: JSON.stringify({ email: "stranger@example.test", password: "stranger-password" }),
  });
  await page.getByLabel("E-mail").fill("stranger@example.test");
  await page.getByLabel("Password").fill("stranger-password");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "No site yet" }).waitFor(WAIT);
  await page.locator("#settings > summary").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor(WAIT);
});

test("the whole board can be used with the keyboard", async (t) => {
  const { page } = await signedIn(t);
  await page.evaluate(() => {
    // Tab goes on from the element that last had focus, even after it lost it, so this begins at the very top.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });
  const walked = [];
  for (let step = 0; step < 80; step += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return undefined;
      const box = element.getBoundingClientRect();
      const ring = getComputedStyle(element.matches(".segments input") && element.nextElementSibling || element);
      return {
        name: element.getAttribute("aria-label") ??
          (element instanceof HTMLInputElement || element instanceof HTMLSelectElement
            ? element.labels?.[0]?.textContent
            : undefined) ??
          element.textContent?.trim().slice(0, 40) ?? "",
        seen: box.width > 0 && box.height > 0 && ring.outlineStyle !== "none",
      };
    });
    if (!at) break;
    walked.push(at);
  }
  const names = walked.map(({ name }) => name.trim());
  for (
    const wanted of [
      "Skip to the numbers",
      "Site",
      "Settings",
      "28 days",
      "Tier",
      "Events",
      "Pause",
      "As a table",
      "Weeks",
    ]
  ) {
    assert.ok(names.some((name) => name.startsWith(wanted)), `${wanted} is reached; walked: ${names.join(" | ")}`);
  }
  assert.deepEqual(walked.filter(({ seen }) => !seen).map(({ name }) => name), [], "focus is always visible");
});

test("interactive in under a second", async (t) => {
  const { page } = await signedIn(t);
  const times = [];
  for (let turn = 0; turn < 5; turn += 1) {
    await page.reload();
    await page.waitForSelector("#filters select", WAIT);
    times.push(Math.round(await page.evaluate(() => performance.getEntriesByName("interactive")[0].startTime)));
    await loaded(page);
  }
  times.sort((a, b) => a - b);
  t.diagnostic(`interactive after ${times.join(", ")} ms`);
  assert.ok(times[2] < 1_000, `the median of ${times.join(", ")} ms`);
});

for (const look of LOOKED) {
  test(`axe-core finds nothing: ${look.name}`, async (t) => {
    const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${stack.url}/dashboard/`);
    await page.getByLabel("E-mail").waitFor();
    const found = [...await violations(page), ...await overflow(page)];
    await picture(page, `dashboard-sign-in-${look.name}`);
    await page.getByRole("button", { name: "Fill in" }).click();
    await page.keyboard.press("Enter");
    await loaded(page);
    found.push(...await violations(page), ...await overflow(page));
    await picture(page, `dashboard-${look.name}`);
    await page.$$eval("details", (all) => all.forEach((details) => details.setAttribute("open", "")));
    found.push(...await violations(page), ...await overflow(page));
    assert.deepEqual(found, []);
  });
}
