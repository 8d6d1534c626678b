import { availableParallelism, totalmem } from "node:os";
import { execute } from "./execute.mjs";

/** @typedef {import("./execute.mjs").Part} Part */
/** @typedef {import("./execute.mjs").Outcome} Outcome */
/** @typedef {import("./suites.mjs").Suite} Suite */
/** @typedef {{ suite: Suite, parts: Outcome[], passed: number, failed: number, skipped: number, seconds: number, processor: number }} Result */

/** With its servers and its browser, none of the parts needs more, apart from Spark. */
const MEMORY_OF_A_PART = 2 ** 31;

/**
 * How many parts run at a time: five for two cores, since a part works two fifths of its time and otherwise waits for a
 * server, a page or a disk.
 *
 * @param {number} cores @param {number} memory in bytes
 */
export const lanes = (cores, memory) =>
  Math.max(2, Math.min(Math.ceil(cores * 2.5), Math.floor(memory / MEMORY_OF_A_PART)));

/**
 * Runs the parts of suites in lanes, and afterwards, one at a time, those of the suites that measure time. Each runs once:
 * a part that fails now and then is to be mended, not run again.
 *
 * @param {Suite[]} suites
 * @param {Pick<import("./report.mjs").Progress, "started" | "line" | "ended" | "finished">} progress
 * @param {import("./earlier.mjs").Earlier} [earlier]
 * @returns {Promise<Result[]>} in the order of `suites`
 */
export async function run(suites, progress, earlier = () => undefined) {
  /** @type {Map<Suite, Outcome[]>} */
  const outcomes = new Map(suites.map((suite) => [suite, []]));
  const of = (/** @type {Suite} */ suite) => outcomes.get(suite) ?? [];

  const runOne = async (/** @type {Part} */ part) => {
    progress.started(part);
    const outcome = await execute(part, (line) => progress.line(part, line));
    progress.ended(part);
    of(part.suite).push(outcome);
    if (of(part.suite).length === part.suite.commands.length) progress.finished(joined(part.suite, of(part.suite)));
  };

  const queue = longestFirst(mixed(suites.filter((suite) => !suite.alone)), earlier);
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await runOne(next);
    }
  };
  await Promise.all(Array.from({ length: lanes(availableParallelism(), totalmem()) }, lane));
  for (const suite of suites.filter((suite) => suite.alone)) {
    for (const command of suite.commands) await runOne({ suite, command });
  }

  return suites.map((suite) => joined(suite, of(suite)));
}

/**
 * The longest first, so that no lane ends long after the others. A part that has not run here yet comes before them, for it
 * may be the longest of all.
 *
 * @param {Part[]} parts @param {import("./earlier.mjs").Earlier} earlier @returns {Part[]}
 */
export function longestFirst(parts, earlier) {
  const seconds = new Map(parts.map((part) => [part, earlier(part) ?? Infinity]));
  const of = (/** @type {Part} */ part) => seconds.get(part) ?? Infinity;
  return parts.toSorted((a, b) => of(a) === of(b) ? 0 : of(b) - of(a));
}

/**
 * The parts of each suite spread over the whole run, so that what keeps a processor busy runs beside what waits.
 *
 * @param {Suite[]} suites @returns {Part[]}
 */
export function mixed(suites) {
  return suites
    .flatMap((suite) =>
      suite.commands.map((command, index) => ({ part: { suite, command }, at: index / suite.commands.length }))
    )
    .sort((a, b) => a.at - b.at)
    .map(({ part }) => part);
}

/** @param {Suite} suite @param {Outcome[]} parts @returns {Result} */
function joined(suite, parts) {
  const sum = (/** @type {"passed" | "failed" | "skipped" | "seconds" | "processor"} */ key) =>
    parts.reduce((total, part) => total + part[key], 0);
  return {
    suite,
    parts,
    passed: sum("passed"),
    failed: sum("failed"),
    skipped: sum("skipped"),
    seconds: sum("seconds"),
    processor: sum("processor"),
  };
}
