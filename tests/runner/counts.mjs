/**
 * How many tests ran, according to a suite's own output.
 * Every reader takes the whole output and returns the sums over all closing lines in it.
 *
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 * @typedef {(output: string) => Counts} Reader
 */

/** @param {string} output @param {RegExp} pattern @returns {number[][]} */
function numbers(output, pattern) {
  return [...output.matchAll(pattern)].map((match) => match.slice(1).map((text) => Number(text ?? 0)));
}

/** @param {number[][]} rows @param {number} column */
const sum = (rows, column) => rows.reduce((total, row) => total + row[column], 0);

/** `test result: ok. 12 passed; 0 failed; 1 ignored; …`, once per test binary. @type {Reader} */
export function cargo(output) {
  const rows = numbers(
    output,
    /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  );
  return { passed: sum(rows, 0), failed: sum(rows, 1), skipped: sum(rows, 2) };
}

/** The `ℹ pass 3` lines of node's spec reporter. @type {Reader} */
export function node(output) {
  const line = (/** @type {string} */ word) => sum(numbers(output, new RegExp(`^ℹ ${word} (\\d+)$`, "gm")), 0);
  return {
    passed: line("pass"),
    failed: line("fail") + line("cancelled"),
    skipped: line("skipped") + line("todo"),
  };
}

/** The tests of node's spec reporter with the seconds that each took. @param {string} output @returns {[name: string, seconds: number][]} */
export function durations(output) {
  return [...output.matchAll(/^✔ (.+) \(([0-9.]+)ms\)$/gm)].map(([, name, ms]) => [name, Number(ms) / 1000]);
}

/** `ok | 12 passed (3 steps) | 0 failed | 1 ignored (40ms)`. @type {Reader} */
export function deno(output) {
  const rows = numbers(
    output,
    /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?: \| (\d+) ignored)?/gm,
  );
  return { passed: sum(rows, 0), failed: sum(rows, 1), skipped: sum(rows, 2) };
}

/** Lines of the Test Anything Protocol; `# SKIP` and `# TODO` count as skipped. @type {Reader} */
export function tap(output) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (
    const [, not, rest] of output.matchAll(/^(not )?ok \d+\b[ \t]*(.*)$/gm)
  ) {
    if (/# (skip|todo)\b/i.test(rest)) counts.skipped += 1;
    else if (not) counts.failed += 1;
    else counts.passed += 1;
  }
  return counts;
}

/** The closing line of Python's unittest: `Ran 4 tests in 2.1s` and `FAILED (failures=1, errors=1, skipped=1)`. @type {Reader} */
export function unittest(output) {
  const ran = sum(numbers(output, /^Ran (\d+) tests?/gm), 0);
  const named = (/** @type {string} */ word) =>
    sum(
      numbers(
        output,
        new RegExp(`^(?:OK|FAILED) \\(.*?${word}=(\\d+)`, "gm"),
      ),
      0,
    );
  const failed = named("failures") + named("errors");
  const skipped = named("skipped");
  return { passed: ran - failed - skipped, failed, skipped };
}

/** One check, which passes or fails by its exit code. @type {Reader} */
export function exitCode() {
  return { passed: 0, failed: 0, skipped: 0 };
}

/**
 * The counts of a finished run. A suite that failed without saying how many tests failed counts as one
 * failure, and so does one that claims success without having run a test: silence is not a pass.
 *
 * @param {Reader} reader @param {string} output @param {number | null} code @returns {Counts}
 */
export function counted(reader, output, code) {
  const counts = reader(output);
  if (code !== 0) return { ...counts, failed: Math.max(counts.failed, 1) };
  if (reader === exitCode) return { passed: 1, failed: 0, skipped: 0 };
  if (counts.passed + counts.failed + counts.skipped === 0) {
    return { ...counts, failed: 1 };
  }
  return counts;
}
