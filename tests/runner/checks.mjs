import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { exitCode } from "./counts.mjs";
import { denoBinary, root } from "./paths.mjs";

/** @typedef {import("./suites.mjs").Suite} Suite */

/** Folders of hand-written JavaScript and TypeScript that are formatted and linted; `pkg/` is generated. */
const SOURCES = ["bench", "build", "local", "supabase/functions", "tests", "web"];

/** Deno's linter knows no browser: there `window` is what it always was. */
const NOT_FOR_BROWSERS = "no-window,no-window-prefix";

/**
 * What must hold before any test is worth running: formats, lints, types, SQL.
 *
 * @param {{ fix: boolean }} options `fix` writes the formats instead of asking for them
 * @returns {Suite[]}
 */
export function checks({ fix }) {
  const asking = fix ? [] : ["--check"];
  const deno = denoBinary("deno");
  const sources = SOURCES.filter((folder) => existsSync(join(root, folder)));
  const check = (
    /** @type {string} */ name,
    /** @type {string[]} */ command,
    /** @type {string | undefined} */ cwd = undefined,
  ) => ({ name, command, cwd, reader: exitCode });

  return [
    check("cargo fmt", ["cargo", "fmt", ...asking]),
    check("clippy", [
      "cargo",
      "clippy",
      "--all-targets",
      "--locked",
      "--",
      "--deny=warnings",
    ]),
    check("deno fmt", [deno, "fmt", ...asking, "--line-width=120", ...sources]),
    check("deno lint", [deno, "lint", `--rules-exclude=${NOT_FOR_BROWSERS}`, ...sources]),
    ...functions().map((folder) =>
      check(`deno check ${folder}`, [
        deno,
        "check",
        ...readdirSync(join(root, "supabase", "functions", folder))
          .filter((name) => name.endsWith(".ts")),
      ], join(root, "supabase", "functions", folder))
    ),
    ...typescriptProjects().map((project) => check(`tsc ${project}`, ["npx", "tsc", "--noEmit", "-p", project])),
    ...(existsSync(join(root, "supabase", "migrations"))
      ? [check("sql lint", ["node", "tests/runner/lint-sql.mjs"])]
      : []),
  ];
}

function functions() {
  const folder = join(root, "supabase", "functions");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "deno.json")))
    .map((entry) => entry.name);
}

function typescriptProjects() {
  return ["web/tsconfig.json"].filter((file) => existsSync(join(root, file)));
}
