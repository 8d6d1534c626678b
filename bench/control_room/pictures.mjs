/** Runs the tasks, keeps a picture of where each ended, and says how it went. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hand, scene } from "./scene.mjs";
import { TASKS } from "./tasks.mjs";

const FOLDER = fileURLToPath(new URL("../control-room", import.meta.url));

/** How each is looked at once it is done; what is shown stays, as on a device that is turned. @type {[name: string, width: number, height: number, scheme: "light" | "dark"][]} */
const LOOKS = [
  ["desktop-light", 1280, 900, "light"],
  ["desktop-dark", 1280, 900, "dark"],
  ["phone-light", 390, 844, "light"],
  ["phone-dark", 390, 844, "dark"],
];

/** @typedef {{ name: string, asks: string, clicks: number, fields: number, seconds: number, answer: string, right: boolean }} Done */

/**
 * @param {import("playwright-core").Browser} browser
 * @param {{ keep: boolean, say: (line: string) => void }} how `keep`: the pictures
 * @returns {Promise<Done[]>}
 */
export async function tasks(browser, { keep, say }) {
  if (keep) {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
  }
  const there = await scene(browser);
  /** @type {Done[]} */
  const all = [];
  try {
    for (const { name, asks, act, expected } of TASKS) {
      const page = await there.owner();
      await page.waitForSelector("main[data-loaded]");
      const own = hand(page);
      const began = performance.now();
      const answer = JSON.stringify(await act(page, own, there));
      const seconds = (performance.now() - began) / 1000;
      const right = answer === JSON.stringify(await expected(there));
      say(`${asks} ${right ? answer : `${answer} is wrong`}`);
      all.push({ name, asks, ...own.count, seconds, answer, right });
      if (keep) await pictured(page, name);
      await page.context().close();
    }
  } finally {
    await there.close();
  }
  return all;
}

/** @param {import("playwright-core").Page} page @param {string} name */
async function pictured(page, name) {
  for (const [look, width, height, colorScheme] of LOOKS) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => document.fonts.ready.then(() => scrollTo(0, 0)));
    await page.screenshot({ path: join(FOLDER, `${name}-${look}.jpg`), type: "jpeg", quality: 60 });
  }
}
