import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { npmPackage } from "../../build/npm.mjs";
import { root } from "../runner/paths.mjs";
import { expected } from "./cases.mjs";

/** @type {import("node:child_process").ExecFileSyncOptionsWithStringEncoding} */
const quiet = { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };

/** An empty project that has installed the package as it is published, and nothing from any registry. */
export async function project() {
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-package-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const published = join(folder, "published");
  await npmPackage(join(root, "pkg"), published);
  const pack = ["pack", "--json", "--pack-destination", folder, published];
  const [{ filename, files }] = JSON.parse(execFileSync("npm", pack, quiet));
  write(folder, "package.json", JSON.stringify({ name: "consumer", private: true, type: "module" }));
  const tarball = join(folder, filename);
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { ...quiet, cwd: folder });
  write(folder, "expected.json", JSON.stringify(expected()));
  copyFileSync(join(root, "tests/package/verdicts.mjs"), join(folder, "verdicts.mjs"));
  return { folder, tarball, packed: /** @type {{ path: string }[]} */ (files).map(({ path }) => path).sort() };
}

export function write(/** @type {string} */ folder, /** @type {string} */ name, /** @type {string} */ text) {
  writeFileSync(join(folder, name), text);
}

/** Runs a script of the project, which prints every disagreement it found, as JSON. @returns {string[]} */
export function run(
  /** @type {string} */ folder,
  /** @type {string} */ command,
  /** @type {string[]} */ args,
) {
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1" };
  return JSON.parse(execFileSync(command, args, { ...quiet, cwd: folder, env }));
}
