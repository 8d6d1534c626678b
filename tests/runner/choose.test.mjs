import assert from "node:assert/strict";
import { test } from "node:test";
import { choose } from "./choose.mjs";

const AVAILABLE = {
  suites: (/** @type {{ long: boolean }} */ { long }) => [
    { name: long ? "long rust" : "rust" },
    { name: "pgtap on postgres" },
    { name: "pgtap on pglite" },
  ],
  checks: (/** @type {{ fix: boolean }} */ { fix }) => [{ name: fix ? "writes" : "asks" }],
};

/** @type {[line: string, runs: string[] | RegExp, status?: number][]} */
const CASES = [
  ["", ["rust", "pgtap on postgres", "pgtap on pglite"]],
  ["pgtap", ["pgtap on postgres", "pgtap on pglite"]],
  ["rust pglite", ["rust", "pgtap on pglite"]],
  ["--checks", ["asks"]],
  ["--checks --fix", ["writes"]],
  ["--list", /^rust\npgtap on postgres\npgtap on pglite$/, 0],
  ["--help", /^npm test/, 0],
  ["rust pgtpa", /no suite is called like pgtpa; there are: rust, /, 2],
  ["rust --long", ["long rust"]],
  ["--fix", /belongs to npm run check/, 2],
  ["--checks --long", /belongs to npm test/, 2],
  ["--slow", /--slow/, 2],
];

test("a command line runs what it names, and nothing when it names something that is not there", () => {
  const wrong = CASES.flatMap(([line, expected, status]) => {
    const asked = choose(line.split(" ").filter(Boolean), AVAILABLE);
    const same = expected instanceof RegExp
      ? asked.chosen === undefined && asked.status === status && expected.test(asked.say)
      : JSON.stringify(asked.chosen?.map(({ name }) => name)) === JSON.stringify(expected);
    return same ? [] : [`${line}: ${JSON.stringify(asked)}`];
  });
  assert.deepEqual(wrong, []);
});
