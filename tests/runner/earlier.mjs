/** How long each part of a suite took when it last ran here, so that the next run begins with the longest. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { nameOf } from "./execute.mjs";
import { root } from "./paths.mjs";

const FILE = join(root, ".local", "test-seconds.json");

/** @typedef {(part: import("./execute.mjs").Part) => number | undefined} Earlier */

const key = (/** @type {import("./execute.mjs").Part} */ part) =>
  nameOf(part) + (part.suite.long ? " in its long form" : "");

/** @returns {Record<string, number>} */
function kept() {
  try {
    return JSON.parse(readFileSync(FILE, "utf8"));
  } catch {
    // Nothing has run here yet, or the file was cut off: the next run writes it anew.
    return {};
  }
}

/** What is known as a run begins; undefined of a part that never ended here. @returns {Earlier} */
export function earlier() {
  const seconds = kept();
  return (part) => seconds[key(part)];
}

/** @param {import("./schedule.mjs").Result[]} results */
export function remember(results) {
  const seconds = results.flatMap(({ suite, parts }) =>
    parts.map(({ command, seconds }) => [key({ suite, command }), Math.round(seconds * 10) / 10])
  );
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, JSON.stringify({ ...kept(), ...Object.fromEntries(seconds) }, undefined, 1));
}
