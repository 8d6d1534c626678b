/** The native command line, which comes as a package of its own for each platform. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import process from "node:process";
import { parseArgs } from "node:util";
import { Refusal } from "./errors.mjs";

/** What it alone does: it reads files of gigabytes, Parquet and Postgres. */
export const NATIVE = {
  rules: "lists every rule, or the effective contract of an install",
  explain: "says what a rule requires, with an accepted and a refused example",
  "back-test": "says what a rule of your own would have refused of what is stored",
  contract: "compares two contracts, and shows what is judged otherwise",
  conformance: "answers the conformance suite, a line in and a line out",
  hash: "hashes e-mail addresses as the gate does",
  archive: "writes closed months of the event log to Parquet",
  detach: "takes an archived month out of the event log",
  restore: "brings a detached month back into it",
  load: "loads judged history into the event log",
  legacy: "reports, registers and judges what was recorded before the gate",
  seal: "signs, verifies and proves the sealed history",
  "export-subject": "writes everything that is held of a person",
};

/** What it adds to `check`, which judges one file of lines by WebAssembly. */
const MORE = ["input", "accepted", "rejected", "arrow", "caller", "at", "threads"];

/** What is said of it where only WebAssembly is there. */
const FEWER = "check judges one file of lines by WebAssembly; anything else";

/** Whether words of `check` ask for more than WebAssembly does. @param {string[]} args */
export function asksForMore(args) {
  const options = Object.fromEntries(["registry", "format", ...MORE].map((name) => [name, { type: "string" }]));
  const { values, positionals } = parseArgs({
    args,
    options: /** @type {Record<string, { type: "string" }>} */ (options),
    strict: false,
    allowPositionals: true,
  });
  return positionals.length > 1 || positionals.some((file) => /\.(csv|gz|json)$/.test(file)) ||
    MORE.some((name) => name in values);
}

/** Runs it in place of this process. @param {string[]} args @returns {number} its exit code */
export function runNative(args) {
  const path = program();
  if (path === undefined) {
    throw new Refusal(
      `${
        args[0] === "check" ? FEWER : args[0]
      } needs the native command line, and ${packageName()} is not installed; ` +
        "install it beside this package, or build it where there is none: cargo build --release -p audience-gate-cli, in a checkout",
    );
  }
  const { status, signal, error } = spawnSync(path, args, { stdio: "inherit" });
  if (error) {
    throw new Refusal(
      `${packageName()} cannot be run (${/** @type {{ code?: string }} */ (error).code}); install it again`,
    );
  }
  if (signal !== null) process.kill(process.pid, signal);
  return status ?? 1;
}

/** The program's path, or undefined if this platform has none or it is not installed. */
export function program() {
  const file = process.platform === "win32" ? "audience-gate.exe" : "audience-gate";
  try {
    return createRequire(import.meta.url).resolve(`${packageName()}/bin/${file}`);
  } catch {
    return undefined;
  }
}

function packageName() {
  const parts = [process.platform, process.arch, ...(process.platform === "linux" ? [libc()] : [])];
  return `@audience-gate/cli-${parts.join("-")}`;
}

/** Which library of C the programs of this Linux use. */
function libc() {
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return header.glibcVersionRuntime === undefined ? "musl" : "gnu";
}
