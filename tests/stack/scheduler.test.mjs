import assert from "node:assert/strict";
import { test } from "node:test";
import { startScheduler } from "../../local/scheduler.mjs";

test("jobs that are running when the stack closes have ended before its database and its log are gone", async () => {
  /** @type {() => void} */
  let resolve = () => {};
  const promise = new Promise((done) => resolve = () => done(undefined));
  /** @type {string[]} */
  const said = [];
  const query = async () => {
    await promise;
    throw new Error("of this test");
  };
  const database = /** @type {import("../../local/database.mjs").Database} */ (/** @type {unknown} */ ({ query }));
  const stop = startScheduler(database, "http://127.0.0.1:9", (line) => said.push(line));
  const stopped = stop().then(() => said.push("stopped"));
  resolve();
  await stopped;
  assert.deepEqual(said, ["scheduled jobs: of this test", "stopped"]);
});
