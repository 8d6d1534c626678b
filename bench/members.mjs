#!/usr/bin/env node
/**
 * How long a backlog takes until everybody in it has a state: `npm run bench:members`, with `-- MEMBERS` at another size. Ten
 * events wait for each member, in a database that has the statistics of an empty one and gets no others. While the job works
 * them off, people who are new go on to arrive. Then a step down is due for a fifth of the members: the sweep finds them, and
 * the derivation takes the steps. The jobs run as pg_cron runs them: begun at a full minute, in a session of its own, to the
 * end or for fifty seconds. Throwaway Postgres 17; writes `bench/MEMBERS.md`, and fails where a bar is missed.
 */
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { arrival, BROKEN, EVENTS, fill, MISDATED, newcomer, RULE } from "../tests/database/backlog.mjs";
import { asClient, startPostgres } from "../tests/database/postgres.mjs";
import { machine, publish, record } from "./history.mjs";

const MEMBERS = Number(process.argv[2] ?? 1_000_000);
const AWAY = MEMBERS / 5;
const CHUNK = 10_000;
const BARS = { derived: 30 * 60, newcomer: 2 * 60, swept: 10 * 60 };

const postgres = await startPostgres({ settings: { autovacuum: "off", max_wal_size: "8GB", shared_buffers: "1GB" } });

/** @param {import("pg").Client} client @param {string} sql @param {unknown[]} [values] */
const value = async (client, sql, values) => Object.values((await client.query(sql, values)).rows[0] ?? {})[0];

/** How many seconds something takes, and how busy the machine is meanwhile. */
function stopwatch() {
  const begun = performance.now();
  const loads = [loadavg()[0]];
  const timer = setInterval(() => loads.push(loadavg()[0]), 10_000);
  return () => {
    clearInterval(timer);
    return {
      seconds: (performance.now() - begun) / 1000,
      load: loads.reduce((sum, load) => sum + load, 0) / loads.length,
    };
  };
}

/** Writes the backlog, over two connections. */
async function fillAll() {
  let next = 1;
  const writer = () =>
    asClient(postgres.url, async (client) => {
      await client.query("set role audience_gate_store");
      while (next <= MEMBERS) {
        const first = next;
        next += CHUNK;
        await client.query(fill(first, Math.min(first + CHUNK - 1, MEMBERS), AWAY));
      }
    });
  await Promise.all([writer(), writer()]);
}

