import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { exitCode } from "./counts.mjs";
import { denoBinary, root } from "./paths.mjs";

/** @typedef {import("./suites.mjs").Suite} Suite */

/**
 * The checks that must pass before any test is worth running: formats, lints, types, SQL.
 *
 * @param {{ fix: boolean }} options `fix` applies the formats instead of checking them
 * @returns {Suite[]}
 */
export function checks({ fix }) {
  const asking = fix ? [] : ["--check"];
  const deno = denoBinary("deno");
  const check = (
    /** @type {string} */ name,
    /** @type {import("./system.mjs").Need[]} */ needs,
    /** @type {string[]} */ command,
    /** @type {string | undefined} */ cwd = undefined,
  ) => ({ name, needs, commands: [command], cwd, reader: exitCode });

  return [
    check("cargo fmt", ["rust"], ["cargo", "fmt", "--all", ...asking]),
    check("clippy", ["rust"], [
      "cargo",
      "clippy",
      "--workspace",
      "--all-targets",
      "--locked",
      "--",
      "--deny=warnings",
    ]),
    // The format, the rules and the folders are in deno.json, where editors find them too.
    check("deno fmt", ["packages"], [deno, "fmt", ...asking]),
    check("deno lint", ["packages"], [deno, "lint"]),
    ...functions().map((folder) =>
      check(`deno check ${folder}`, ["packages"], [
        deno,
        "check",
        ...readdirSync(join(root, "supabase", "functions", folder))
          .filter((name) => name.endsWith(".ts")),
      ], join(root, "supabase", "functions", folder))
    ),
    check("deno check", ["packages"], [deno, "check", "bench", "local", "tests/function"]),
    check("dependencies", ["packages", "rust", "git"], ["node", "tests/runner/dependencies.mjs"]),
    check("advisories", [], ["node", ".ci/advisories.mjs", "--if-reachable"]),
    ...typescriptProjects().map((project) =>
      check(`tsc ${project}`, ["packages"], ["node", "node_modules/typescript/bin/tsc", "--noEmit", "-p", project])
    ),
    ...(existsSync(join(root, "supabase", "migrations"))
      ? [check("sql lint", ["packages", "postgres", "plpgsql_check"], ["node", "tests/runner/lint-sql.mjs"])]
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

/** The code that Node runs, the pages, the tracker and the client are separate projects, because each has other globals. */
function typescriptProjects() {
  return ["tsconfig.json", "web/tsconfig.json", "web/tracker/tsconfig.json", "clients/node/tsconfig.json"];
}
