// What members of a site share, and what the page asks of the project while nobody looks: saved views, marks of releases, and
// requests a minute.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { until } from "../until.mjs";
import { complaints, launch, LOOKS, overflow, picture, violations } from "./pages.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const OWNER = { email: "demo@example.test", password: "demo-password" };
const VIEWER = { email: "viewer@example.test", password: "viewer-password" };
const ANALYST = { email: "analyst@example.test", password: "analyst-password" };
const WAIT = { timeout: 120_000 };
const MINUTE = 60_000;
/** @typedef {import("playwright-core").Page} Page */
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-shared-"));
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
  for (const [who, role] of /** @type {const} */ ([[VIEWER, "viewer"], [ANALYST, "analyst"]])) {
    await fetch(`${stack.url}/auth/v1/signup`, {
      method: "POST",
      headers: { apikey: stack.publishableKey, "content-type": "application/json" },
      body: JSON.stringify(who),
    });
    await stack.database.query(
      "insert into public.audience_site_members (site_id, user_id, role) select $1, id, $3 from auth.users where email = $2",
      [SITE, who.email, role],
    );
  }
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/**
 * @param {import("node:test").TestContext} t
 * @param {{ who?: typeof OWNER, query?: string, look?: import("./pages.mjs").Look, movableClock?: boolean }} [how]
 */
async function signedIn(t, { who = OWNER, query = "", look = LOOKS[0], movableClock = false } = {}) {
  const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
  t.after(() => context.close());
  if (movableClock) await context.clock.install();
  const page = await context.newPage();
  const said = complaints(page, ["status of 400", "status of 500", "ReadError", "personal"]);
  await page.goto(`${stack.url}/dashboard/${query}`);
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForSelector("main[data-loaded]", WAIT);
  return { page, said };
}

const saved = (/** @type {Page} */ page) => page.locator("#saved");

test("a viewer saves a view, a colleague opens it, and who may not cannot delete it", async (t) => {
  const { page, said } = await signedIn(t, { who: VIEWER, query: "?view=refusals&days=7&by=sender" });
  await saved(page).locator("summary").click();
  await saved(page).getByText("No view is saved yet.").waitFor(WAIT);
  await saved(page).getByLabel("Name").fill("of ann@example.org");
  await page.keyboard.press("Enter");
  await saved(page).locator(".problem:not(:empty)").waitFor(WAIT);
  assert.equal((await stack.database.query("select from public.audience_saved_views")).rows.length, 0);
  await saved(page).getByLabel("Name").fill("Who was refused this week");
  await page.keyboard.press("Enter");
  await saved(page).getByRole("link", { name: "Who was refused this week" }).waitFor(WAIT);
  assert.deepEqual([...await violations(page), ...await overflow(page)], []);
  await picture(page, "saved-views");
  await page.keyboard.press("Escape");
  assert.equal(await saved(page).getAttribute("open"), null);
  assert.deepEqual(said, []);

  const colleague = await signedIn(t, { who: ANALYST, look: LOOKS[3] });
  await saved(colleague.page).locator("summary").click();
  const link = saved(colleague.page).getByRole("link", { name: "Who was refused this week" });
  await link.waitFor(WAIT);
  assert.equal(await saved(colleague.page).getByRole("button", { name: /^Delete/ }).count(), 0);
  assert.deepEqual([...await violations(colleague.page), ...await overflow(colleague.page)], []);
  await picture(colleague.page, "saved-views-phone");
  await link.click();
  await colleague.page.getByRole("heading", { name: "Refusals", level: 1 }).waitFor(WAIT);
  const words = new URL(colleague.page.url()).searchParams;
  assert.deepEqual(Object.fromEntries(words), { site: SITE, view: "refusals", days: "7", by: "sender" });

  const owner = await signedIn(t);
  await saved(owner.page).locator("summary").click();
  await saved(owner.page).getByRole("button", { name: "Delete: Who was refused this week" }).click();
  await saved(owner.page).getByText("No view is saved yet.").waitFor(WAIT);
  await owner.page.goto(`${stack.url}/dashboard/?view=registry&part=changes`);
  await owner.page.getByText("Saved view Who was refused this week").first().waitFor(WAIT);
});

test("one event is no view to save", async (t) => {
  const { page } = await signedIn(t, { query: "?view=explore" });
  await page.locator(".folding tbody a").first().click();
  await page.getByRole("heading", { name: "One event" }).waitFor(WAIT);
  await saved(page).locator("summary").click();
  await saved(page).getByText("One event is no view to save").waitFor(WAIT);
  assert.equal(await saved(page).getByLabel("Name").count(), 0);
});

