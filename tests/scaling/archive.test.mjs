import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import pg from "pg";
import { SCENARIO_VERSIONS } from "../database/postgres.mjs";
import { applyArchive, begin, gate, monthBefore, readElsewhere, record, rowsOf } from "./archived.mjs";
import { useLog } from "./log.mjs";

const ROWS = 2500;

/** @param {string} archive @param {string} month */
const manifestOf = (archive, month) => JSON.parse(readFileSync(join(archive, month, "_manifest.json"), "utf8"));

for (const version of SCENARIO_VERSIONS) {
  describe(`audience-gate archive on Postgres ${version}`, () => {
    /** @type {string[]} this month and the ones before */
    const months = [];
    const log = useLog(async ({ client }) => {
      for (const ago of [0, 1, 2, 3, 4]) months.push(await monthBefore(client, ago));
      await record(client, 3, ROWS);
    }, { version });
    const { folder } = log;
    const archive = join(folder, "log");

    it("says what to do where the script is missing, or the URL", () => {
      const without = gate(log.url, "archive", archive);
      assert.equal(without.status, 2);
      assert.match(without.stderr, /apply supabase\/scaling\/archive\.sql/);
      const nowhere = gate("", "archive", archive);
      assert.equal(nowhere.status, 2);
      assert.match(nowhere.stderr, /DATABASE_URL is not set/);
      const secret = gate("postgresql://postgres:hunter2@127.0.0.1:notaport/x", "archive", archive);
      assert.equal(secret.status, 2);
      assert.ok(!secret.stderr.includes("hunter2"));
    });

    it("archives the closed months and no others", async () => {
      await applyArchive(log.client);
      await applyArchive(log.client);
      await log.client.query(
        `insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
         values ('this-month', 'page_view', 'engagement', 'web', '{"page_path": "/"}')`,
      );
      const ran = gate(log.url, "archive", archive, "--keep", "1", "--file-rows", "1000");
      assert.deepEqual([ran.status, ran.stderr], [0, ""]);
      assert.deepEqual(readdirSync(archive).sort(), [months[3], months[2]]);
      assert.equal(gate(log.url, "archive", archive, "--file-rows", "1000").status, 0);
      assert.deepEqual(readdirSync(archive).sort(), [months[3], months[2], months[1]]);
      const open = gate(log.url, "archive", archive, "--month", months[0]);
      assert.equal(open.status, 2);
      assert.match(open.stderr, /is open/);
      assert.equal(gate(log.url, "archive", archive, "--month", months[4]).status, 2);
    });

    it("says in the manifest what is in the archive", async () => {
      const manifest = manifestOf(archive, months[2]);
      const { rows: [{ contract }] } = await log.client.query(
        "select audience_gate.contract_fingerprint() as contract",
      );
      assert.equal(manifest.schema_version, 2);
      assert.equal(manifest.month, months[2]);
      assert.equal(manifest.contract, contract);
      assert.equal(manifest.rows, ROWS);
      assert.deepEqual(manifest.files.map((/** @type {{ rows: number }} */ file) => file.rows), [1000, 1000, 500]);
      const times = await rowsOf(log.client, months[2]);
      const micros = (/** @type {string} */ time) => Date.parse(time) * 1000 + Number(time.slice(-4, -1));
      assert.equal(micros(manifest.first_created_at), times[0][1]);
      assert.equal(micros(manifest.files[2].last_created_at), times[ROWS - 1][1]);
    });

    it("is read by pyarrow and DuckDB, value for value", async () => {
      const files = manifestOf(archive, months[1]).files.map((/** @type {{ name: string }} */ file) =>
        join(archive, months[1], file.name)
      );
      const { arrow, duckdb } = readElsewhere(files);
      const stored = await rowsOf(log.client, months[1]);
      assert.equal(stored.length, ROWS);
      assert.deepEqual(arrow.rows, stored);
      assert.deepEqual(duckdb.rows, stored);
      assert.equal(arrow.types.created_at, "timestamp[us, tz=UTC]");
      assert.equal(arrow.types.rejected, "bool");
      assert.equal(duckdb.types.created_at, "TIMESTAMP WITH TIME ZONE");
      assert.equal(duckdb.types.metadata, "JSON");
      assert.equal(duckdb.types.id, "VARCHAR");
    });

    it("does not write again what is already archived", () => {
      const written = statSync(join(archive, months[2], "_manifest.json")).mtimeMs;
      const again = gate(log.url, "archive", archive, "--verify");
      assert.equal(again.status, 0);
      assert.match(again.stdout, new RegExp(`${months[2]} is archived: ${ROWS} rows`));
      assert.equal(statSync(join(archive, months[2], "_manifest.json")).mtimeMs, written);
    });

    it("begins again with a month in which it was killed", async () => {
      rmSync(join(archive, months[2]), { recursive: true });
      const left = join(archive, `${months[2]}.partial`);
      mkdirSync(left);
      writeFileSync(join(left, "events-00001.parquet"), "half a file");
      const killed = begin(log.url, "archive", archive);
      killed.kill("SIGKILL");
      await new Promise((resolve) => killed.once("exit", resolve));
      assert.equal(gate(log.url, "archive", archive).status, 0);
      assert.ok(!existsSync(left));
      assert.equal(manifestOf(archive, months[2]).rows, ROWS);
    });

    it("reports a damaged file and a month that has changed", async () => {
      appendFileSync(join(archive, months[3], "events-00001.parquet"), "x");
      const damaged = gate(log.url, "archive", archive);
      assert.equal(damaged.status, 1);
      assert.match(damaged.stderr, new RegExp(`${months[3]} is damaged.*SHA-256`));
      assert.equal(gate(log.url, "archive", archive, "--again").status, 0);

      // There are as many rows as before, but one value has changed.
      const admin = new pg.Client({ connectionString: log.adminUrl });
      await admin.connect();
      await admin.query("set session_replication_role = replica");
      const { rowCount } = await admin.query(
        `update public.audience_events set utm_medium = null where id = (
           select id from public.audience_events where to_char(created_at at time zone 'UTC', 'YYYY-MM') = $1 and utm_medium = '' limit 1)`,
        [months[3]],
      );
      await admin.end();
      assert.equal(rowCount, 1);
      assert.equal(gate(log.url, "archive", archive).status, 0);
      const changed = gate(log.url, "archive", archive, "--verify");
      assert.equal(changed.status, 1);
      assert.match(changed.stderr, /has changed since it was archived/);
      assert.equal(gate(log.url, "archive", archive, "--verify", "--again").status, 0);
      assert.equal(gate(log.url, "archive", archive, "--verify").status, 0);
    });

    it("refuses a log with a column that it would lose", async () => {
      await log.client.query("alter table public.audience_events add column colour text");
      const ran = gate(log.url, "archive", join(folder, "other"));
      await log.client.query("alter table public.audience_events drop column colour");
      assert.equal(ran.status, 2);
      assert.match(ran.stderr, /would lose: colour/);
    });
  });
}
