import { checks } from "./checks.mjs";
import { choose } from "./choose.mjs";
import { earlier, remember } from "./earlier.mjs";
import { endAll } from "./execute.mjs";
import { prepare } from "./prepare.mjs";
import { processorSeconds } from "./processor.mjs";
import { Progress, summary } from "./report.mjs";
import { run } from "./schedule.mjs";
import { scratch } from "./scratch.mjs";
import { suites } from "./suites.mjs";

/** @param {string[]} line */
export async function main(line) {
  const { chosen, say, status } = choose(line, { checks, suites });
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

  await prepare(chosen.flatMap(({ needs }) => needs));
  // The long forms write more than a memory has room for.
  if (!chosen.some(({ long }) => long)) process.env.TMPDIR = scratch();
  // What that took is no suite's.
  processorSeconds();
  const progress = new Progress(chosen.length);
  const started = performance.now();
  const results = await run(chosen, progress, earlier());
  remember(results);
  progress.end();
  console.log(summary(results, (performance.now() - started) / 1000));
  process.exit(results.some(({ failed }) => failed > 0) ? 1 : 0);
}