test("every chart over time marks when a version was first seen, by name and day, as long as the reader wants it", async (t) => {
  await stack.database.query(
    "insert into audience_gate.releases values ($1, 'tracker', 'web', $2, now() - interval '26 days')",
    [SITE, "a-name-without-end/".repeat(5) + "1"],
  );
  const { page, said } = await signedIn(t);
  const marks = (/** @type {string} */ panel) => page.locator(`#${panel} .releases a`);
  await marks("states").first().waitFor(WAIT);
  /** @type {{ rows: Record<string, any>[] }} */
  const { rows } = await stack.database.query(
    `select r.release, to_char(r.day, 'Mon FMDD, YYYY') as day from public.kpi_releases($1, now() - interval '27 days', now()) r`,
    [SITE],
  );
  assert.ok(rows.some(({ release }) => release === "app 4.2.0"), "the demo has a release that broke something");
  const over = ["engagement", "visits", "states", "quality", "errors", "latency"];
  for (const panel of over) {
    const text = (await marks(panel).allInnerTexts()).join("\n");
    for (const { release, day } of rows) {
      assert.match(text, new RegExp(`${release.replaceAll(".", "\\.")}.*: ${day}`), `${panel} marks ${release}`);
    }
    assert.equal(await page.locator(`#${panel} svg [aria-label=release] line`).count(), await marks(panel).count());
  }
  assert.equal(await page.locator(".releases").count(), over.length, "and no other chart does");

  const box = page.getByLabel("Mark releases");
  const first = marks("visits").first();
  assert.equal((await first.locator("span").boundingBox())?.width, 1);
  await first.hover();
  assert.ok(((await first.locator("span").boundingBox())?.width ?? 0) > 40, "the name is seen under the pointer");
  await page.mouse.move(0, 0);
  assert.equal(await page.locator("#visits .releases a:not([tabindex='-1'])").count(), 1, "a chart is one stop of Tab");
  await first.focus();
  await page.keyboard.press("ArrowRight");
  const second = marks("visits").nth(1);
  assert.ok(await second.evaluate((element) => element === document.activeElement));
  assert.ok(((await second.locator("span").boundingBox())?.width ?? 0) > 40, "the name is seen where the focus is");
  assert.deepEqual([...await violations(page), ...await overflow(page)], []);
  await picture(page, "releases");
  const name = await second.innerText();
  await page.locator("#visits label", { hasText: "Length" }).evaluate((label) => {
    // Nobody presses here: it is drawn anew, as it is once a minute.
    label.querySelector("input")?.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await page.waitForFunction((name) => document.activeElement?.textContent === name, name, WAIT);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Events", level: 1 }).waitFor(WAIT);
  assert.match(page.url(), /from=\d{4}-\d\d-\d\d&to=/);
  await page.goBack();
  await marks("visits").first().waitFor(WAIT);

  await page.setViewportSize({ width: 390, height: 844 });
  const cut = [];
  for (const panel of over) {
    for (const mark of [marks(panel).first(), marks(panel).last()]) {
      await mark.focus();
      const { x, width } = await mark.locator("span").boundingBox() ?? { x: 0, width: 0 };
      if (width < 40 || x < 0 || x + width > 390) cut.push(`${panel}: ${Math.round(x)} to ${Math.round(x + width)}`);
    }
  }
  assert.deepEqual([...cut, ...await overflow(page)], [], "a name fits beside its mark on a phone");
  await page.setViewportSize({ width: 1360, height: 900 });

  await page.locator("label", { hasText: "Today" }).click();
  await page.waitForFunction(
    () => !document.querySelector("[aria-busy=true], .releases"),
    undefined,
    WAIT,
  );
  await page.locator("label", { hasText: "28 days" }).click();
  await marks("visits").first().waitFor(WAIT);
  await box.uncheck();
  await page.waitForFunction(() => !document.querySelector(".releases, svg [aria-label=release]"), undefined, WAIT);
  assert.equal(new URL(page.url()).searchParams.get("releases"), "off");
  await page.reload();
  await page.waitForSelector("main[data-loaded]", WAIT);
  assert.equal(await page.locator(".releases").count(), 0);
  await page.getByRole("link", { name: "Refusals" }).first().click();
  await page.getByRole("heading", { name: "Refusals", level: 1 }).waitFor(WAIT);
  assert.equal(new URL(page.url()).searchParams.get("releases"), "off", "another view keeps it");
  assert.deepEqual(said, []);
});

test("the demo has two sites whose campaigns differ, and somebody who may read one of them alone", async (t) => {
  const HOST = { email: "host@example.test", password: "demo-password" };
  const campaigns = (/** @type {Page} */ page) => page.locator("#campaigns .panel-body");
  const { page, said } = await signedIn(t);
  await campaigns(page).getByText("better-sleep").first().waitFor(WAIT);
  await page.getByLabel("Site").selectOption("Sleep podcast");
  await campaigns(page).getByText("night-shift").first().waitFor(WAIT);
  assert.equal(await campaigns(page).getByText("better-sleep").count(), 0);
  const podcast = new URL(page.url()).searchParams.get("site");
  assert.notEqual(podcast, SITE);

  const host = await signedIn(t, { who: HOST, query: `?site=${SITE}` });
  await campaigns(host.page).getByText("night-shift").first().waitFor(WAIT);
  assert.deepEqual(await host.page.locator("#site-choice option").allTextContents(), ["Sleep podcast"]);
  assert.equal(new URL(host.page.url()).searchParams.get("site"), podcast, "another site's address leads to their own");
  await host.page.goto(`${stack.url}/dashboard/?view=rules`);
  await host.page.getByText("Owners of the site can add and change its rules").waitFor(WAIT);
  assert.deepEqual([...said, ...host.said], []);
});

test("a tab that nobody looks at asks for nothing, and goes on when somebody returns", async (t) => {
  const { page } = await signedIn(t, { movableClock: true });
  await page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), undefined, WAIT);
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const live = () => asked.filter((path) => /kpi_live|audience_recent_events/.test(path)).length;
  await page.mouse.move(200, 300);
  for (let minute = 0; minute < 3; minute += 1) {
    await page.clock.runFor(MINUTE);
    await page.mouse.move(200 + minute, 300);
  }
  t.diagnostic(`watched: ${live() / 3} a minute for what is live, ${asked.length / 3} in all`);
  assert.ok(live() > 0 && live() / 3 <= 12, `${live()} in three minutes`);

  await page.clock.runFor(6 * MINUTE);
  await page.getByText("waiting for somebody to look").waitFor(WAIT);
  asked.length = 0;
  await page.clock.runFor(10 * MINUTE);
  t.diagnostic(`alone: ${asked.length} in ten minutes`);
  assert.ok(asked.length <= 2 * 10, asked.join("\n"));
  await page.mouse.move(400, 400);
  await page.locator('.live-state[data-state="live"]').waitFor(WAIT);
  assert.ok(asked.some((path) => path.endsWith("kpi_overview")), "the figures are read again");
});

