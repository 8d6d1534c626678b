import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../local/database.mjs";
import { copy, kept } from "../kept.mjs";
import { root } from "../runner/paths.mjs";

/** What makes a new database of the local stack. */
const migrations = join(root, "supabase", "migrations");
const MADE_BY = ["package-lock.json", "local/database.mjs"].map((path) => join(root, path));

/**
 * Puts a database with every migration and without events into the folder of a stack, as its first start would. Migrating
 * takes the embedded Postgres many seconds; `start.test.mjs` tries it from nothing.
 *
 * @param {string} folder
 */
export async function begun(folder) {
  const hash = createHash("sha256");
  for (const file of [...MADE_BY, ...readdirSync(migrations).map((name) => join(migrations, name))]) {
    hash.update(file).update(readFileSync(file));
  }
  const data = await kept(`stack-${hash.digest("hex").slice(0, 32)}`, async (path) => {
    await (await openDatabase({ folder: path })).close();
  });
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(data)) copy(join(data, name), join(folder, name));
}
