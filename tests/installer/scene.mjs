/** A project in a folder of its own, with the package and the Supabase CLI as its owner runs them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { npmPackage } from "../../build/npm.mjs";
import { root } from "../runner/paths.mjs";

/** @typedef {{ code: number | null, said: string }} Ended */

const base = mkdtempSync(join(tmpdir(), "audience-gate-installer-"));
process.on("exit", () => rmSync(base, { recursive: true, force: true }));
const packaged = join(base, "node_modules", "audience-gate");
const command = join(packaged, "installer", "main.mjs");
await npmPackage(join(root, "pkg"), packaged);
for (const name of ["pg", "typescript", "@types", "yaml"]) {
  symlinkSync(join(root, "node_modules", name), join(base, "node_modules", name));
}

/** @param {string} name @param {Record<string, string>} files under supabase/ */
export function project(name, files) {
  const folder = join(base, name.replaceAll(/\W+/g, "-"));
  for (const [path, text] of Object.entries(files)) {
    const full = join(folder, "supabase", path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }
  const run = (/** @type {string} */ program, /** @type {string[]} */ args, input = "") => {
    const { DATABASE_URL: _, AUDIENCE_GATE_URL: __, AUDIENCE_GATE_KEY: ___, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      cwd: folder,
      encoding: "utf8",
      input,
      maxBuffer: 2 ** 26,
      env: {
        ...env,
        SUPABASE_HOME: join(base, "home"),
        SUPABASE_TELEMETRY_DISABLED: "1",
        DO_NOT_TRACK: "1",
      },
    });
    return { code: status, said: stdout + stderr };
  };
  return {
    folder,
    /** The installed package. */
    packaged,
    /** The program of the package's command. */
    command,
    /** The package's command. @param {string[]} args @param {string} [input] @returns {Ended} */
    gate: (args, input) => run(command, args, input),
    /** The Supabase CLI. @param {string[]} args @returns {Ended} */
    supabase: (...args) => run(join(root, "node_modules", "supabase", "dist", "supabase.js"), [...args, "--yes"]),
    /** Every file of the project with its text. */
    files: () =>
      Object.fromEntries(
        readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          // What the Supabase CLI notes for itself.
          .filter((path) => !path.includes(`${join("supabase", ".temp")}`))
          .map((path) => [relative(folder, path), readFileSync(path, "utf8")]),
      ),
  };
}

/** What is to be in any project within a minute: it says how long it took. @template T @param {import("node:test").TestContext} t @param {() => T} work @returns {T} */
export function quick(t, work) {
  const started = performance.now();
  const done = work();
  const seconds = (performance.now() - started) / 1000;
  t.diagnostic(`init: ${seconds.toFixed(2)} s`);
  assert.ok(seconds <= 60, `init took ${seconds.toFixed(1)} s`);
  return done;
}