test("a screen on the wall asks once a minute while it shows the page, nothing while it does not, and no more once its link has ended", async (t) => {
  const secret = "5c".repeat(32);
  await stack.database.query(
    "insert into public.audience_wall_links (site_id, name, digest, expires_at) values ($1, 'hall', $2, now() + interval '1 day')",
    [SITE, createHash("sha256").update(secret).digest()],
  );
  const context = await browser.newContext({ ...LOOKS[0], reducedMotion: "reduce" });
  t.after(() => context.close());
  await context.clock.install();
  const page = await context.newPage();
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  /** Moves the clock by minutes, and counts what was asked meanwhile. @param {number} minutes */
  const during = async (minutes) => {
    asked.length = 0;
    for (let minute = 0; minute < minutes; minute += 1) await page.clock.runFor(MINUTE);
    return asked.length;
  };
  const hide = (/** @type {boolean} */ hidden) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await page.goto(`${stack.url}/dashboard/#wall=${secret}`);
  await page.waitForSelector("main[data-loaded=wall]", WAIT);
  assert.equal(await during(10), 10, asked.join("\n"));
  await hide(true);
  assert.equal(await during(10), 0, asked.join("\n"));
  await hide(false);
  await until(() => asked.length === 1, "it reads at once when it is seen again");
  await hide(true);
  await hide(false);
  assert.equal(asked.length, 1, "a glance away asks for nothing");
  await stack.database.query("update public.audience_wall_links set revoked_at = now() where name = 'hall'");
  await page.clock.runFor(MINUTE);
  await page.getByRole("heading", { name: "This link has ended" }).waitFor(WAIT);
  assert.equal(await during(10), 0, asked.join("\n"));
});
