/** The packages that `hosts/package-lock.json` names, and the levels of Node among them. */
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../runner/paths.mjs";

export const hosts = join(root, "tests/package/hosts");

/** @param {string} path */
export const inHosts = (path) => join(hosts, "node_modules", path);

/** Their binaries, by version. */
export const NODES = { 22: inHosts("node-22/bin/node"), 24: inHosts("node-24/bin/node") };

/** Installs them, unless they are. */
export function installHosts() {
  const [lock, held] = [join(hosts, "package-lock.json"), inHosts(".package-lock.json")];
  if (existsSync(held) && statSync(held).mtimeMs >= statSync(lock).mtimeMs) return;
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: hosts, stdio: "pipe" });
}
