/** A client that is killed again and again, at every moment of its work, and started again on the same queue. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { size } from "../long.mjs";
import { base, start } from "./drivers.mjs";
import { startFront } from "./front.mjs";

const KILLS = size({ short: 12, long: 1000 });
const OUTAGES = size({ short: 12, long: 1000 });

/** So many queues have their outages at once, because after each a client pauses. */
const QUEUES = 4;

/** What a network and the servers in it do to a request; after each, the next request passes. @type {import("./front.mjs").Step[]} */
const FAULTS = ["cut", "half", { status: 503, headers: { "retry-after": "0" } }, { status: 502 }, {
  status: 200,
  body: "<!doctype html>",
}];
const EVENTS = 12;

/** After so many kills it may finish once, or its queue would only grow. */
const ROUND = 12;

/** When it is killed: as the function hears of a batch, as it answers, as the first verdict is told, or when so many events are queued. */
const MOMENTS = /** @type {const} */ (["arrived", "answered", "told", "queued"]);

/**
 * @param {import("./drivers.mjs").Language} language
 * @param {Awaited<ReturnType<typeof import("./gate.mjs").startGate>>} gate
 * @param {{ diagnostic: (text: string) => void }} t
 */
export async function survivesKills(language, gate, t) {
  const queue = join(base, randomUUID());
  const front = await startFront(gate.functions, []);
  /** @type {Set<string>} what the client said it has */
  const promised = new Set();
  /** @type {Map<string, Set<string>>} what it said became of each */
  const verdicts = new Map();
  const run = async (/** @type {(typeof MOMENTS)[number] | undefined} */ moment, /** @type {number} */ after) => {
    const client = start(language, queue, { url: front.url, told: () => moment === "told" && client.kill() });
    front.watch(moment === "arrived" || moment === "answered" ? { [moment]: client.kill } : {});
    const asked = Array.from({ length: EVENTS }, (_, index) =>
      client.ask({ track: event(index) }).then(({ id }) => {
        if (id) promised.add(id);
        if (moment === "queued" && index === after) client.kill();
      }));
    const ended = await client.ask({ flush: 20 });
    await Promise.all(asked);
    await client.end();
    assert.equal(client.complaints(), "");
    for (const { id, status } of client.verdicts) verdicts.set(id, (verdicts.get(id) ?? new Set()).add(status));
    return ended;
  };

  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const ended = await run(MOMENTS[kill % MOMENTS.length], kill % EVENTS);
      // Where it had told all its verdicts before the signal came, it has done its work.
      if (kill % MOMENTS.length !== MOMENTS.indexOf("told")) assert.equal(ended.error, "ended", JSON.stringify(ended));
      if (kill % ROUND === ROUND - 1 || kill === KILLS - 1) assert.equal((await run(undefined, 0)).report?.queued, 0);
    }
    assert.deepEqual(readdirSync(queue).filter((name) => name.endsWith(".json")), []);
    // What was on the disk before its promise could be given was sent as well.
    const rows = await gate.recorded([...new Set([...promised, ...verdicts.keys()])]);
    const copies = new Map(rows.map(({ id }) => [id, rows.filter((row) => row.id === id).length]));
    assert.deepEqual([...promised].filter((id) => !copies.has(id)), [], "lost");
    assert.deepEqual([...copies].filter(([, count]) => count !== 1), [], "doubled");
    const wrong = rows.filter(({ id, rejected }) => !verdicts.get(id)?.has(rejected ? "rejected" : "accepted"));
    assert.deepEqual(wrong, [], "not told");
    t.diagnostic(`${KILLS} kills, ${promised.size} events, ${front.seen.length} requests`);
  } finally {
    front.close();
  }
}

/**
 * A client whose requests fail again and again, each time another way.
 *
 * @param {import("./drivers.mjs").Language} language
 * @param {Awaited<ReturnType<typeof import("./gate.mjs").startGate>>} gate
 * @param {{ diagnostic: (text: string) => void }} t
 */
export async function survivesOutages(language, gate, t) {
  const share = OUTAGES / QUEUES;
  const counts = await Promise.all(Array.from({ length: QUEUES }, async (_, queue) => {
    const steps = Array.from({ length: share }, (_, at) => [FAULTS[(queue + at) % FAULTS.length], "pass"]);
    const front = await startFront(gate.functions, /** @type {import("./front.mjs").Step[]} */ (steps.flat()));
    const client = start(language, join(base, randomUUID()), { url: front.url });
    try {
      /** @type {(string | undefined)[]} */
      const ids = [];
      for (let outage = 0; outage < share; outage += 1) {
        for (const index of [0, 1]) ids.push((await client.ask({ track: event(index) })).id);
        const { report } = await client.ask({ flush: 20 });
        assert.equal(report?.queued, 0, JSON.stringify(report));
      }
      await client.end();
      assert.equal(client.complaints(), "");
      // At least: a function that is busy may refuse one that was to pass.
      assert.ok(front.seen.length >= 2 * share, `${front.seen.length} requests`);
      const sent = ids.filter((id) => id !== undefined).sort();
      assert.equal(sent.length, 2 * share);
      assert.deepEqual((await gate.recorded(sent)).map(({ id }) => id).sort(), sent);
      assert.deepEqual(client.verdicts.map(({ id }) => id).sort(), sent);
      return sent.length;
    } finally {
      client.kill();
      front.close();
    }
  }));
  t.diagnostic(`${OUTAGES} outages, ${counts.reduce((all, one) => all + one)} events`);
}

/** One in three is rejected. @param {number} index */
const event = (index) => ({
  session_id: `session-${randomUUID()}`,
  event_type: "content_view",
  event_category: "engagement",
  event_source: "back-end",
  metadata: { content_id: "a", duration_seconds: index % 3 === 0 ? 4 : 30 },
});
