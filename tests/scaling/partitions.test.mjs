import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { event, ingest, insert, newSession } from "../database/events.mjs";
import { SCENARIO_VERSIONS, startPostgres } from "../database/postgres.mjs";
import { applyScripts, load, operate, partition } from "./partitioned.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const ordinary = join(here, "..", "..", "supabase", "tests", "database");

/** The one difference, named in SCALING.md: no index of a partitioned table is on the id alone, to name in a conflict. */
const DIFFERENT = /an upsert of recorded ids changes nothing: its rows are skipped$/m;

/** The assertions of a pgTAP file that failed. @param {pg.Client} client @param {string} file */
async function failures(client, file) {
  try {
    const results = [await client.query(readFileSync(file, "utf8"))].flat();
    const lines = results.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row)))
      .filter((value) => typeof value === "string");
    const planned = lines.find((line) => /^1\.\.\d+/.test(line))?.match(/\d+$/)?.[0];
    assert.equal(
      lines.filter((line) => /^(not )?ok \d/.test(line)).length,
      Number(planned),
      `${file}: all of the plan ran`,
    );
    return lines.filter((line) => line.startsWith("not ok") && !DIFFERENT.test(line));
  } finally {
    await client.query("rollback; reset role; reset all");
  }
}

for (const version of SCENARIO_VERSIONS) {
  describe(`the partitioned log on Postgres ${version}`, () => {
    /** @type {import("../database/postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let client;
    /** The last instant of last month. */
    let border = new Date();

    before(async () => {
      postgres = await startPostgres({ version });
      client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      await load(
        client,
        `select gen_random_uuid(), now() - n * interval '1 month', 'a-month-' || n || '-ago', 'page_view', 'engagement',
           'web', '{}' from generate_series(1, 24) n`,
      );
      await partition(client);
      await operate(client, "drop_standby()");
      ({ rows: [{ border }] } = await client.query(
        "select date_trunc('month', now(), 'UTC') - interval '1 second' as border",
      ));
    });
    after(async () => {
      await client.end();
      await postgres.stop();
    });

    it("can have its scripts applied again", async () => {
      await applyScripts(client);
      await operate(client, "fit_functions()");
    });

    it("knows repeats and replays across a month's border", async () => {
      const before_it = event({ session_id: newSession() });
      await load(
        client,
        `select '${before_it.id}', '${border.toISOString()}', '${before_it.session_id}', 'page_view', 'engagement', 'web',
           '{"page_path": "/pricing"}'`,
      );
      const later = (/** @type {number} */ seconds) =>
        event({
          session_id: before_it.session_id,
          occurred_at: new Date(border.getTime() + seconds * 1000).toISOString(),
        });
      await client.query("set role service_role");
      const answer = await ingest(client, [later(2.9), before_it, later(3)]);
      await insert(client, [before_it]);
      await client.query("reset role");
      assert.equal(answer.accepted, 1);
      assert.deepEqual(answer.replayed, [1]);
      assert.deepEqual(
        answer.rejected.map((/** @type {{ index: number, rule_id: string }} */ r) => [r.index, r.rule_id]),
        [[0, "duplicate.double_fire"]],
      );
      const { rows } = await client.query("select 1 from public.audience_events where id = $1", [before_it.id]);
      assert.equal(rows.length, 1);
    });

    it("looks nothing up in months that a repeat cannot be in", async () => {
      const scans = async () => {
        await client.query("select pg_stat_force_next_flush()");
        await client.query("select pg_stat_clear_snapshot()");
        const { rows: [{ sum }] } = await client.query(
          `select sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::int as sum from pg_stat_user_tables
           where schemaname = 'audience_gate_partitions'
             and relname not in (to_char(now() - interval '9 days', '"audience_events_"YYYY_MM'), to_char(now(), '"audience_events_"YYYY_MM'),
               to_char(now() + interval '1 day', '"audience_events_"YYYY_MM'))`,
        );
        return sum;
      };
      await client.query("set role service_role");
      for (let i = 0; i < 10; i++) {
        await ingest(client, [event()]);
        await insert(client, [event()]);
      }
      await client.query("reset role");
      const earlier = await scans();
      await client.query("set role service_role");
      for (let i = 0; i < 10; i++) {
        await ingest(client, [event(), event()]);
        await insert(client, [event(), event()]);
      }
      await client.query("reset role");
      assert.equal(await scans(), earlier);
    });

    it("gives the figures and runs the jobs of any log", async () => {
      const { rows: [{ refreshed }] } = await client.query("select audience_gate.refresh_analytics() as refreshed");
      assert.equal(refreshed.outcome, "ok");
      const { rows } = await client.query(
        "select audience_gate.run_job(name) as run from audience_gate.jobs where name <> 'copy_events'",
      );
      assert.deepEqual(rows.filter(({ run }) => run.outcome !== "succeeded"), []);
    });
  });
}

// pgTAP comes with Debian's Postgres, which is 15.
describe("pgTAP on a partitioned log", () => {
  /** @type {import("../database/postgres.mjs").Postgres} */
  let postgres;
  /** @type {pg.Client} */
  let client;
  before(async () => {
    postgres = await startPostgres({ version: 15 });
    client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await partition(client);
    await operate(client, "drop_standby()");
  });
  after(async () => {
    await client.end();
    await postgres.stop();
  });

  it("every part is closed: partitions.sql", async () => {
    assert.deepEqual(await failures(client, join(here, "partitions.sql")), []);
  });
  for (const name of readdirSync(ordinary).filter((file) => file.endsWith(".sql")).sort()) {
    it(`is like any log: ${name}`, async () => {
      assert.deepEqual(await failures(client, join(ordinary, name)), []);
    });
  }
});