/** Runs a job as pg_cron would, until told to stop. @param {string} job */
function schedule(job) {
  let processor = 0;
  const over = new AbortController();
  const turn = () =>
    asClient(postgres.url, async (client) => {
      const pid = await value(client, "select pg_backend_pid()");
      await client.query("call audience_gate.run_job_to_the_end($1)", [job]);
      processor += Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e9;
    });
  const work = (async () => {
    while (!over.signal.aborted) {
      await turn();
      await pause(60_000 - Date.now() % 60_000, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  return {
    /** Fails if the work has failed. */
    wait: (/** @type {number} */ milliseconds) => Promise.race([work, pause(milliseconds)]),
    /** Gives the seconds of processor time that its sessions took. */
    async stop() {
      over.abort();
      await work;
      return processor;
    },
  };
}

/** @param {import("pg").Client} client */
async function derive(client) {
  const waiting = `select exists (select from audience_gate.state_pending where user_id < '${newcomer(0)}')`;
  const derivation = schedule("derive_states");
  const elapsed = stopwatch();
  const waits = [];
  while (await value(client, waiting)) {
    const id = newcomer(waits.length);
    const arrived = performance.now();
    await client.query(arrival(id));
    while (!await value(client, "select true from public.audience_site_state where user_id = $1", [id])) {
      await derivation.wait(100);
    }
    waits.push((performance.now() - arrived) / 1000);
    await derivation.wait(1000);
  }
  const took = elapsed();
  return { ...took, processor: await derivation.stop(), waits };
}

/** @param {import("pg").Client} client */
async function sweep(client) {
  const last = await value(client, "select max(id) from public.audience_state_events");
  const taken = `select count(*)::int from public.audience_state_events
    where id > $1 and rule_id = '${RULE}' and site_id is not null`;
  const jobs = ["sweep_inactivity", "derive_states"].map(schedule);
  const elapsed = stopwatch();
  while (Number(await value(client, taken, [last])) < AWAY) await Promise.all(jobs.map(({ wait }) => wait(1000)));
  const took = elapsed();
  const spent = await Promise.all(jobs.map(({ stop }) => stop()));
  return { ...took, processor: spent.reduce((sum, processor) => sum + processor, 0) };
}

/** @param {import("pg").Client} client @param {number} people */
async function check(client, people) {
  /** @type {[string, string, number][]} */
  const expected = [
    ["people with a state", "select count(*)::int from public.audience_site_state", people],
    [
      "steps down",
      `select count(*)::int from public.audience_state_events where rule_id = '${RULE}' and site_id is not null`,
      AWAY,
    ],
    ["rows of the history that do not go on from the one before", BROKEN, 0],
    ["steps down that have another date than when they were due", MISDATED, 0],
  ];
  const faults = [];
  for (const [what, sql, right] of expected) {
    const found = await value(client, sql);
    if (found !== right) faults.push(`${what}: ${found} instead of ${right}`);
  }
  return faults;
}

/** @param {{ derived: Awaited<ReturnType<typeof derive>>, swept: Awaited<ReturnType<typeof sweep>> }} measured */
function render({ derived, swept }) {
  const number = (/** @type {number} */ value) => value.toLocaleString("en");
  const shown = (/** @type {number} */ seconds) =>
    seconds < 100 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
  const waits = derived.waits.toSorted((a, b) => a - b);
  /** @type {[string, number, number | undefined, number | undefined][]} */
  const rows = [
    [`states of ${number(MEMBERS)} members`, derived.seconds, derived.processor, BARS.derived],
    [
      `meanwhile, the state of somebody new, longest of ${waits.length}`,
      waits[waits.length - 1],
      undefined,
      BARS.newcomer,
    ],
    ["the same, median", waits[waits.length >> 1], undefined, undefined],
    [`${number(AWAY)} steps down found and taken`, swept.seconds, swept.processor, BARS.swept],
  ];
  const faults = rows.filter(([, took, , most]) => most && took > most).map(([what, took, , most]) =>
    `${what}: ${shown(took)}, may be ${shown(/** @type {number} */ (most))}`
  );
  const text = `<!-- \`npm run bench:members\` writes this; do not edit it. -->

# How long a backlog takes

${
    number(MEMBERS * EVENTS)
  } events of members wait, ${EVENTS} of each, in a throwaway Postgres 17 that has the statistics of
an empty one, with \`fsync\` and autovacuum off; ${machine()}, load average ${
    derived.load.toFixed(1)
  } while states were derived
and ${
    swept.load.toFixed(1)
  } while steps down were. Jobs run as pg_cron runs them, in the first fifty seconds of a minute, one
session each; processor time is that of their sessions alone.

| | took | processor | may be |
|---|---:|---:|---:|
${
    rows.map(([what, took, processor, most]) =>
      `| ${what} | ${shown(took)} | ${processor ? shown(processor) : ""} | ${most ? `≤ ${most / 60} min` : ""} |`
    ).join("\n")
  }

Afterwards everybody has a state, every row of the history goes on where the one before it ended, and every step down has
the date on which it was due.
`;
  return { text, faults };
}

try {
  await asClient(postgres.url, async (client) => {
    await fillAll();
    const derived = await derive(client);
    const swept = await sweep(client);
    const { text, faults } = render({ derived, swept });
    console.log(text);
    faults.push(...await check(client, MEMBERS + derived.waits.length));
    publish("MEMBERS.md", text);
    record("members", {
      "a backlog of a million, s of processor": { value: derived.processor, better: "lower" },
      "200,000 steps down, s of processor": { value: swept.processor, better: "lower" },
    });
    if (faults.length > 0) throw new Error(faults.join("\n"));
  });
} finally {
  await postgres.stop();
}
