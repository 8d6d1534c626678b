/** Every client keeps every promise of tests/clients/cases.mjs, against the real function on a real Postgres. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { hashEmail } from "../../pkg/inline.js";
import { publishableKey } from "../../local/settings.mjs";
import { CASES } from "./cases.mjs";
import { base, LANGUAGES, start } from "./drivers.mjs";
import { startFront } from "./front.mjs";
import { startGate } from "./gate.mjs";
import { survivesKills, survivesOutages } from "./kills.mjs";
import { worksInWordPress } from "./wordpress.mjs";

/** @typedef {import("./cases.mjs").Case} Case */
/** @typedef {import("./drivers.mjs").Language} Language */
/** @typedef {Record<string, unknown> & { metadata?: object, email?: string }} Tracked */

/** @type {Awaited<ReturnType<typeof startGate>>} */
let gate;
before(async () => {
  gate = await startGate();
});
after(() => gate?.stop());

describe("the client", { concurrency: LANGUAGES.length }, () => {
  for (const language of LANGUAGES) {
    describe(`for ${language}`, { concurrency: 4 }, () => {
      for (const one of CASES) test(one.name, () => keeps(one, language));
      test("loses and doubles nothing, however often it is killed", (t) => survivesKills(language, gate, t));
      test("loses and doubles nothing, whatever becomes of its requests", (t) => survivesOutages(language, gate, t));
    });
  }
  test("for WordPress sends what a plugin or a theme tells it, and breaks no page", () => worksInWordPress(gate));
});

/** @param {Case} one @param {Language} language */
async function keeps(one, language) {
  const queue = join(base, randomUUID());
  const front = await startFront(gate.functions, one.front ?? [], one.most);
  /** @type {Map<string, Tracked>} */
  const tracked = new Map();
  const words = { OWN: randomUUID(), NOW: new Date().toISOString(), SESSION: session() };
  let settings = { url: front.url, ...one.settings };
  let client = start(language, queue, settings);
  try {
    for (const step of one.steps) {
      const told = client.verdicts.length;
      if (step.as) {
        await client.end();
        if (step.as === "next language") language = LANGUAGES[(LANGUAGES.indexOf(language) + 1) % LANGUAGES.length];
        settings = { ...settings, ...(step.settings && { key: undefined, ...step.settings }) };
        client = start(language, queue, settings);
      } else if (step.file) {
        put(queue, step.file);
      } else if (step.spend) {
        await spend(words.SESSION, step.spend);
      } else if ("track" in step) {
        const event = filled(step.track, words);
        const { id, error, message } = await client.ask({ track: event });
        assert.equal(error, step.error, message ?? `was queued as ${id}`);
        if (id) tracked.set(id, /** @type {Tracked} */ (event));
      } else {
        const { report, ...rest } = await client.ask({ flush: step.flush ?? 0 });
        assert.equal(rest.error, step.error, rest.message);
        has(report ?? rest, step.told ?? {});
        const verdicts = client.verdicts.slice(told);
        if (step.verdicts) assert.equal(verdicts.length, step.verdicts.length, JSON.stringify(verdicts));
        for (const wanted of step.verdicts ?? []) {
          assert.ok(verdicts.some((verdict) => agrees(verdict, wanted)), JSON.stringify({ wanted, verdicts }));
        }
      }
    }
    await client.end();
    assert.equal(client.complaints(), "");
    requested(one, front.seen);
    await recorded(tracked, existsSync(queue) ? readdirSync(queue) : [], one);
  } finally {
    client.kill();
    front.close();
  }
}

const session = () => `session-${randomUUID()}`;

/** @param {unknown} value @param {Record<string, string>} words that stand for what is new each time */
function filled(value, words) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const members = Object.entries({ session_id: session(), ...value });
  return Object.fromEntries(
    members.map(([key, one]) => [key, String(one).startsWith("$") ? words[one.slice(1)] : one]),
  );
}

/** @param {string} queue @param {{ name: string, text: string, hours?: number }} file */
function put(queue, { name, text, hours = 0 }) {
  mkdirSync(queue, { recursive: true });
  writeFileSync(join(queue, name), text);
  const made = Date.now() / 1000 - hours * 3600;
  utimesSync(join(queue, name), made, made);
}

/** @param {Case} one @param {import("./front.mjs").Seen[]} seen */
function requested({ sent, pause = 0, settings }, seen) {
  if (sent) assert.deepEqual(seen.map(({ events }) => events), sent);
  const [first, second] = seen;
  if (pause) assert.ok(second.at - first.at >= pause, `the second request came after ${second.at - first.at} ms`);
  // What was sent twice is the same, to the byte.
  if (pause) assert.equal(second.body, first.body);
  for (const { body, key } of seen) {
    assert.equal(body.includes("@"), false, "an address left the back end");
    assert.ok(key, settings?.key);
  }
}

/** Every event that nobody waits for is recorded once, as it was tracked. @param {Map<string, Tracked>} tracked @param {string[]} files @param {Case} one */
async function recorded(tracked, files, { left = [], most }) {
  const unfinished = files.filter((name) => !/\.json$|^pause$/.test(name));
  assert.deepEqual(unfinished, left);
  if (most === 0) return;
  const waiting = new Set(files.map((name) => name.replace(".json", "")));
  const sent = [...tracked.keys()].filter((id) => !waiting.has(id));
  const rows = await gate.recorded(sent);
  assert.deepEqual(rows.map(({ id }) => id).sort(), sent.sort());
  for (const { id, rejected, metadata } of rows) {
    const { email, metadata: given } = /** @type {Tracked} */ (tracked.get(id));
    if (!rejected) has(metadata, { ...given, ...(email && { email_hash: hashEmail(email) }) });
  }
}

/** @param {Record<string, unknown>} seen @param {Record<string, unknown>} wanted */
function has(seen, wanted) {
  assert.ok(agrees(seen, wanted), `${JSON.stringify(seen)} has not ${JSON.stringify(wanted)}`);
}

/** Seconds have passed since, so `wait` need not be exact. @param {Record<string, unknown>} seen @param {Record<string, unknown>} wanted */
function agrees(seen, wanted) {
  return Object.entries(wanted).every(([name, value]) =>
    name === "wait" && value !== 0
      ? Math.abs(Number(seen[name]) - Number(value)) < 30
      : JSON.stringify(seen[name]) === JSON.stringify(value)
  );
}

/** @param {string} session_id @param {number} count */
async function spend(session_id, count) {
  const events = Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    session_id,
    event_type: "content_view",
    event_category: "engagement",
    event_source: "web",
    metadata: { content_id: `${index}`, duration_seconds: 30 },
  }));
  const headers = { apikey: publishableKey, "content-type": "application/json" };
  const answer = await fetch(gate.functions.healthy, { method: "POST", headers, body: JSON.stringify(events) });
  assert.equal(answer.status, 207, await answer.text());
}
