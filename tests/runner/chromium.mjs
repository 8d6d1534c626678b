import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { onPath } from "../../local/command.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const ON_A_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** The Chromium that the tests drive: `CHROMIUM`, or one on PATH, or Playwright's own. @returns {string | undefined} */
export function chromiumPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  return NAMES.map(onPath).find((found) => found !== undefined) ?? [ON_A_MAC, ...playwrights()].find(existsSync);
}

/** Where `npx playwright install chromium` puts it. */
function playwrights() {
  try {
    return [createRequire(import.meta.url)("playwright-core").chromium.executablePath()];
  } catch {
    return [];
  }
}
