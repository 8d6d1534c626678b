#!/usr/bin/env node
/**
 * Every test of this repository: `npm test`, or `npm test -- NAME…` for the suites whose names contain a word given.
 * `npm run check` runs the checks instead: formats, lints, types, SQL; with `-- --fix` it writes the formats.
 */
import { endAll } from "./runner/execute.mjs";
import { Progress, summary } from "./runner/report.mjs";
import { run } from "./runner/schedule.mjs";
import { checks } from "./runner/checks.mjs";
import { choose } from "./runner/choose.mjs";
import { suites } from "./runner/suites.mjs";
import { ensureSystem } from "./runner/system.mjs";

const { chosen, say, status } = choose(process.argv.slice(2), { checks, suites });
if (chosen === undefined) {
  (status === 0 ? console.log : console.error)(say);
  process.exit(status);
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
