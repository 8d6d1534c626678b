import assert from "node:assert/strict";
import { test } from "node:test";
import { satisfies } from "../../local/node.mjs";

/** @type {[version: string, range: string, runs: boolean][]} */
const CASES = [
  ["18.20.8", "^20.19.0 || >=22.12.0", false],
  ["20.18.3", "^20.19.0 || >=22.12.0", false],
  ["20.19.0", "^20.19.0 || >=22.12.0", true],
  ["20.20.2", "^20.19.0 || >=22.12.0", true],
  ["21.7.3", "^20.19.0 || >=22.12.0", false],
  ["22.11.0", "^20.19.0 || >=22.12.0", false],
  ["22.12.0", "^20.19.0 || >=22.12.0", true],
  ["24.0.0", "^20.19.0 || >=22.12.0", true],
];

test("a Node is accepted if engines names its version", () => {
  const wrong = CASES.filter(([version, range, runs]) => satisfies(version, range) !== runs);
  assert.deepEqual(wrong, []);
});
