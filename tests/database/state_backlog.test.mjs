/**
 * Members who wait in great numbers, with the statistics of an empty database: whoever is new does not wait behind them, and
 * the steps down that are due are taken within minutes. `npm test -- --long` has a million members, and `BACKLOG_MEMBERS` any
 * other number.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { arrival, BROKEN, EVENTS, fill, MISDATED, newcomer, RULE } from "./backlog.mjs";
import { asClient, startPostgres } from "./postgres.mjs";
import { size } from "../long.mjs";

const MEMBERS = Number(process.env.BACKLOG_MEMBERS ?? size({ short: 4_000, long: 1_000_000 }));
/** How many of them have been away for so long that a step down is due. */
const AWAY = Math.min(MEMBERS / 2, 200_000);
const CHUNK = Math.min(MEMBERS, 20_000);

/** @type {import("./postgres.mjs").Postgres} */
let postgres;
before(async () => {
  postgres = await startPostgres({ settings: { autovacuum: "off", max_wal_size: "8GB", shared_buffers: "512MB" } });
});
after(() => postgres.stop());

const value = async (/** @type {pg.Client} */ client, /** @type {string} */ sql) =>
  Object.values((await client.query(sql)).rows[0] ?? {})[0];

/** Runs a job as pg_cron would, again and again, until told to stop. */
function worker(/** @type {string} */ job) {
  let goesOn = true;
  const work = asClient(postgres.url, async (client) => {
    while (goesOn) await client.query(`call audience_gate.run_job_to_the_end('${job}', 5)`);
  });
  return {
    /** Fails if the work has failed. */
    wait: () => Promise.race([work, pause(50)]),
    stop() {
      goesOn = false;
      return work;
    },
  };
}

/** A derivation that is killed in the middle of its work, again and again. */
async function victim(/** @type {() => boolean} */ goesOn) {
  while (goesOn()) {
    const client = new pg.Client({ connectionString: postgres.url });
    client.on("error", () => {});
    await client.connect();
    const pid = await value(client, "select pg_backend_pid()");
    const work = client.query("call audience_gate.run_job_to_the_end('derive_states')").catch(() => {});
    await pause(500);
    await asClient(postgres.adminUrl, (admin) => admin.query("select pg_terminate_backend($1)", [pid]));
    await work;
    await client.end().catch(() => {});
  }
}

test(`whoever is new has a state at once, while ${MEMBERS} members wait`, { timeout: 7_200_000 }, async (t) => {
  await asClient(postgres.url, async (client) => {
    await client.query("set role audience_gate_store");
    for (let first = 1; first <= MEMBERS; first += CHUNK) {
      await client.query(fill(first, Math.min(first + CHUNK - 1, MEMBERS), AWAY));
    }
    await client.query("reset role");
    await client.query(
      `update audience_gate.jobs set settings = '{"batch_size": 500, "max_seconds": 1}' where name = 'derive_states'`,
    );

    const begun = performance.now();
    const derivation = worker("derive_states");
    let waiting = true;
    const killed = MEMBERS < 100_000 ? victim(() => waiting) : undefined;
    const waits = [];
    let left = MEMBERS;
    for (let number = 1; left > 0; number++) {
      const id = newcomer(number);
      const arrived = performance.now();
      await client.query(arrival(id));
      while (!await value(client, `select true from public.audience_site_state where user_id = '${id}'`)) {
        await derivation.wait();
      }
      waits.push(performance.now() - arrived);
      left = Number(await value(client, "select count(*) from audience_gate.state_pending"));
      if (number === 1) assert.ok(left > MEMBERS / 3, `${left} were left when the first newcomer had a state`);
    }
    waiting = false;
    await killed;
    await derivation.stop();
    const seconds = (performance.now() - begun) / 1000;
    const longest = Math.max(...waits) / 1000;
    t.diagnostic(
      `${MEMBERS * EVENTS} events in ${seconds.toFixed(0)} s; ${waits.length} newcomers waited ${
        longest.toFixed(1)
      } s at most`,
    );
    assert.ok(longest < 120, `a newcomer waited ${longest} s`);
    assert.ok(seconds < 1800, `the backlog took ${seconds} s`);
    assert.equal(await value(client, "select count(*)::int from public.audience_site_state"), MEMBERS + waits.length);
    assert.equal(await value(client, BROKEN), 0, "chains that are broken");
  });
});

test(`${AWAY} steps down that are due are taken, and dated when they were due`, { timeout: 7_200_000 }, async (t) => {
  await asClient(postgres.url, async (client) => {
    const taken =
      `select count(*)::int from public.audience_state_events where rule_id = '${RULE}' and site_id is not null`;
    const begun = performance.now();
    const workers = [worker("sweep_inactivity"), worker("derive_states")];
    while (Number(await value(client, taken)) < AWAY) await Promise.all(workers.map(({ wait }) => wait()));
    const seconds = (performance.now() - begun) / 1000;
    await Promise.all(workers.map(({ stop }) => stop()));
    t.diagnostic(`${AWAY} steps in ${seconds.toFixed(0)} s`);
    assert.ok(seconds < 600, `${seconds} s`);
    assert.equal(await value(client, taken), AWAY);
    assert.equal(await value(client, MISDATED), 0);
    assert.equal(await value(client, BROKEN), 0, "chains that are broken");
  });
});
