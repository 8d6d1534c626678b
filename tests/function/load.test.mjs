/** Mixed traffic on the real function and a real Postgres, with faults on the way; `npm run bench:load` is the long run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drive } from "../../bench/load/drive.mjs";
import { size } from "../long.mjs";

test("under load with faults, every event is in the tables as its sender was told", async (t) => {
  const result = await drive({ seconds: size({ short: 8, long: 300 }), senders: 4, faults: true });
  const { sent, accepted, replayed, rejected } = result.events;
  assert.deepEqual(result.wrong, []);
  assert.equal(sent, accepted + replayed + rejected);
  assert.ok(sent > 0 && rejected > 0, `${sent} events, ${rejected} of them rejected`);
  assert.equal(result.deadlocks, 0);
  // A disk can be filled only by who may mount one.
  assert.equal(result.faults.filter((what) => !what.startsWith("the disk")).length, 5);
  t.diagnostic(`${sent} events in ${result.seconds.toFixed(0)} s, ${result.unavailable} requests sent again`);
});
