import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import * as counts from "./counts.mjs";
import { denoBinary, root } from "./paths.mjs";
import { pythonOf } from "./python.mjs";
import { LONG } from "../long.mjs";
import { EVERYTHING } from "./system.mjs";

/**
 * @typedef {object} Suite
 * @property {string} name
 * @property {string[][]} commands its parts, each of which may run beside any other
 * @property {import("./system.mjs").Need[]} needs what must be there before it runs
 * @property {import("./counts.mjs").Reader} reader how its output is counted
 * @property {string} [cwd]
 * @property {Record<string, string>} [env]
 * @property {boolean} [long] whether it runs its tests in their long form; a check has one form
 * @property {number} [seconds] how long it may take, if that is longer than usual
 * @property {boolean} [alone] whether it runs alone, because it measures time
 */

/**
 * Folders under tests/ whose suites measure time: how long a clone takes to test itself, how long an upgrade keeps others
 * waiting. In the short form they allow for a machine with other work, so that no core waits for them.
 */
const ALONE = new Set(["stack", "upgrade"]);

/** Those whose folders are on a disk: Deno reads nothing under `/dev` for a program that may read files. */
const ON_DISK = new Set(["package"]);

/**
 * The suites that take longest, in the order in which they begin. While Rust is compiled, the browser's tests need none of
 * it, and the clones wait for the network.
 */
const FIRST = ["rust", "browser", "stack", "spark", "upgrade", "database", "scaling", "installer", "package"];

/**
 * What the tests of a folder under tests/ need; the tests of a folder that is not named here get everything.
 *
 * @type {Record<string, import("./system.mjs").Need[]>}
 */
const NEEDS = {
  browser: ["packages", "chromium"],
  clients: ["packages", "postgres", "python", "packaging", "php"],
  conformance: ["packages", "rust", "postgres"],
  database: ["packages", "rust", "postgres"],
  docs: ["packages", "rust", "git", "curl", "chromium", "python", "php"],
  function: ["packages", "postgres", "faketime"],
  installer: ["packages", "rust", "postgres", "git", "openssl"],
  package: ["packages", "chromium"],
  project: ["packages", "git"],
  runner: [],
  scaling: ["packages", "rust", "postgres", "spark", "parquet", "openssl"],
  stack: ["packages", "git", "ps"],
  upgrade: ["packages", "rust", "postgres", "git"],
};

/** Every file of this repository whose name matches, found by walking, so that a new test needs no edit here. */
function files(/** @type {string} */ folder, /** @type {RegExp} */ pattern) {
  /** @type {string[]} */
  const found = [];
  const walk = (/** @type {string} */ path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
      const full = join(path, entry.name);
      if (entry.isDirectory()) walk(full);
      else if (pattern.test(entry.name)) found.push(full);
    }
  };
  if (existsSync(join(root, folder))) walk(join(root, folder));
  return found.sort();
}

/** @template T @param {T[]} items @param {(item: T) => string} key @returns {[string, T[]][]} */
function grouped(items, key) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const item of items) {
    groups.set(key(item), [...groups.get(key(item)) ?? [], item]);
  }
  return [...groups];
}

/** The crates' own tests, and the proof that every generated file is current. @returns {Suite[]} */
function rust() {
  return [
    {
      name: "rust",
      commands: [["cargo", "test", "--workspace", "--locked", "--no-fail-fast"]],
      needs: ["rust"],
      reader: counts.cargo,
    },
    {
      name: "generated files",
      commands: [["cargo", "run", "--locked", "-p", "audience-gate-emit", "--", "--check"]],
      needs: ["rust"],
      reader: counts.exitCode,
    },
  ];
}

/** Each function's tests on both Denos: the one people run, and the level that hosted functions run at. @returns {Suite[]} */
function functions() {
  const tests = files("supabase/functions", /_test\.ts$/);
  const nearestConfig = (/** @type {string} */ file) => {
    let folder = dirname(file);
    while (folder !== root && !existsSync(join(folder, "deno.json"))) {
      folder = dirname(folder);
    }
    return folder;
  };
  return grouped(tests, nearestConfig).flatMap(([folder, group]) =>
    /** @type {const} */ (["deno", "deno-hosted"]).map((deno) => ({
      name: `${relative(join(root, "supabase", "functions"), folder)} on ${deno === "deno" ? "deno" : "hosted deno"}`,
      commands: [[
        denoBinary(deno),
        "test",
        "--quiet",
        "--no-check",
        "--allow-all",
        ...group.map((file) => relative(folder, file)),
      ]],
      needs: ["packages"],
      cwd: folder,
      env: { DENO_NO_UPDATE_CHECK: "1", DENO_TLS_CA_STORE: "system" },
      reader: counts.deno,
    }))
  );
}

/** pgTAP on the embedded Postgres and on a real one. @returns {Suite[]} */
function pgtap() {
  if (files("supabase/tests/database", /\.sql$/).length === 0) return [];
  return ["pglite", "postgres"].map((engine) => ({
    name: `pgtap on ${engine}`,
    commands: [["node", "tests/runner/pgtap.mjs", engine]],
    needs: engine === "postgres" ? ["packages", "postgres", "pgtap"] : ["packages"],
    reader: counts.tap,
  }));
}

/** tests/<folder>/**.test.mjs, one suite per folder, and one part per file. @returns {Suite[]} */
function node() {
  const tests = files("tests", /\.test\.mjs$/);
  const folderOf = (/** @type {string} */ file) => relative(join(root, "tests"), file).split(/[\\/]/)[0];
  return grouped(tests, folderOf).map(([folder, group]) => ({
    name: folder,
    commands: group.map((file) => ["node", "--test", "--test-reporter=spec", relative(root, file)]),
    needs: NEEDS[folder] ?? EVERYTHING,
    reader: counts.node,
    alone: ALONE.has(folder),
    ...(ON_DISK.has(folder) ? { env: { TMPDIR: tmpdir() } } : {}),
  }));
}

/** spark/tests, Python's own unittest, on two real workers. @returns {Suite[]} */
function python() {
  if (files("spark", /^test_.*\.py$/).length === 0) return [];
  return [{
    name: "spark",
    commands: [[pythonOf("spark"), "-W", "ignore::ResourceWarning", "-m", "unittest", "discover", "-s", "spark/tests"]],
    needs: ["rust", "spark"],
    reader: counts.unittest,
  }];
}

/** @param {{ long: boolean }} how `long`: every test in its long form (`tests/long.mjs`) @returns {Suite[]} */
export function suites({ long }) {
  const place = (/** @type {Suite} */ { name }) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const all = [...rust(), ...pgtap(), ...functions(), ...node(), ...python()].sort((a, b) => place(a) - place(b));
  return all.map((suite) =>
    long ? { ...suite, env: { ...suite.env, ...LONG }, long, seconds: 4 * 3600 } : { ...suite, long, alone: false }
  );
}
