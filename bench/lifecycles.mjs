#!/usr/bin/env node
/**
 * What the history of a tracked table costs, and how fast it answers: `npm run bench:lifecycles`, with `-- RECORDS` at another
 * size of the history, which has ten events for each record. Tables of one shape take the same statements in turn: one that
 * nobody watches, two that the gate tracks, one with the trigger of the document that the gate follows, one recorded as
 * supa_audit does it, and one with the least that a trigger could record. Throwaway Postgres 17; writes
 * `bench/LIFECYCLES.md`, and fails where an answer takes too long.
 */
import process from "node:process";
import { asClient, startPostgres } from "../tests/database/postgres.mjs";
import { machine, publish, record } from "./history.mjs";
import { costs } from "./lifecycles/costs.mjs";
import { answers } from "./lifecycles/questions.mjs";
import { render } from "./lifecycles/report.mjs";

const RECORDS = Number(process.argv[2] ?? 1_000_000);

/** @template T @param {Record<string, string>} settings @param {(client: import("pg").Client) => Promise<T>} work */
async function withServer(settings, work) {
  const postgres = await startPostgres({ settings });
  try {
    return await asClient(postgres.url, work);
  } finally {
    await postgres.stop();
  }
}

// Once as it is hosted, where a change is on the disk before it is answered, and once as if there were no disk.
const durable = await withServer({ fsync: "on" }, costs);
const volatile = await withServer({ fsync: "off" }, costs);
const answered = await withServer({}, (client) => answers(client, RECORDS));
const { text, faults } = render({ durable, volatile, answered, records: RECORDS, machine: machine() });
console.log(text);
publish("LIFECYCLES.md", text);
const moved = volatile.find(({ title }) => title === "an update that moves a record");
const slowest = Math.max(...answered.flatMap(({ of }) => Object.values(of).map(({ processor }) => processor)));
record("lifecycles", {
  "a move, beside an untracked one": {
    value: moved ? moved.of.tracked.processor / moved.of.unwatched.processor : NaN,
    better: "lower",
  },
  "the slowest report, ms of processor": { value: slowest, better: "lower" },
});
if (faults.length > 0) throw new Error(faults.join("\n"));
