/** What is asked of an engine, and whether what it answers is right. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/**
 * @typedef {object} Case
 * @property {string} name what it shows
 * @property {string} event the text of the event, as it is sent
 * @property {"trusted" | "visitor" | "user"} caller
 * @property {string | null} caller_id
 * @property {string | null} origin
 * @property {string[]} violates the rules that it violates, in order
 * @property {boolean} [only_in_text] whether only the text shows the fault, so that an engine of values is not asked
 */
/** @typedef {Record<string, unknown> & { version: string }} Snapshot */
/** @typedef {{ registry: Snapshot, received_at: string, cases: Case[] }} Group the cases that one registry is for */
/** @typedef {(line: object) => Promise<Record<string, unknown>>} Ask sends a line, and gives the one that comes back */

/** The names of the files of cases. */
export const FILES = ["contract.ndjson", "own_rules.ndjson"];

/** The groups of the suite; the first line of a file is its registry and the moment of receipt. @returns {Group[]} */
export const groups = () =>
  FILES.map((name) => {
    const text = readFileSync(new URL(name, import.meta.url), "utf8");
    const [head, ...cases] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    return { ...head, cases };
  });

/**
 * Asks everything; what was answered wrongly is said, one text for each case.
 *
 * @param {Ask} ask @param {Group[]} [asked]
 */
export async function conforms(ask, asked = groups()) {
  /** @type {string[]} */
  const wrong = [];
  let judged = 0;
  for (const { registry, received_at, cases } of asked) {
    const loaded = await ask({ registry });
    if (loaded.registry !== registry.version) wrong.push(`the registry ${registry.version}: ${JSON.stringify(loaded)}`);
    for (const [index, { name, violates, only_in_text, ...sent }] of cases.entries()) {
      if (only_in_text && loaded.judges === "values") continue;
      const { case: answered, violates: found } = await ask({ case: index, received_at, ...sent });
      judged += 1;
      if (answered !== index || JSON.stringify(found) !== JSON.stringify(violates)) {
        wrong.push(`${name}: ${JSON.stringify(found)} instead of ${JSON.stringify(violates)}\n  ${sent.event}`);
      }
    }
  }
  return { judged, wrong };
}

/** A program as an engine: a line in, a line out. @param {string} command @param {string[]} args @param {Record<string, string | undefined>} [env] */
export function started(command, args, env = process.env) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    /** @type {Ask} */
    async ask(line) {
      child.stdin.write(`${JSON.stringify(line)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended without an answer to ${JSON.stringify(line).slice(0, 300)}`);
      return JSON.parse(value);
    },
    async stop() {
      const ended = once(child, "close");
      child.stdin.end();
      await ended;
    },
  };
}
