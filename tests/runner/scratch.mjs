import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";
const PREFIX = "audience-gate-tests-";
/** What says that a file system is in memory. @see https://man7.org/linux/man-pages/man2/statfs.2.html */
const TMPFS = 0x01021994;
const ROOM = 4 * 2 ** 30;

/**
 * The folder for what the suites throw away again. It is in memory where there is room: the suites begin several hundred
 * databases, each of a thousand files that are deleted seconds later, and on a disk a tenth of their time goes into that.
 * `TMPDIR` chooses another.
 */
export const scratch = () => process.env.TMPDIR || (hasRoom() && within(MEMORY)) || tmpdir();

function hasRoom() {
  try {
    const { type, bavail, bsize } = statfsSync(MEMORY);
    const free = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    return type === TMPFS && bavail * bsize >= ROOM && Number(free) * 1024 >= 2 * ROOM;
  } catch {
    return false;
  }
}

/**
 * A folder that goes with this process, or nothing where programs may not run in it, as in many containers: some suites
 * install one.
 *
 * @param {string} memory
 */
export function within(memory) {
  removeLeft(memory);
  const folder = join(memory, `${PREFIX}${process.pid}`);
  mkdirSync(folder);
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return runsPrograms(folder) ? folder : undefined;
}

/** @param {string} folder */
function runsPrograms(folder) {
  const program = join(folder, "program");
  writeFileSync(program, "#!/bin/sh\n");
  chmodSync(program, 0o755);
  const { status } = spawnSync(program);
  rmSync(program);
  return status === 0;
}

/** The folders of runs that were killed. @param {string} memory */
function removeLeft(memory) {
  for (const name of readdirSync(memory).filter((name) => name.startsWith(PREFIX))) {
    if (!runs(Number(name.slice(PREFIX.length)))) rmSync(join(memory, name), { recursive: true, force: true });
  }
}

/** @param {number} pid */
function runs(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Whoever may not end it is told that, which says that it runs.
    return /** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH";
  }
}
