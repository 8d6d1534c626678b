/**
 * What a database is before a test begins: made once, kept, and copied. Making it takes seconds, most of them for the
 * migrations, and tests begin with it more than a hundred times.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { copy, kept } from "../kept.mjs";
import { root } from "../runner/paths.mjs";
import { asClient, initialise, serve, serverUser } from "./server.mjs";

/** @typedef {import("./server.mjs").Version} Version */
/** @typedef {{ version: Version, settings: Record<string, string | number>, openByDefault: boolean, cron: boolean, migrations: string[] }} Beginning */

const PLATFORM = join(root, "tests", "runner", "platform.sql");
const OPEN_BY_DEFAULT = join(root, "tests", "runner", "default_privileges.sql");

/** A new folder whose server begins so: the data is in `data`. @param {Beginning} beginning */
export async function beginning(beginning) {
  const data = await kept(nameOf(beginning), (path) => make(beginning, path));
  const folder = newFolder(beginning.version);
  copy(data, join(folder, "data"));
  return folder;
}

/** All that the data depends on. @param {Beginning} beginning */
function nameOf({ migrations, ...how }) {
  const hash = createHash("sha256").update(JSON.stringify([how, migrations, serverUser()]));
  for (const file of [PLATFORM, OPEN_BY_DEFAULT, ...migrations]) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 32);
}

/** @param {Beginning} beginning @param {string} path */
async function make({ version, settings, openByDefault, cron, migrations }, path) {
  const folder = newFolder(version);
  try {
    const data = join(folder, "data");
    initialise(version, data);
    const { url, adminUrl, end } = await serve(version, folder, settings);
    try {
      await asClient(adminUrl, async (client) => {
        await client.query(platform(await available(client, cron)));
        if (openByDefault) await client.query(readFileSync(OPEN_BY_DEFAULT, "utf8"));
      });
      await asClient(url, (client) => migrate(client, migrations));
    } catch (error) {
      await end("SIGQUIT");
      throw error;
    }
    await end("SIGINT");
    copy(data, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Version} version */
function newFolder(version) {
  const folder = mkdtempSync(join(tmpdir(), `audience-gate-pg${version}-`));
  chmodSync(folder, 0o711);
  const { uid, gid } = serverUser();
  if (uid !== undefined) spawnSync("chown", [`${uid}:${gid}`, folder]);
  return folder;
}

/** Applies files in order, each in a transaction of its own. @param {import("pg").Client} client @param {string[]} files */
export async function migrate(client, files) {
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

/**
 * The extensions to create: all that the server has, but pg_cron only if it was asked for.
 *
 * @param {import("pg").Client} client @param {boolean} cron @returns {Promise<Set<string>>}
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
  return readFileSync(PLATFORM, "utf8")
    .split("\n")
    .filter((line) => {
      const extension = line.match(/^create extension (\w+)/)?.[1];
      if (extension) return extensions.has(extension);
      return extensions.has("pg_cron") || !/\bschema cron\b/.test(line);
    })
    .join("\n");
}
