import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "../until.mjs";
import { begun } from "./beginning.mjs";
import { freePort, ingest, launch, rest, temporaryFolder, view } from "./launch.mjs";
import { size } from "../long.mjs";

const ROUNDS = size({ short: 3, long: 20 });

test("after kill -9 at any moment the next start has every acknowledged event, once", async (t) => {
  const folder = temporaryFolder(t);
  await begun(folder);
  const port = String(await freePort());
  /** @type {string[]} */
  const acknowledged = [];

  for (let round = 0; round < ROUNDS; round += 1) {
    const stack = await launch(t, ["--data", folder, "--port", port, "--empty"]);
    let sending = true;
    const sender = (async () => {
      while (sending) {
        const events = Array.from({ length: 5 }, () => view());
        try {
          const { status, answer } = await ingest(stack.url, events);
          if (status === 200) acknowledged.push(...answer.results.map((/** @type {{ id: string }} */ { id }) => id));
        } catch {
          // The stack was killed before it could answer: nothing was acknowledged.
        }
      }
    })();
    // The kill comes once events are under way, at no particular moment.
    await until(() => acknowledged.length >= (round + 1) * 10, "events are acknowledged", 60);
    await pause(500 * Math.random());
    await stack.end("SIGKILL");
    sending = false;
    await sender;
  }

  const { url, end } = await launch(t, ["--data", folder, "--port", port, "--empty"]);
  /** @type {string[]} */
  const stored = [];
  for (let offset = 0;; offset += 1000) {
    const { answer } = await rest(
      url,
      `audience_events?select=id&rejected=is.false&order=id&offset=${offset}&limit=1000`,
    );
    stored.push(...answer.map((/** @type {{ id: string }} */ { id }) => id));
    if (answer.length < 1000) break;
  }
  await end("SIGINT");

  const lost = acknowledged.filter((id) => !stored.includes(id));
  assert.deepEqual(lost, []);
  assert.equal(new Set(stored).size, stored.length);
  t.diagnostic(`${acknowledged.length} events acknowledged over ${ROUNDS} kills, none lost`);
});

test("no process is left behind by a killed stack", async (t) => {
  const stack = await launch(t, ["--data", temporaryFolder(t), "--port", String(await freePort()), "--empty"]);
  const children = processes().filter(([, parent]) => parent === stack.pid).map(([pid]) => pid);
  assert.ok(children.length >= 1, "the function runs in a process of its own");
  await stack.end("SIGKILL");
  const left = () => processes().map(([pid]) => pid).filter((pid) => children.includes(pid));
  await until(() => left().length === 0 || left(), "every process of it has ended");
});

/** Every process of this machine with its parent, apart from ended ones that are still to be reaped. */
function processes() {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,stat="], { encoding: "utf8" });
  return stdout.trim().split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, , state]) => !state.startsWith("Z")).map(([pid, parent]) => [Number(pid), Number(parent)]);
}
