/**
 * What a team would run instead of the figures: the same questions put to the events, kept as a materialized view for each that is
 * refreshed as a whole, and asked of an archive by DuckDB.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { applyArchive, gate } from "../tests/scaling/archived.mjs";
import { pythonOf } from "../tests/runner/python.mjs";
import { median } from "./analytics_report.mjs";
import { PLAIN, SITE } from "./analytics_site.mjs";

/** @typedef {import("./analytics_report.mjs").Instead} Instead */
/** @typedef {import("./analytics_report.mjs").Archived} Archived */

const ROUNDS = 3;

/** @param {import("pg").Client} client a superuser's @param {string} url */
export async function instead(client, url) {
  const asked = Object.fromEntries(
    Object.entries(PLAIN).map(([name, text]) => [name, text.replaceAll("$1", `'${SITE}'`)]),
  );
  const { archived, answers } = await overArchive(client, url, asked);
  /** @type {Instead[]} */
  const rows = [];
  for (const [name, text] of Object.entries(asked)) {
    const plain = await timed(client, text);
    const { fields } = await client.query(`select * from (${text}) q limit 0`);
    const columns = fields.map((_, index) => `c${index}`).join(", ");
    await client.query(`create materialized view public.instead (${columns}) as ${text}`);
    rows.push({
      name,
      plain,
      refresh: await timed(client, "refresh materialized view public.instead"),
      view: await timed(client, "select * from public.instead"),
      duckdb: answers[name] ?? NaN,
    });
    await client.query("drop materialized view public.instead");
  }
  return { rows, archived };
}

/** @param {import("pg").Client} client @param {string} text */
async function timed(client, text) {
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now();
    await client.query(text);
    times.push(performance.now() - from);
  }
  return median(times);
}

/** @param {import("pg").Client} client @param {string} url @param {Record<string, string>} asked @returns {Promise<{ archived: Archived, answers: Record<string, number> }>} */
async function overArchive(client, url, asked) {
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-instead-"));
  try {
    await applyArchive(client);
    const from = performance.now();
    const { status, stderr } = gate(url, "archive", folder);
    if (status !== 0) throw new Error(`archive: ${stderr}`);
    const seconds = (performance.now() - from) / 1000;
    const { rows: types } = await client.query({
      text: "select id, category, tier from public.audience_event_types",
      rowMode: "array",
    });
    const run = spawnSync(pythonOf("parquet"), [
      fileURLToPath(new URL("duckdb_archive.py", import.meta.url)),
      folder,
      JSON.stringify(types),
      JSON.stringify(Object.fromEntries(Object.entries(asked).map(([name, text]) => [name, inDuckDb(text)]))),
    ], { encoding: "utf8" });
    if (run.status !== 0) throw new Error(`DuckDB: ${run.stderr}`);
    const { version, rows, answers } = JSON.parse(run.stdout);
    return { archived: { seconds, rows, version, bytes: sizeOf(folder) }, answers };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same question as DuckDB writes it. @param {string} text */
const inDuckDb = (text) =>
  text.replaceAll("public.", "").replace(
    /percentile_cont\(array(\[.*?\])\) within group \(order by (.*?)\)\n/,
    "quantile_cont($2, $1)\n",
  );

/** @param {string} folder @returns {number} */
function sizeOf(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
