import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { exitCode } from "./counts.mjs";
import { mixed, run } from "./schedule.mjs";

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
