import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { root } from "./runner/paths.mjs";

/** @type {string | undefined} */
let built;

/**
 * The path of the command line of this checkout. Every test takes it in the form in which it is installed, so that a run
 * compiles it once: the build of a single package shares nothing with that of the whole workspace.
 */
export function commandLine() {
  if (built === undefined) {
    const command = ["build", "--quiet", "--locked", "--release", "-p", "audience-gate-cli"];
    execFileSync("cargo", command, { cwd: root, stdio: "pipe" });
    const name = process.platform === "win32" ? "audience-gate.exe" : "audience-gate";
    built = join(resolve(root, process.env.CARGO_TARGET_DIR ?? "target"), "release", name);
  }
  return built;
}
