import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { root } from "./settings.mjs";

/**
 * Runs a program to its end, at the top of the repository.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(text: string) => void} [options.line] receives every line it prints
 * @param {AbortSignal} [options.signal] ends it
 * @returns {Promise<{ code: number | null, output: string }>}
 */
export function command(program, args, { env = process.env, line = () => {}, signal } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const hear = (/** @type {string} */ text) => {
      output += text;
      for (const said of text.split(/[\r\n]+/).filter((part) => part.trim() !== "")) line(said.trim());
    };
    child.stdout.setEncoding("utf8").on("data", hear);
    child.stderr.setEncoding("utf8").on("data", hear);
    // Nothing goes on installing after the process that waits for it has ended.
    const kill = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", kill);
    process.once("exit", kill);
    const end = (/** @type {number | null} */ code, /** @type {string} */ more = "") => {
      process.off("exit", kill);
      signal?.removeEventListener("abort", kill);
      resolve({ code, output: output + more });
    };
    child.on("error", (error) => end(127, error.message));
    child.on("close", (code) => end(code));
  });
}

/** Where a program is on PATH, if it is there. @param {string} name @returns {string | undefined} */
export function onPath(name) {
  const endings = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  return (process.env.PATH ?? "").split(delimiter)
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
    .find((file) => allowed(file, constants.X_OK));
}

/** Whether this user may create or change what is at a path. @param {string} path @returns {boolean} */
export function writable(path) {
  return existsSync(path) ? allowed(path, constants.W_OK) : writableFolder(dirname(path));
}

/** @param {string} path @returns {boolean} */
function writableFolder(path) {
  return existsSync(path) ? statSync(path).isDirectory() && writable(path) : writableFolder(dirname(path));
}

/** @param {string} path @param {number} mode one of `fs.constants`: W_OK, X_OK */
function allowed(path, mode) {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
