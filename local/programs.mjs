import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "./settings.mjs";

const require = createRequire(import.meta.url);

/**
 * The real Deno, not its package's Node wrapper: a signal to the wrapper would not reach Deno.
 *
 * @param {"deno" | "deno-hosted"} [name] `deno-hosted` is the level that hosted Edge Functions run at
 */
export function denoBinary(name = "deno") {
  const folder = join(root, name === "deno" ? "" : "tests/hosted-deno", "node_modules", "deno");
  const unpacked = join(folder, process.platform === "win32" ? "deno.exe" : "deno");
  // The package unpacks its program in an install script, for which npm 11 asks permission, or else on first use, which
  // is here.
  const packed = join(folder, "install_api.cjs");
  return existsSync(unpacked) || !existsSync(packed) ? unpacked : require(packed).runInstall();
}

/**
 * A command of an npm package as the script that Node runs, because the file in `.bin` differs from platform to
 * platform.
 *
 * @param {string} name of the package
 * @param {string} [bin] of the command, where it is another
 * @returns {string[]} the program and its first argument
 */
export function packageCommand(name, bin = name) {
  const folder = join(root, "node_modules", name);
  const script = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).bin[bin];
  return [process.execPath, join(folder, script)];
}
