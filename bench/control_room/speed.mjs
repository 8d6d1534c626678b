/** What somebody waits for at the dashboard: its first screen, a change of the filters, and what an idle tab asks. */
import { READER } from "./server.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {{ answers: number, shown: number, all: number, shift: number, longest: number }} First milliseconds from the navigation; `longest`: task */
/** @typedef {{ what: string, shown: number, all: number, longest: number }} Change */
/** @typedef {{ minutes: number, requests: number }} Asked */
/** @typedef {{ first: First[], changes: Change[], narrowed: Change[], watched: Asked, idle: Asked }} Speed `watched`: while somebody may still be looking */

const OPENED = 9;
/** So long after the last sign of somebody a tab counts as watched. */
const WATCHED_MINUTES = 5;
const IDLE_MINUTES = 15;
const DAYS = ["1", "7", "84", "364", "28"];
/** It brought a quarter of the visits. */
const CAMPAIGN = "autumn-2026";
const TIERS = ["consumer", "practitioner", "clinic", "network", "all"];
const WAIT = { timeout: 120_000 };

/** @param {import("playwright-core").Browser} browser @param {string} url @returns {Promise<Speed>} */
export async function speed(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
  await context.addInitScript(watch);
  const page = await context.newPage();
  await signIn(page, url);
  /** @type {First[]} */
  const first = [];
  for (let round = 0; round < OPENED; round += 1) first.push(await opened(page, url));
  /** @type {Change[]} */
  const changes = [];
  for (const days of DAYS) {
    const range = page.locator(`#filters label:has(input[value="${days}"])`);
    changes.push(await changed(page, `${days} days`, () => range.click()));
    for (const tier of TIERS) {
      changes.push(await changed(page, `${days} days, ${tier}`, () => page.selectOption("#tier", tier).then(() => {})));
    }
  }
  /** @type {Change[]} */
  const narrowed = [];
  for (const days of DAYS) {
    await changed(page, days, () => page.locator(`#filters label:has(input[value="${days}"])`).click());
    await page.getByLabel("Narrow to", { exact: true }).fill(CAMPAIGN);
    narrowed.push(await changed(page, `${days} days, ${CAMPAIGN}`, () => page.keyboard.press("Enter")));
    await page.locator("[data-narrowed=campaign]").click();
    await page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), undefined, WAIT);
  }
  await context.close();
  return { first, changes, narrowed, ...await untouched(browser, url) };
}

/** Notes in the page when what is on the screen is there, and every long task. It runs before the page's own scripts. */
function watch() {
  /** @type {{ since: number, answers?: number, shown?: number, all?: number, shift: number, tasks: [from: number, long: number][] }} */
  const marks = { since: 0, shift: 0, tasks: [] };
  Object.assign(globalThis, { marks });
  /** @param {string} type @param {(entry: any) => void} take */
  const observe = (type, take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  observe("longtask", ({ startTime, duration }) => marks.tasks.push([startTime, duration]));
  observe("layout-shift", ({ hadRecentInput, value }) => marks.shift += hadRecentInput ? 0 : value);

  const busy = (/** @type {Element} */ panel) => panel.getAttribute("aria-busy") === "true";
  const onScreen = (/** @type {Element} */ panel) => {
    const { top, bottom } = panel.getBoundingClientRect();
    return top < innerHeight && bottom > 0;
  };
  const look = () => {
    const panels = [...document.querySelectorAll(".panel")];
    const now = performance.now() - marks.since;
    if (document.querySelector("#filters input")) marks.answers ??= now;
    if (panels.length > 0 && !panels.some((panel) => onScreen(panel) && busy(panel))) marks.shown ??= now;
    if (marks.shown !== undefined && !panels.some(busy)) marks.all ??= now;
    if (marks.all === undefined) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  addEventListener("change", () => {
    Object.assign(marks, { since: performance.now(), shown: undefined, all: undefined });
    requestAnimationFrame(look);
  }, true);
}

/** @param {Page} page @param {string} url */
async function signIn(page, url) {
  await page.goto(`${url}/dashboard/`);
  await page.getByLabel("E-mail").fill(READER.email);
  await page.getByLabel("Password").fill(READER.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForSelector("main[data-loaded]", WAIT);
}

/** What `watch` noted, once everything has been drawn. @param {Page} page @returns {Promise<{ answers: number, shown: number, all: number, shift: number, longest: number }>} */
async function noted(page) {
  await page.waitForFunction(() => /** @type {any} */ (globalThis).marks.all !== undefined, undefined, WAIT);
  return await page.evaluate(() => {
    const { since, answers, shown, all, shift, tasks } = /** @type {any} */ (globalThis).marks;
    const longest = Math.max(
      0,
      ...tasks.filter((/** @type {[number, number]} */ [from]) => from >= since).map((
        /** @type {[number, number]} */ [, long],
      ) => long),
    );
    return { answers, shown, all, shift, longest };
  });
}

/** @param {Page} page @param {string} url @returns {Promise<First>} */
async function opened(page, url) {
  await page.goto(`${url}/dashboard/`);
  return await noted(page);
}

/** @param {Page} page @param {string} what @param {() => Promise<void>} act @returns {Promise<Change>} */
async function changed(page, what, act) {
  const before = await page.evaluate(() => /** @type {any} */ (globalThis).marks.since);
  await act();
  await page.waitForFunction((since) => /** @type {any} */ (globalThis).marks.since > since, before, WAIT);
  const { shown, all, longest } = await noted(page);
  return { what, shown, all, longest };
}

/** What a tab asks that nobody touches, at first and from then on. @param {import("playwright-core").Browser} browser @param {string} url */
async function untouched(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.clock.install();
  const page = await context.newPage();
  await signIn(page, url);
  let requests = 0;
  page.on("request", () => requests += 1);
  /** @param {number} minutes @returns {Promise<Asked>} */
  const during = async (minutes) => {
    const before = requests;
    for (let minute = 0; minute < minutes; minute += 1) {
      await page.clock.runFor(60_000);
      await page.waitForLoadState("networkidle");
    }
    return { minutes, requests: requests - before };
  };
  await page.waitForLoadState("networkidle");
  const watched = await during(WATCHED_MINUTES);
  const idle = await during(IDLE_MINUTES);
  await context.close();
  return { watched, idle };
}
