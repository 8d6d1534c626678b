/** One command at a time changes a project: two that plan at once would each bring every migration, under other times. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Refusal } from "./errors.mjs";

/** Is there while a command is at work, and names its process. */
const LOCK = "supabase/.audience-gate.lock";

/**
 * Does what changes the project, while no other command does. Where nothing can be written, nothing is changed either.
 *
 * @template T @param {import("./project.mjs").Project} project @param {() => T | Promise<T>} work @returns {Promise<T>}
 */
export async function alone(project, work) {
  const lock = join(project.folder, LOCK);
  const held = taken(lock) || taken(lock);
  try {
    return await work();
  } finally {
    if (held === "ours") rmSync(lock, { force: true });
  }
}

/** Whose the lock is now; undefined if it was that of a process which has ended, and is gone. @param {string} lock */
function taken(lock) {
  try {
    const file = openSync(lock, "wx");
    writeSync(file, `${process.pid}`);
    closeSync(file);
    return "ours";
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== "EEXIST") return "nobody's";
  }
  const pid = holder(lock);
  if (pid === undefined || works(pid)) {
    throw new Refusal(
      `another audience-gate is at work in this project; run this when it has ended, and if there is none, remove ${LOCK}`,
    );
  }
  rmSync(lock, { force: true });
}

/** @param {string} lock */
function holder(lock) {
  try {
    return Number(readFileSync(lock, "utf8")) || undefined;
  } catch {
    // It has just ended.
    return undefined;
  }
}

/** @param {number} pid */
function works(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
