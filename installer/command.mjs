/**
 * One command of the command line.
 *
 * @typedef {Record<string, string | boolean | undefined>} Values
 * @typedef {object} Command
 * @property {string} help
 * @property {Record<string, { type: "string" | "boolean" }>} options
 * @property {number} positionals how many words it takes
 * @property {(values: Values, positionals: string[]) => Promise<number>} run returns the exit code
 */
import process from "node:process";
import { UsageError } from "./errors.mjs";

/** Prints lines. @param {...string} lines */
export const say = (...lines) => process.stdout.write(lines.map((line) => `${line}\n`).join(""));

/** Commands for a person to copy: they belong where the project is. @param {{ folder: string }} project @param {string[]} lines */
export const commands = ({ folder }, lines) =>
  (folder === "." ? lines : [`cd ${folder}`, ...lines]).map((line) => `  ${line}`);

/** The text of an option, or undefined if it was not given. @param {Values} values @param {string} name */
export function text(values, name) {
  const value = values[name];
  if (value === "") throw new UsageError(`--${name} is empty`);
  return typeof value === "string" ? value : undefined;
}
