#!/usr/bin/env node
/**
 * Supabase's own linters on the migrated database: `supabase db push` on a throwaway Postgres, then `db lint`
 * (plpgsql_check) and `db advisors` (splinter). Any warning fails.
 */
import { spawnSync } from "node:child_process";
import { startPostgres } from "../database/postgres.mjs";
import { packageCommand, root } from "./paths.mjs";

const postgres = await startPostgres({ version: 15, cron: true, migrations: [] });
const [program, ...script] = packageCommand("supabase");
const supabase = (/** @type {string[]} */ args) => {
  console.log(`$ supabase ${args.join(" ")}`);
  const { status } = spawnSync(program, [...script, ...args, `--remote=${postgres.url}`, "--yes"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  return status === 0;
};

const steps = [
  ["db", "push"],
  ["db", "lint", "--schema", "public,audience_gate", "--fail-on", "warning"],
  ["db", "advisors", "--fail-on", "warn"],
];
let clean = true;
try {
  // All of them, so that one run shows everything there is to mend.
  for (const step of steps) clean = supabase(step) && clean;
} finally {
  await postgres.stop();
}
process.exit(clean ? 0 : 1);
