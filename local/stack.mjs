import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "./database.mjs";
import { startFunction } from "./function.mjs";
import { createGateway } from "./gateway.mjs";
import { lock } from "./lock.mjs";
import { buildPages, page } from "./pages.mjs";
import { listen } from "./ports.mjs";
import { keepValuesOutOfLogs } from "./quiet.mjs";
import { startScheduler } from "./scheduler.mjs";
import { seed } from "./seed.mjs";
import { defaultFolder, defaultPort, publishableKey, secretKey } from "./settings.mjs";

/**
 * @typedef {object} Stack
 * @property {string} url
 * @property {string} publishableKey
 * @property {string} secretKey
 * @property {import("./database.mjs").Database} database for tests and tools; everybody else goes through `url`
 * @property {() => Promise<void>} close
 *
 * @typedef {object} Options
 * @property {string} [folder] where data is kept
 * @property {number} [port] the exact port; without it, 54321 or the next free one
 * @property {boolean} [reset] forget all data first
 * @property {boolean} [demo] fill a new database with the demo site
 * @property {boolean} [pages] build and serve the pages
 * @property {Record<string, string>} [environment] additions to the function's environment
 * @property {(message: string) => void} [say] is told what is being done
 */

/**
 * The whole system in one process and one child: an embedded Supabase with every migration, the Edge Function
 * under Deno, the pages, and the jobs, on one port.
 *
 * @param {Options} options
 * @returns {Promise<Stack>}
 */
export async function startStack(
  {
    folder = defaultFolder,
    port,
    reset = false,
    demo = true,
    pages = true,
    environment = {},
    say = () => {},
  } = {},
) {
  /** What to undo, last first, when the stack closes or its start fails. @type {(() => unknown)[]} */
  const undo = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const release = lock(folder);
    undo.push(release);
    if (reset) forget(folder);
    keepValuesOutOfLogs();
    const log = logTo(folder);

    /** @type {import("./gateway.mjs").Behind} */
    const behind = {};
    const gateway = createGateway(behind);
    const bound = await listen(gateway, port ?? defaultPort, { exactly: port !== undefined });
    undo.push(() => {
      gateway.closeAllConnections();
      gateway.close();
    });
    const url = `http://127.0.0.1:${bound}`;

    say("starting the database");
    const building = pages ? buildPages(say) : Promise.resolve();
    building.catch(() => {});
    const database = await openDatabase({ folder, siteUrl: url });
    undo.push(() => database.close());
    behind.database = database.fetch;

    // Started only now, because the function asks for the registry as soon as it is up.
    say("starting the function");
    const ingest = startFunction({ url, log, environment: { ...await signing(database), ...environment } });
    undo.push(ingest.stop);
    behind.functionPort = await ingest.ready;
    // The stack asks for the registry first, so that nobody's first event waits for it.
    await fetch(`${url}/functions/v1/ingest/registry`).then((response) => response.arrayBuffer());

    if (demo) await seed({ database, url, say });
    undo.push(startScheduler(database, url, log));
    await building;
    if (pages) behind.page = page;
    return { url, publishableKey, secretKey, database, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A new key at every start: the function knows it, and the database. @param {import("./database.mjs").Database} database */
async function signing(database) {
  const { rows: [made] } = await database.query("select audience_gate.new_signing_key() as key");
  return { AUDIENCE_GATE_SIGNING_KEY: String(made?.key) };
}

/** Removes everything except the lock, which is ours by now. */
function forget(/** @type {string} */ folder) {
  for (const name of ["database", "migrations.json", "stack.log"]) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** @returns {(line: string) => void} */
function logTo(/** @type {string} */ folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "stack.log");
  return (line) => appendFileSync(file, `${new Date().toISOString()} ${line}\n`);
}
