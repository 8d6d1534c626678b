/**
 * What a database is before a test begins: made once, kept under `.local/clusters`, and copied. Making it takes seconds, most
 * of them for the migrations, and tests begin with it more than a hundred times.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { root } from "../runner/paths.mjs";
import { asClient, initialise, serve, serverUser } from "./server.mjs";

/** @typedef {import("./server.mjs").Version} Version */
/** @typedef {{ version: Version, settings: Record<string, string | number>, openByDefault: boolean, cron: boolean, migrations: string[] }} Beginning */

const KEPT = join(root, ".local", "clusters");
const PLATFORM = join(root, "tests", "runner", "platform.sql");
const OPEN_BY_DEFAULT = join(root, "tests", "runner", "default_privileges.sql");

/** A new folder whose server begins so: the data is in `data`. @param {Beginning} beginning */
export async function beginning(beginning) {
  const kept = join(KEPT, nameOf(beginning));
  if (!existsSync(kept)) await keep(beginning, kept);
  const folder = newFolder(beginning.version);
  copy(kept, join(folder, "data"));
  return folder;
}

/** A day and all that the data depends on: what a migration makes may depend on the day too. @param {Beginning} beginning */
function nameOf({ migrations, ...how }) {
  const hash = createHash("sha256").update(JSON.stringify([how, migrations, serverUser()]));
  for (const file of [PLATFORM, OPEN_BY_DEFAULT, ...migrations]) hash.update(readFileSync(file));
  return `${today()}-${hash.digest("hex").slice(0, 32)}`;
}

const today = () => new Date().toISOString().slice(0, 10);

/** @param {Beginning} beginning @param {string} kept */
async function keep(beginning, kept) {
  const { version, settings, openByDefault, cron, migrations } = beginning;
  mkdirSync(KEPT, { recursive: true });
  for (const name of readdirSync(KEPT).filter((name) => !name.startsWith(today()))) {
    rmSync(join(KEPT, name), { recursive: true, force: true });
  }
  const folder = newFolder(version);
  const half = `${kept}.${process.pid}`;
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
    copy(data, half);
    renameSync(half, kept);
  } catch (error) {
    // Another process may have kept the same meanwhile.
    if (!existsSync(kept)) throw error;
  } finally {
    rmSync(half, { recursive: true, force: true });
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

/** With its owner, which a copy by Node does not keep. @param {string} from @param {string} to */
function copy(from, to) {
  const { status, stderr } = spawnSync("cp", ["-a", from, to], { encoding: "utf8" });
  if (status !== 0) throw new Error(`a folder of data was not copied: ${stderr}`);
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
