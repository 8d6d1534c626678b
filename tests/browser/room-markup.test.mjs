// Whatever is stored, the control room shows it as a text: markup in every field is planted, every page is opened, and nothing runs.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { launch, LOOKED, overflow, picture } from "./pages.mjs";
import { PAGES, PLANTED, PLANTING, RULE } from "./room-markup.mjs";

const WAIT = { timeout: 120_000 };
/** @typedef {import("playwright-core").Page} Page */
/** @typedef {Window & { executed?: string[], blocked?: string[] }} Watched */
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-markup-"));
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
  await stack.database.query("update audience_gate.jobs set active = false");
  for (const [statement, ...values] of PLANTING) await stack.database.query(statement, values);
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Watches for everything by which a text could show that it was run. @param {import("node:test").TestContext} t @param {import("./pages.mjs").Look} look */
async function watched(t, look) {
  const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
  t.after(() => context.close());
  await context.addInitScript(() => {
    const here = /** @type {Watched} */ (/** @type {unknown} */ (window));
    here.executed = [];
    here.blocked = [];
    Object.assign(window, { ran: (/** @type {unknown} */ n) => here.executed?.push(String(n)) });
    document.addEventListener(
      "securitypolicyviolation",
      ({ violatedDirective, sample, blockedURI }) => here.blocked?.push(`${violatedDirective} ${blockedURI} ${sample}`),
    );
  });
  const page = await context.newPage();
  /** @type {string[]} */
  const said = [];
  page.on("dialog", (dialog) => {
    said.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => said.push(error.message));
  page.on("request", (request) => /\/x$/.test(request.url()) && said.push(`asked for ${request.url()}`));
  return { page, said };
}

/** What was run or made of a text, and which texts were seen. @param {Page} page */
function look(page) {
  return page.evaluate(() => {
    const { executed = [], blocked = [] } = /** @type {Watched} */ (/** @type {unknown} */ (window));
    const made = [...document.querySelectorAll(
      'img, iframe, object, embed, base, script:not([src]), [onerror], [onload], a[href^="javascript:" i], form[action], textarea textarea',
    )].map((element) => element.outerHTML.slice(0, 100));
    const texts = [document.documentElement.textContent ?? "", document.title];
    for (const element of document.querySelectorAll("*")) {
      for (const { value } of element.attributes) texts.push(value);
      if ("value" in element) texts.push(String(element.value));
      if (element instanceof HTMLAnchorElement) texts.push(decodeURIComponent(element.search));
    }
    const seen = texts.flatMap((text) => [...text.matchAll(/onerror=ran\((\d+)\)/g)].map(([, n]) => Number(n)));
    return { bad: [...executed.map((n) => `ran ${n}`), ...blocked, ...made], seen: [...new Set(seen)] };
  });
}

const settled = async (/** @type {Page} */ page) => {
  await page.waitForSelector("main[data-loaded]", WAIT);
  await page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), undefined, WAIT);
};

for (const how of LOOKED) {
  test(`stored markup is shown as it is, and runs nowhere: ${how.name}`, async (t) => {
    const { page, said } = await watched(t, how);
    /** @type {Set<number>} */
    const seen = new Set();
    /** @type {string[]} */
    const bad = [];
    const note = async (/** @type {string} */ where, on = page) => {
      const now = await look(on);
      now.seen.forEach((n) => seen.add(n));
      bad.push(...[...now.bad, ...await overflow(on)].map((what) => `${where}: ${what}`));
    };
    await page.goto(`${stack.url}/dashboard/?view=alerts`);
    await page.getByRole("button", { name: "Fill in" }).click();
    await page.keyboard.press("Enter");
    await settled(page);
    for (const query of PAGES) {
      await page.evaluate((address) => {
        history.pushState(null, "", address);
        dispatchEvent(new PopStateEvent("popstate"));
      }, `?${query}`);
      await settled(page);
      await page.$$eval("main details", (all) => all.forEach((details) => details.setAttribute("open", "")));
      await note(query);
    }

    assert.deepEqual([...bad, ...said], []);

    await page.goto(`${stack.url}/dashboard/`);
    await settled(page);
    await page.locator(".refusal", { hasText: RULE.slice(0, 20) }).first().click();
    await page.getByRole("dialog").locator("pre").first().waitFor(WAIT);
    await note("a dialog of refusals");
    await picture(page, `markup-dialog-${how.name}`);
    await page.keyboard.press("Escape");
    await page.locator("#saved > summary").click();
    await page.locator("#saved a").first().waitFor(WAIT);
    await note("the saved views");
    await page.locator("#saved a").first().click();
    await settled(page);
    await note("a saved view");
    await page.$$eval("#campaigns details", (all) => all.forEach((details) => details.setAttribute("open", "")));
    const [pictured] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as PNG: Campaigns" }).click(),
    ]);
    assert.match(pictured.suggestedFilename(), /\.png$/);

    await page.goto(`${stack.url}/dashboard/?view=explore`);
    await settled(page);
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as CSV: Events" }).click(),
    ]);
    const csv = await readFile(await file.path(), "utf8");
    assert.match(csv, /"?'=1<img/);
    assert.doesNotMatch(csv, /(^|[\r\n,])"?[=+@-]/, "no cell is a formula");

    const screen = await watched(t, how);
    await screen.page.goto(`${stack.url}/dashboard/#wall=${"5".repeat(64)}`);
    await screen.page.waitForSelector("main[data-loaded=wall]", WAIT);
    await note("a screen", screen.page);

    assert.deepEqual([...bad, ...said, ...screen.said], []);
    assert.deepEqual(PLANTED.filter((_, index) => !seen.has(index + 1)), [], "every text was shown somewhere");
  });
}
