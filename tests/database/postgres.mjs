import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { size } from "../long.mjs";
import { root } from "../runner/paths.mjs";
import { beginning, migrate as apply } from "./beginning.mjs";
import { asClient, serve } from "./server.mjs";

export { asClient } from "./server.mjs";

/** The versions of which a real server is available: 15 from `PG_BIN` or Debian's package, 17 from npm. */
export const VERSIONS = /** @type {const} */ ([15, 17]);

/**
 * Those on which a scenario runs, in which users, jobs and operators act in turn: in the short form the later alone. Of what
 * a version can do otherwise, the verdicts, the meaning of schemas, the plans, the rights, the whole of pgTAP and every
 * upgrade are tried on both at every change.
 */
export const SCENARIO_VERSIONS = size({ short: VERSIONS.slice(-1), long: VERSIONS.slice() });

/**
 * @typedef {object} Options
 * @property {15 | 17} [version]
 * @property {Record<string, string | number>} [settings] server settings beyond the ones below
 * @property {boolean} [cron] whether pg_cron is there before the first migration, as on a hosted project
 * @property {boolean} [openByDefault] whether new objects in schema public are open to every role of the API, as in
 * projects that Supabase set up before 2026
 * @property {string[]} [migrations] the files to apply, in order; every migration of the repository by default
 * @property {Record<string, string>} [environment] what the server is started with beside this process's
 *
 * @typedef {object} Postgres
 * @property {string} url as the role that migrations run as on a hosted project: createrole and bypassrls, but not a
 * superuser
 * @property {string} adminUrl as the superuser
 * @property {string} logFile the server's log
 * @property {() => Promise<void>} stop ends the server and deletes its data
 */

/** The settings with which a server that can have pg_cron is started. */
const PRELOADED = {
  shared_preload_libraries: "pg_cron",
  "cron.database_name": "postgres",
  "cron.use_background_workers": "on",
};

/** The keys with which batches for the servers of this process are signed, by port. @type {Map<string, string | null>} */
export const signingKeys = new Map();

/** Makes a key as an install does; null before 0.2.0. @param {import("pg").Client} client @returns {Promise<string | null>} */
async function newSigningKey(client) {
  const { rows: [{ known }] } = await client.query(
    "select to_regproc('audience_gate.new_signing_key') is not null as known",
  );
  if (!known) return null;
  const { rows: [{ key }] } = await client.query("select audience_gate.new_signing_key() as key");
  return key;
}

/** All migrations of this repository, in order. */
export function migrationFiles() {
  const folder = join(root, "supabase", "migrations");
  return readdirSync(folder).filter((name) => name.endsWith(".sql")).sort().map(
    (name) => join(folder, name),
  );
}

/**
 * A throwaway real Postgres on loopback with what a Supabase project has before its first migration
 * (tests/runner/platform.sql), and the migrations applied.
 *
 * @param {Options} [options] @returns {Promise<Postgres>}
 */
export async function startPostgres(
  {
    version = 17,
    settings = {},
    cron = false,
    openByDefault = false,
    migrations = migrationFiles(),
    environment = {},
  } = {},
) {
  const all = { ...(cron ? PRELOADED : {}), ...settings };
  const folder = await beginning({ version, settings: all, openByDefault, cron, migrations });
  const { url, adminUrl, logFile, end } = await serve(version, folder, all, environment);
  const stop = async () => {
    await end("SIGQUIT");
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await asClient(url, async (client) => {
      signingKeys.set(new URL(url).port, await newSigningKey(client));
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, adminUrl, logFile, stop };
}

/** Applies files in order, each in a transaction of its own. @param {import("pg").Client} client @param {string[]} [files] */
export function migrate(client, files = migrationFiles()) {
  return apply(client, files);
}
