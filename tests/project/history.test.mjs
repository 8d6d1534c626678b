/** What the history of the benchmarks says about a run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, parse, render } from "../../bench/history.mjs";

const run = (
  /** @type {string} */ date,
  /** @type {number} */ micros,
  /** @type {number} */ rows,
  machine = "2 × fast",
) =>
  JSON.stringify({
    bench: "gate",
    date,
    commit: date,
    machine,
    figures: { "an event, µs": { value: micros, better: "lower" }, "rows/s": { value: rows, better: "higher" } },
  });

/** @type {[says: string, runs: string[], worse: string[]][]} */
const CASES = [
  ["a first run, which cannot be worse", [run("a", 1, 100)], []],
  ["slower, and more rows", [run("a", 1, 100), run("b", 1.1, 200)], ["an event, µs"]],
  ["faster, and fewer rows", [run("a", 1, 100), run("b", 0.5, 90)], ["rows/s"]],
  ["a change that is noise", [run("a", 1, 100), run("b", 1.02, 99)], []],
  ["compared with the run before, not with the first", [run("a", 1, 100), run("b", 2, 50), run("c", 1.9, 55)], []],
  ["another machine is another history", [run("a", 1, 100), run("b", 9, 9, "64 × slow")], []],
];

test("a figure that moved the wrong way since the run before, on the same machine, is worse", () => {
  const wrong = CASES.flatMap(([says, lines, worse]) => {
    const seen = compare(parse(lines.join("\n"))).flatMap(({ rows }) => rows.filter(({ worse }) => worse))
      .map(({ name }) => name);
    return JSON.stringify(seen) === JSON.stringify(worse) ? [] : [`${says}: ${seen}`];
  });
  assert.deepEqual(wrong, []);
});

test("the table shows both changes of each figure, and since when", () => {
  const told = render(compare(parse([run("a", 1, 100), run("b", 2, 100), run("c", 3, 100)].join("\n"))));
  assert.match(told, /^gate on 2 × fast: c \(c\), since b \(b\) and since a \(a\)$/m);
  assert.match(told, /an event, µs +3 +\+50\.0 % +\+200\.0 % {2}worse$/m);
  assert.match(told, /rows\/s +100 +\+0\.0 % +\+0\.0 %$/m);
});
