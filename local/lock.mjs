import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Keeps a second stack away from the same data, because two Postgres processes on one folder destroy it. The lock of a
 * killed stack is taken over.
 *
 * @param {string} folder
 * @returns {() => void} releases it
 */
export function lock(folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "running.pid");
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    const pid = Number(readFileSync(file, "utf8"));
    if (isStack(pid)) {
      throw new Error(`the local stack is already running (process ${pid}); stop it first, with Ctrl-C`);
    }
    rmSync(file, { force: true });
  }
  throw new Error(`could not take ${file}; is another start under way?`);
}

/** Whether a process is a stack. By now its id may belong to another program, so its command line is checked too. */
function isStack(/** @type {number} */ pid) {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const { stdout, status } = spawnSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  return status === 0 ? /\bnode\b/.test(stdout) : true;
}
