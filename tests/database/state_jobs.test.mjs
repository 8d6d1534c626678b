/** Jobs and replays when several happen at once, and pg_cron itself, on a real Postgres. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { asClient, startPostgres } from "./postgres.mjs";
import { until } from "../until.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const MEMBER = "00000000-0000-4000-8000-000000000011";

/** @param {import("pg").Client} client @param {string} sql @param {unknown[]} [values] */
const value = async (client, sql, values) => Object.values((await client.query(sql, values)).rows[0] ?? {})[0];

describe("jobs", () => {
  /** @type {import("./postgres.mjs").Postgres} */
  let postgres;
  before(async () => {
    postgres = await startPostgres({
      version: 15,
      settings: {
        shared_preload_libraries: "pg_cron",
        "cron.database_name": "postgres",
        "cron.use_background_workers": "on",
      },
    });
  });
  after(() => postgres.stop());

  test("two runs of one job never overlap", async () => {
    await asClient(postgres.url, (client) =>
      client.query(`
        create function audience_gate.slow_job() returns jsonb language sql as $$ select jsonb_build_object('slept', pg_sleep(0.5)::text) $$;
        insert into audience_gate.jobs (name, description, schedule, action) values ('slow', 'of this test', '0 0 1 1 *', 'slow_job')`));
    const outcomes = await Promise.all(
      Array.from(
        { length: 6 },
        () => asClient(postgres.url, (client) => value(client, "select audience_gate.run_job('slow') ->> 'outcome'")),
      ),
    );
    assert.deepEqual(outcomes.sort(), ["skipped", "skipped", "skipped", "skipped", "skipped", "succeeded"]);
    const logged = await asClient(
      postgres.url,
      (client) =>
        value(
          client,
          "select string_agg(outcome, ' ' order by outcome) from audience_gate.job_runs where job = 'slow'",
        ),
    );
    assert.equal(logged, "skipped skipped skipped skipped skipped succeeded");
  });

  test("where pg_cron is missing, the jobs say so and can be run from outside", async () => {
    await asClient(postgres.url, async (client) => {
      assert.deepEqual(await value(client, "select audience_gate.schedule_jobs()"), { pg_cron: false });
      await client.query("update audience_gate.jobs set created_at = now() - interval '2 hours'");
      const ran =
        /** @type {{ job: string, outcome: string }[]} */ (await value(client, "select audience_gate.run_due_jobs()"));
      assert.ok(ran.length >= 3);
      assert.deepEqual(ran.filter(({ outcome }) => outcome !== "succeeded"), []);
    });
  });

  test("pg_cron follows the table, and derives states by itself", { timeout: 150_000 }, async () => {
    await asClient(
      postgres.adminUrl,
      (client) =>
        client.query(
          "create extension pg_cron; grant usage on schema cron to postgres; grant all on all tables in schema cron to postgres",
        ),
    );
    await asClient(postgres.url, async (client) => {
      const scheduled = () =>
        value(
          client,
          "select string_agg(jobname || ' ' || schedule, ', ' order by jobname) from cron.job where jobname like '%derive%' or jobname like '%slow%'",
        );
      await client.query("update audience_gate.jobs set schedule = '* * * * *' where name = 'derive_states'");
      assert.equal(await scheduled(), null, "nothing is scheduled before it is enabled");
      await client.query("select audience_gate.enable_jobs()");
      assert.equal(await scheduled(), "audience-gate:derive_states * * * * *, audience-gate:slow 0 0 1 1 *");
      await client.query("update audience_gate.jobs set schedule = '*/2 * * * *' where name = 'derive_states'");
      assert.equal(await scheduled(), "audience-gate:derive_states */2 * * * *, audience-gate:slow 0 0 1 1 *");
      await client.query("update audience_gate.jobs set active = false where name = 'slow'");
      const command = await value(client, "select command from cron.job where jobname = 'audience-gate:slow'");
      assert.deepEqual(
        (await client.query(String(command))).rows,
        [],
        "what is switched off stays scheduled and is not run",
      );
      await client.query("update audience_gate.jobs set schedule = '* * * * *' where name = 'derive_states'");

      await client.query("truncate audience_gate.job_runs");
      await client.query(
        `insert into public.audience_events (user_id, session_id, event_type, event_category, event_source, metadata)
         values ($1, 'session-of-test', 'page_view', 'engagement', 'test', '{"page_path": "/"}')`,
        [MEMBER],
      );
      const stateOf = "select current_state from public.audience_site_state where user_id = $1";
      await until(async () => await value(client, stateOf, [MEMBER]) === "S0", "pg_cron derived the state", 130);
      assert.equal(
        await value(client, "select outcome from audience_gate.job_runs where job = 'derive_states' limit 1"),
        "succeeded",
      );

      await client.query("select audience_gate.disable_jobs()");
      await client.query("update audience_gate.jobs set schedule = '*/3 * * * *' where name = 'derive_states'");
      assert.equal(await scheduled(), null);
    });
  });
});

test("replays at the same time record each event once", async () => {
  const postgres = await startPostgres();
  try {
    await asClient(postgres.url, async (client) => {
      await client.query(
        `insert into public.audience_events (id, session_id, event_type, event_category, event_source, metadata)
         select gen_random_uuid(), 'session-' || number, 'brand_new', 'engagement', 'web', '{"page_path": "/"}'
         from generate_series(10, 309) as number`,
      );
      await client.query(
        "insert into public.audience_event_types (id, category, tier, description) values ('brand_new', 'engagement', 'consumer', 'of this test')",
      );
    });
    const answers = await Promise.all(Array.from({ length: 6 }, () =>
      asClient(postgres.url, async (client) => {
        await client.query("set role service_role");
        let accepted = 0;
        for (;;) {
          const answer = /** @type {{ accepted: number }} */ (await value(
            client,
            "select public.audience_replay(max_events => 40)",
          ));
          accepted += answer.accepted;
          if (answer.accepted === 0) return accepted;
        }
      })));
    assert.equal(answers.reduce((sum, accepted) => sum + accepted, 0), 300);
    const counts = await asClient(
      postgres.url,
      async (client) =>
        (await client.query(
          `select count(*) filter (where rejected)::int as rejected, count(*) filter (where not rejected)::int as accepted,
        (select count(distinct event_id)::int from public.audience_event_replays) as linked from public.audience_events where site_id = $1`,
          [SITE],
        )).rows[0],
    );
    assert.deepEqual(counts, { rejected: 300, accepted: 300, linked: 300 });
  } finally {
    await postgres.stop();
  }
});
