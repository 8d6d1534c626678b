import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../local/database.mjs";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { copy, kept } from "../kept.mjs";
import { root } from "../runner/paths.mjs";

/** What makes a new database of the local stack. */
const MADE_BY = ["package-lock.json", "local/database.mjs", "supabase/migrations"];
/** What makes the demo in it: who writes its events, who judges and stores them. */
const FILLED_BY = ["local", "pkg", "supabase/functions", "supabase/seed.sql"];

/**
 * Puts a database with every migration and without events into the folder of a stack, as its first start would. Migrating
 * takes the embedded Postgres many seconds; `start.test.mjs` tries it from nothing.
 *
 * @param {string} folder
 */
export async function begun(folder) {
  put(
    await kept(`stack-${digest(MADE_BY)}`, async (path) => {
      await (await openDatabase({ folder: path })).close();
    }),
    folder,
  );
}

/**
 * The same with the demo, as a first start leaves it minutes ago: the demo ends at the moment at which it is made. Making it
 * takes as long as most of what is then tried with it.
 *
 * @param {string} folder
 */
export async function begunWithDemo(folder) {
  const make = async (/** @type {string} */ path) => {
    await begun(path);
    await (await startStack({ folder: path, port: await freePort(), pages: false })).close();
    rmSync(join(path, "stack.log"), { force: true });
  };
  put(await kept(`demo-${digest([...MADE_BY, ...FILLED_BY])}`, make, "quarter"), folder);
}

/** @param {string} data @param {string} folder */
function put(data, folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(data)) copy(join(data, name), join(folder, name));
}

/** Of files, and of all that is in folders. @param {string[]} paths */
function digest(paths) {
  const hash = createHash("sha256");
  for (const path of paths.map((path) => join(root, path))) {
    const within = statSync(path).isDirectory() ? readdirSync(path, { recursive: true }) : [""];
    for (const file of within.map((name) => join(path, String(name))).sort()) {
      if (statSync(file).isFile()) hash.update(file).update(readFileSync(file));
    }
  }
  return hash.digest("hex").slice(0, 32);
}
