#!/usr/bin/env node
/**
 * The style of the SQL files, and Supabase's own linters on the migrated database: `supabase db push` on a throwaway
 * Postgres, then `db lint` (plpgsql_check) and `db advisors` (splinter). Any fault or warning fails.
 */
import { spawnSync } from "node:child_process";
import { startPostgres } from "../database/postgres.mjs";
import { packageCommand, root } from "./paths.mjs";
import { sqlStyle } from "./sql-style.mjs";

/**
 * Functions that the planner must inline, which it does not do if a function sets a search_path. The names in their
 * bodies are bound when they are created, so no search_path can change what they do; the advisor does not look that
 * far.
 */
const INLINED = [
  ...["fire_key", "session_bucket", "person", "local_hour"],
  ...["part", "micros", "day_number"],
  ...["event_commitment", "event_entry", "event_leaf", "change_commitment", "change_leaf"],
].map((name) => `audience_gate.${name}`);

/** A procedure that commits, which it could not with a search_path. Its body names the schema of everything. */
const COMMITTING = ["audience_gate.run_job_to_the_end"];

const [program, ...script] = packageCommand("supabase");

/**
 * Runs a command of the Supabase CLI on a server.
 *
 * @param {string} url
 * @param {string[]} args
 * @param {"inherit" | "pipe"} output
 */
function supabase(url, args, output = "inherit") {
  console.log(`$ supabase ${args.join(" ")}`);
  return spawnSync(program, [...script, ...args, `--db-url=${url}`, "--yes"], {
    cwd: root,
    stdio: ["ignore", output, "inherit"],
    encoding: "utf8",
  });
}

/** What the advisors warn about, apart from those functions. @param {string} url */
function warnings(url) {
  const { status, stdout } = supabase(url, ["db", "advisors", "--level", "warn", "--output-format", "json"], "pipe");
  if (status !== 0) return ["the advisors could not be asked"];
  /** @type {{ results: { name: string, detail: string, metadata: { schema: string, name: string } }[] }} */
  const { results } = JSON.parse(stdout);
  return results.filter(({ name, metadata }) =>
    name !== "function_search_path_mutable" ||
    ![...INLINED, ...COMMITTING].includes(`${metadata.schema}.${metadata.name}`)
  ).map(({ name, detail }) => `${name}: ${detail}`);
}

// All faults are collected, so that one run shows everything there is to mend.
const faults = sqlStyle();
// Whatever the platform opens by default, the migrations leave nothing open.
for (const openByDefault of [false, true]) {
  const { url, stop } = await startPostgres({ version: 15, cron: true, openByDefault, migrations: [] });
  try {
    if (supabase(url, ["db", "push"]).status !== 0) faults.push("the migrations could not be pushed");
    const linted = openByDefault ||
      supabase(url, ["db", "lint", "--schema", "public,audience_gate", "--fail-on", "warning"]).status === 0;
    if (!linted) faults.push("db lint found the above");
    faults.push(...warnings(url).map((warning) => openByDefault ? `with default privileges: ${warning}` : warning));
  } finally {
    await stop();
  }
}
for (const fault of faults) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);
