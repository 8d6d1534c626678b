// What the tests of the dashboard and the playground share: Chromium, screenshots, the accessibility check.
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { size } from "../long.mjs";
import { chromiumPath } from "../runner/chromium.mjs";

const require = createRequire(import.meta.url);
const pictures = fileURLToPath(new URL("../../.local/screenshots/", import.meta.url));
/** @type {string | undefined} */
let axe;

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").BrowserContextOptions & { name: string }} Look */

export function launch() {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** The four ways a page is looked at. @type {Look[]} */
export const LOOKS = [
  { name: "desktop-light", viewport: { width: 1360, height: 900 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1360, height: 900 }, colorScheme: "dark" },
  { name: "phone-light", viewport: { width: 390, height: 844 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
];

/** Those in which every view is looked at: in the short form each width and each scheme of colours once. */
export const LOOKED = size({ short: LOOKS.filter(({ name }) => /desktop-light|phone-dark/.test(name)), long: LOOKS });

/** In the long form, keeps a picture of the whole page for people to look at; its folder is not committed. */
export async function picture(/** @type {Page} */ page, /** @type {string} */ name) {
  if (!size({ short: false, long: true })) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}${name}.png`, fullPage: true });
}

/** What axe-core objects to, one line each. */
export async function violations(/** @type {Page} */ page) {
  axe ??= await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(" ")}: ${failureSummary}`)
  );
}

/** What is cut off, or reaches past the side of the screen. */
export function overflow(/** @type {Page} */ page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    return document.documentElement.scrollWidth > width
      ? [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > width + 1)
        .slice(0, 5).map((element) => `${element.tagName}.${element.className}`)
      : [];
  });
}

/** Collects what a page complains about; `ignore` lists texts that the test itself provokes. @param {Page} page @param {string[]} [ignore] */
export function complaints(page, ignore = []) {
  /** @type {string[]} */
  const said = [];
  page.on("pageerror", (error) => said.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !ignore.some((text) => message.text().includes(text))) said.push(message.text());
  });
  return said;
}
