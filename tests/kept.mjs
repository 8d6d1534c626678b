/** Folders of data that take seconds to make: made once in a while, since what they hold depends on when, and then copied. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./runner/paths.mjs";

const KEPT = join(root, ".local", "clusters");

const HOUR = 3_600_000;

/**
 * When a folder is made anew: at midnight, or with every quarter of an hour. Midnight of any zone begins such a quarter, so
 * what was made in it is of today wherever it is looked at from.
 *
 * @typedef {"day" | "quarter"} Span
 */
const stamp = (/** @type {Span} */ span, at = Date.now()) =>
  span === "day"
    ? new Date(at).toISOString().slice(0, 10)
    : new Date(at - at % (HOUR / 4)).toISOString().slice(0, 16).replace(":", "-");

/** Those of other days, and the quarters that nobody who began within them copies any more. @param {string} name */
const isOld = (name) =>
  !name.startsWith(stamp("day")) || /^[\d-]+T/.test(name) && name < stamp("quarter", Date.now() - HOUR);

/**
 * The path of a folder that is kept. What is there is copied, and never changed.
 *
 * @param {string} what names all that its contents depend on
 * @param {(path: string) => Promise<void>} make makes the folder
 * @param {Span} [span]
 */
export async function kept(what, make, span = "day") {
  const path = join(KEPT, `${stamp(span)}-${what}`);
  if (existsSync(path)) return path;
  mkdirSync(KEPT, { recursive: true });
  for (const name of readdirSync(KEPT).filter(isOld)) rmSync(join(KEPT, name), { recursive: true, force: true });
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
