#!/usr/bin/env node
/**
 * What the benchmarks measured, run by run, in `history.ndjson`: each run adds a line, and no line is ever changed.
 * `npm run bench:history` shows how each figure moved since the run before and since the first, on the same machine
 * only.
 */
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { root } from "../tests/runner/paths.mjs";

/**
 * @typedef {"lower" | "higher"} Better
 * @typedef {Record<string, { value: number, better: Better }>} Figures named with their unit
 * @typedef {{ bench: string, date: string, commit: string, machine: string, figures: Figures }} Run
 */

const FILE = fileURLToPath(new URL("history.ndjson", import.meta.url));

/** A smaller change counts as noise. */
const NOISE = 0.03;

/** This machine, as far as it affects the figures. */
export const machine = () => `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`;

/**
 * Adds a run. A run with options of its own (fewer rounds, other sizes) is not comparable, so it is not kept.
 *
 * @param {string} bench
 * @param {Figures} figures
 */
export function record(bench, figures) {
  if (process.argv.length > 2) return console.error("not kept in bench/history.ndjson: the run has options of its own");
  const git = (/** @type {string[]} */ ...args) => execFileSync("git", args, { encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : " with changes";
  const date = new Date().toISOString().slice(0, 16) + "Z";
  const run = { bench, date, commit: git("rev-parse", "--short=12", "HEAD") + changed, machine: machine(), figures };
  appendFileSync(
    FILE,
    `${JSON.stringify(run, (_, value) => typeof value === "number" ? Number(value.toPrecision(4)) : value)}\n`,
  );
}

/** Writes a benchmark's report beside this file, in the format of the project's other documents. @param {string} name @param {string} text */
export function publish(name, text) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  writeFileSync(file, text);
  execFileSync(join(root, "node_modules/.bin/deno"), ["fmt", "--quiet", file]);
}

/** The last run of each benchmark on each machine, against the one before it and the first. @param {Run[]} runs */
export function compare(runs) {
  const titleOf = (/** @type {Run} */ { bench, machine }) => `${bench} on ${machine}`;
  return [...new Set(runs.map(titleOf))].map((title) => {
    const of = runs.filter((run) => titleOf(run) === title);
    const [first, before, last] = [of[0], of.at(-2) ?? of[0], of[of.length - 1]];
    const rows = Object.entries(last.figures).map(([name, { value, better }]) => {
      const since = (/** @type {Run} */ { figures }) => figures[name] ? value / figures[name].value - 1 : undefined;
      return { name, value, before: since(before), first: since(first), worse: isWorse(since(before), better) };
    });
    return { title, last, before, first, rows };
  });
}

/** @param {number | undefined} change @param {Better} better */
const isWorse = (change, better) => change !== undefined && (better === "lower" ? change : -change) > NOISE;

/** @param {ReturnType<typeof compare>} groups */
export function render(groups) {
  const percent = (/** @type {number | undefined} */ change) =>
    change === undefined ? "new" : `${change < 0 ? "−" : "+"}${Math.abs(change * 100).toFixed(1)} %`;
  return groups.map(({ title, last, before, first, rows }) => {
    const width = Math.max(...rows.map(({ name }) => name.length));
    return [
      `${title}: ${last.date} (${last.commit}), since ${before.date} (${before.commit}) and since ${first.date} (${first.commit})`,
      ...rows.map(({ name, value, before, first, worse }) =>
        `  ${name.padEnd(width)} ${String(value).padStart(10)} ${percent(before).padStart(9)} ${
          percent(first).padStart(9)
        }${worse ? "  worse" : ""}`
      ),
    ].join("\n");
  }).join("\n\n");
}

/** @param {string} text @returns {Run[]} */
export const parse = (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const runs = existsSync(FILE) ? parse(readFileSync(FILE, "utf8")) : [];
  console.log(runs.length > 0 ? render(compare(runs)) : "no run is kept yet: run a benchmark without options");
}
