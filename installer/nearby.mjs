/** Where else a project of Supabase may be: in a folder of a monorepo, or around a folder of the project itself. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** A monorepo has its applications in `apps/web`, `packages/api` and the like; deeper is somebody else's. */
const DEPTH = 3;

/** The folders near this one that have a file, as they are named from here. @param {string} folder @param {string} file */
export function nearby(folder, file) {
  const here = resolve(folder);
  const has = (/** @type {string} */ path) => existsSync(join(path, file));
  for (let above = dirname(here), below = here; above !== below; below = above, above = dirname(above)) {
    if (has(above)) return [relative(here, above)];
  }
  return within(here, DEPTH).filter(has).map((path) => relative(here, path));
}

/** @param {string} folder @param {number} depth @returns {string[]} */
function within(folder, depth) {
  if (depth === 0) return [];
  return folders(folder).flatMap((path) => [path, ...within(path, depth - 1)]);
}

/** @param {string} folder */
function folders(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
      .map(({ name }) => join(folder, name)).sort();
  } catch {
    // Not one that this user may read.
    return [];
  }
}
