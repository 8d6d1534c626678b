#!/usr/bin/env node
/**
 * Runs supabase/tests/database/*.sql after all migrations: `pgtap.mjs postgres` with pg_prove on a throwaway
 * server, `pgtap.mjs pglite` on the embedded Postgres of the local stack. Prints TAP.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../local/database.mjs";
import { startPostgres } from "../database/postgres.mjs";
import { root } from "./paths.mjs";

const folder = join(root, "supabase", "tests", "database");
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".sql"))
  .sort();

async function onPostgres() {
  const postgres = await startPostgres({ version: 15, cron: true });
  try {
    const { status } = spawnSync("pg_prove", ["--verbose", ...files.map((name) => join(folder, name))], {
      stdio: "inherit",
      env: { ...process.env, ...connection(postgres.url) },
    });
    return status ?? 1;
  } finally {
    await postgres.stop();
  }
}

/** The address as variables for psql, because pg_prove passes it no address. */
function connection(/** @type {string} */ url) {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: username,
    PGPASSWORD: password,
    PGDATABASE: pathname.slice(1),
  };
}

async function onPglite() {
  const { pgtap } = await import("@electric-sql/pglite/pgtap");
  const database = await openDatabase({ extensions: { pgtap } });
  await database.exec(
    "create schema if not exists extensions; create extension if not exists pgtap with schema extensions",
  );
  let failed = false;
  for (const name of files) {
    console.log(`# ${name}`);
    // As in a project, pgTAP is found without its schema's name, and each file runs in a transaction that is rolled
    // back.
    await database.exec(
      'reset all; set search_path = "$user", public, extensions',
    );
    try {
      const results = await database.exec(
        readFileSync(join(folder, name), "utf8"),
      );
      const lines = results.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row))).filter((value) =>
        typeof value === "string"
      ).join("\n");
      console.log(lines);
      if (!complete(lines)) {
        failed = true;
        console.log(`not ok 0 ${name}: fewer or more tests ran than planned`);
      }
      if (/^not ok\b(?!.*# (todo|skip))/im.test(lines)) failed = true;
    } catch (error) {
      failed = true;
      console.log(`not ok 0 ${name}: ${/** @type {Error} */ (error).message}`);
    }
    await database.exec("rollback; reset role");
  }
  await database.close();
  return failed ? 1 : 0;
}

/** Whether as many tests ran as the file planned. */
function complete(/** @type {string} */ lines) {
  const plan = lines.match(/^1\.\.(\d+)/m);
  const ran = [...lines.matchAll(/^(?:not )?ok \d+/gm)].length;
  return plan !== null && Number(plan[1]) === ran;
}

const engine = process.argv[2];
if (engine !== "postgres" && engine !== "pglite") {
  console.error("usage: pgtap.mjs postgres|pglite");
  process.exit(2);
}
process.exit(await (engine === "postgres" ? onPostgres() : onPglite()));
