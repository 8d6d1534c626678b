/** Folders of data that take seconds to make: made once a day, since what they hold may depend on the day, and then copied. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./runner/paths.mjs";

const KEPT = join(root, ".local", "clusters");

const today = () => new Date().toISOString().slice(0, 10);

/**
 * The path of a folder that is kept. What is there is copied, and never changed.
 *
 * @param {string} what names all that its contents depend on
 * @param {(path: string) => Promise<void>} make makes the folder
 */
export async function kept(what, make) {
  const path = join(KEPT, `${today()}-${what}`);
  if (existsSync(path)) return path;
  mkdirSync(KEPT, { recursive: true });
  for (const name of readdirSync(KEPT).filter((name) => !name.startsWith(today()))) {
    rmSync(join(KEPT, name), { recursive: true, force: true });
  }
  const half = `${path}.${process.pid}`;
  try {
    await make(half);
    renameSync(half, path);
  } catch (error) {
    // Another process may have kept the same meanwhile.
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
  return path;
}

/** With its owner, which a copy by Node does not keep. @param {string} from @param {string} to */
export function copy(from, to) {
  const { status, stderr } = spawnSync("cp", ["-a", from, to], { encoding: "utf8" });
  if (status !== 0) throw new Error(`a folder of data was not copied: ${stderr}`);
}
