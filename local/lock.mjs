import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Keeps a second stack off the same data: two Postgres processes on one folder destroy it. A lock that a
 * killed stack left behind is taken over.
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
      throw new Error(`the local stack is running already (process ${pid}); stop that one first, with Ctrl-C`);
    }
    rmSync(file, { force: true });
  }
  throw new Error(`could not take ${file}; is another start under way?`);
}

/** A process id may long belong to somebody else, so its command line is asked too. */
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
