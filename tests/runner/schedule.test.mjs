import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { exitCode } from "./counts.mjs";
import { lanes, longestFirst, mixed, run } from "./schedule.mjs";

/** @param {string} name @param {string[]} programs @returns {import("./suites.mjs").Suite} */
const suite = (name, ...programs) => ({
  name,
  commands: programs.map((program, index) => [process.execPath, "-e", program, `part-${index + 1}`]),
  needs: [],
  reader: exitCode,
});

test("the parts of each suite are spread over the whole run", () => {
  const order = mixed([suite("one", ""), suite("four", "", "", "", ""), suite("two", "", "")]);
  assert.deepEqual(order.map(({ suite, command }) => `${suite.name} ${command.at(-1)}`), [
    "one part-1",
    "four part-1",
    "two part-1",
    "four part-2",
    "four part-3",
    "two part-2",
    "four part-4",
  ]);
});

test("the longest part begins first, and one that has not run here yet before it", () => {
  /** @type {Record<string, number>} */
  const seconds = { "part-1": 3, "part-2": 20, "part-4": 5 };
  const order = longestFirst(mixed([suite("four", "", "", "", "")]), ({ command }) => seconds[command.at(-1) ?? ""]);
  assert.deepEqual(order.map(({ command }) => command.at(-1)), ["part-3", "part-2", "part-4", "part-1"]);
});

test("two cores have five lanes, and a machine with little memory has fewer", () => {
  const GIB = 2 ** 30;
  const given = /** @type {const} */ ([[2, 24, 5], [4, 16, 8], [8, 32, 16], [16, 128, 40], [2, 7, 3], [1, 1, 2]]);
  for (const [cores, memory, expected] of given) assert.equal(lanes(cores, memory * GIB), expected);
});

test("a suite is what its parts are together, and is told of once, when all have ended", async () => {
  /** @type {string[]} */
  const told = [];
  const say = (/** @type {string} */ line) => void told.push(line);
  const fails = suite("fails", "", "console.log('why'); process.exit(3)", "");
  const results = await run([fails, suite("passes", "")], {
    started: () => {},
    line: () => {},
    ended: () => {},
    finished: ({ suite, passed, failed }) => say(`${suite.name}: ${passed} passed, ${failed} failed`),
  });
  assert.deepEqual(told.sort(), ["fails: 2 passed, 1 failed", "passes: 1 passed, 0 failed"]);
  assert.deepEqual(results.map(({ suite }) => suite.name), ["fails", "passes"]);
  assert.deepEqual(results[0].parts.filter(({ failed }) => failed > 0).map(({ output }) => output), ["why\n"]);
});
