import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import * as counts from "./counts.mjs";
import { processorSeconds } from "./processor.mjs";
import { summary } from "./report.mjs";

/** @type {[name: string, reader: counts.Reader, output: string, code: number, expected: [number, number, number]][]} */
const CASES = [
  [
    "cargo, several binaries",
    counts.cargo,
    "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\ntest result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured\n",
    101,
    [4, 2, 1],
  ],
  ["node, spec reporter", counts.node, "ℹ tests 4\nℹ pass 2\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\n", 1, [
    2,
    1,
    1,
  ]],
  ["deno", counts.deno, "ok | 12 passed (3 steps) | 0 failed | 1 ignored (40ms)\n", 0, [12, 0, 1]],
  ["deno, failing", counts.deno, "FAILED | 2 passed | 1 failed (2 steps) (1s)\n", 1, [2, 1, 0]],
  ["tap", counts.tap, "1..4\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no\nnot ok 4 - d # TODO later\n", 1, [1, 1, 2]],
  ["unittest", counts.unittest, "Ran 5 tests in 1.0s\n\nFAILED (failures=1, errors=1, skipped=1)\n", 1, [2, 2, 1]],
  ["a check that holds", counts.exitCode, "", 0, [1, 0, 0]],
  ["a check that does not", counts.exitCode, "", 1, [0, 1, 0]],
  ["a crash after the tests passed", counts.node, "ℹ pass 3\nℹ fail 0\n", 1, [3, 1, 0]],
  ["a suite that ran nothing", counts.node, "ℹ pass 0\nℹ fail 0\n", 0, [0, 1, 0]],
  ["silence", counts.deno, "", 0, [0, 1, 0]],
];

test("the counts of a suite are those in its own output", () => {
  const wrong = CASES.flatMap(([name, reader, output, code, [passed, failed, skipped]]) => {
    const seen = counts.counted(reader, output, code);
    const same = seen.passed === passed && seen.failed === failed && seen.skipped === skipped;
    return same ? [] : [`${name}: ${JSON.stringify(seen)}`];
  });
  assert.deepEqual(wrong, []);
});

test("a run that takes too long names its slowest tests", () => {
  const output = "✔ a quick one (3.5ms)\n✔ a slow one (of two) (61000.25ms)\n✖ one that fails (70000ms)\nℹ pass 2\n";
  assert.deepEqual(counts.durations(output), [["a quick one", 0.0035], ["a slow one (of two)", 61.00025]]);
  const part = { command: [], passed: 2, failed: 1, skipped: 0, seconds: 131, processor: 90.04, output, log: "" };
  const suite = { name: "database", commands: [], needs: [], reader: counts.node, long: false };
  const said = (/** @type {number} */ elapsed) => summary([{ ...part, suite, parts: [part] }], elapsed).split("\n");
  assert.ok(said(901).includes("    61.0 s  database: a slow one (of two)"));
  assert.ok(!said(899).some((line) => line.includes("a slow one")));
});

test("a run says how long the processors worked, and in which form the tests ran", () => {
  const result = { parts: [], passed: 1, failed: 0, skipped: 0, seconds: 131 };
  const suite = { name: "database", commands: [], needs: [], reader: counts.node };
  const said = (/** @type {boolean | undefined} */ long, /** @type {number[]} */ ...processor) =>
    summary(processor.map((processor) => ({ ...result, processor, suite: { ...suite, long } })), 70);
  assert.match(said(false, 90.04, 1), /^database .* 131\.0 +90\.0$[^]*^whole run .* 70\.0 +91\.0$/m);
  assert.match(said(false, NaN), /^database .* 131\.0\s*$/m);
  assert.deepEqual([false, true, undefined].map((long) => said(long, 1).includes("npm test -- --long")), [
    true,
    false,
    false,
  ]);
});

test("the time of a process that has ended is counted once", () => {
  processorSeconds();
  const { status } = spawnSync(process.execPath, ["-e", "const end = Date.now() + 300; while (Date.now() < end);"]);
  assert.equal(status, 0);
  if (process.platform !== "linux") return assert.ok(Number.isNaN(processorSeconds()));
  assert.ok(processorSeconds() > 0.02);
  assert.equal(processorSeconds(), 0);
});
