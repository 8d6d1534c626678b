#!/usr/bin/env node
/**
 * Every test of this repository: `npm test`, or `npm test -- NAME…` for the suites whose names contain a word given.
 * `npm run check` runs the checks instead: formats, lints, types, SQL; with `-- --fix` it writes the formats.
 */
import { endAll } from "./runner/execute.mjs";
import { Progress, summary } from "./runner/report.mjs";
import { run } from "./runner/schedule.mjs";
import { checks } from "./runner/checks.mjs";
import { suites } from "./runner/suites.mjs";
import { ensureSystem } from "./runner/system.mjs";

const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const all = process.argv.includes("--checks") ? checks({ fix: process.argv.includes("--fix") }) : suites();
const chosen = all.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));

if (process.argv.includes("--list")) {
  console.log(all.map(({ name }) => name).join("\n"));
  process.exit(0);
}
if (chosen.length === 0) {
  console.error(
    `no suite is called like ${words.join(" or ")}; there are: ${all.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.on(signal, () => {
    endAll();
    process.exit(130);
  });
}

ensureSystem();
const progress = new Progress(chosen.length);
const results = await run(chosen, progress);
progress.end();
console.log(summary(results));
process.exit(results.some(({ failed }) => failed > 0) ? 1 : 0);
