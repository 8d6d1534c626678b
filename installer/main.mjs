#!/usr/bin/env node
/** The command `audience-gate` of the npm package: into a project that exists, and out of it again. */
import process from "node:process";
import { parseArgs } from "node:util";
import { Refusal, UsageError } from "./errors.mjs";
import { asksForMore, NATIVE, runNative } from "./native.mjs";
import { version } from "./shipped.mjs";

/** @typedef {import("./command.mjs").Command} Command */

/** Each command is loaded when it is asked for: `types` needs no database, `init` no module. */
const COMMANDS = {
  init: () => import("./init.mjs"),
  status: () => import("./status.mjs"),
  doctor: () => import("./doctor.mjs"),
  enable: () => import("./enable.mjs"),
  upgrade: () => import("./upgrade.mjs"),
  uninstall: () => import("./uninstall.mjs"),
  types: () => import("./types.mjs"),
  import: () => import("./import.mjs"),
  export: () => import("./export.mjs"),
  check: () => import("./check.mjs"),
  alerts: () => import("./alerts.mjs"),
  mcp: () => import("./mcp.mjs"),
};

const HELP = `Usage: audience-gate COMMAND [OPTIONS]

  init       copies the migrations and the function into the Supabase project of this folder
  status     says what is installed, what was edited, and by which contract each part judges
  doctor     looks for what is not as it should be, and says what to do
  enable     jobs: has pg_cron run the scheduled jobs; signing: makes the function's signing key
  upgrade    copies what is newer in this package
  uninstall  takes everything out of the project again
  types      writes the events of an install as TypeScript
  import     turns a tracking plan of Segment, RudderStack, Snowplow or GA4, or JSON Schema, into event types
  export     writes the plan of an install as JSON Schema or TypeScript, for version control
  check      judges a file of events, one JSON text a line
  alerts     has the function send what alerts have to say
  mcp        answers agents by the Model Context Protocol: what an event must be, and why one was rejected

With the package of this platform, which npm installs beside this one where there is one:

${
  Object.entries({ ...NATIVE, check: "takes several files, CSV, JSON and gzip too, and writes what it let in" })
    .map(([name, what]) => `  ${name.padEnd(16)}${what}\n`).join("")
}
Each command has --help, and --version names this release. Exit codes: 0 done, 1 something is in the way or not as it should be, 2 wrong usage.
`;

/** @param {string[]} args @returns {Promise<number>} */
async function main([name, ...args]) {
  if (name === undefined || ["--help", "-h", "help"].includes(name)) {
    process.stdout.write(HELP);
    return name === undefined ? 2 : 0;
  }
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  if (Object.hasOwn(NATIVE, name) || name === "check" && asksForMore(args)) return runNative([name, ...args]);
  if (!Object.hasOwn(COMMANDS, name)) throw new UsageError(`there is no command ${name}; --help lists them`);
  /** @type {{ command: Command }} */
  const { command } = await COMMANDS[/** @type {keyof typeof COMMANDS} */ (name)]();
  const { values, positionals } = understood(name, command, args);
  if (values.help) {
    process.stdout.write(command.help);
    return 0;
  }
  return await command.run(values, positionals);
}

/** @param {string} name @param {Command} command @param {string[]} args */
function understood(name, command, args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...command.options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
      strict: true,
    });
    if (!values.help && positionals.length !== command.positionals) {
      throw new Error(`it takes ${command.positionals} words and got ${positionals.length}`);
    }
    return { values: /** @type {import("./command.mjs").Values} */ (values), positionals };
  } catch (error) {
    throw new UsageError(`${/** @type {Error} */ (error).message}; audience-gate ${name} --help says what it takes`);
  }
}

// Whoever reads the output, such as `head`, may have seen enough.
process.stdout.on("error", (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EPIPE") throw error;
  process.exit();
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`audience-gate: ${error.message}\n`);
  process.exitCode = error.code;
}
