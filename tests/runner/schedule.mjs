import { execute } from "./execute.mjs";

/** @typedef {import("./execute.mjs").Result} Result */
/** @typedef {import("./suites.mjs").Suite} Suite */

/** One more than the cores of the smallest machine that this is meant for, since every suite waits for something now and then. */
const LANES = 3;

/**
 * Runs suites in lanes, and afterwards, one at a time, those that measure time. Each runs once:
 * a suite that fails now and then is to be mended, not run again.
 *
 * @param {Suite[]} suites
 * @param {import("./report.mjs").Progress} progress
 * @returns {Promise<Result[]>} in the order of `suites`
 */
export async function run(suites, progress) {
  /** @type {Map<Suite, Result>} */
  const results = new Map();

  const runOne = async (/** @type {Suite} */ suite) => {
    progress.started(suite);
    const result = await execute(suite, (line) => progress.line(suite, line));
    results.set(suite, result);
    progress.finished(result);
  };

  const queue = suites.filter((suite) => !suite.alone);
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await runOne(next);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const suite of suites.filter((suite) => suite.alone)) {
    await runOne(suite);
  }

  return suites.flatMap((suite) => results.get(suite) ?? []);
}
