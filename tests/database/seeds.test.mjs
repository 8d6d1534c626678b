/** The functions of the gate in Postgres, on every seed of the fuzz targets and on damaged copies of them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { seeded } from "../../bench/privacy/random.mjs";
import { size } from "../long.mjs";
import { root } from "../runner/paths.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const DAMAGED = size({ short: 400, long: 10_000 });
/** No text of a seed's size may keep a statement longer, on a busy machine. */
const PATIENCE_MS = 2000;

const seeds = ["judge", "redact"].flatMap((target) => {
  const folder = join(root, "fuzz/seeds", target);
  return readdirSync(folder).sort().map((name) => ({
    name: `${target}/${name}`,
    text: readFileSync(join(folder, name), "utf8"),
  }));
});

const PIECES = [
  "\\u0000",
  '"',
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "1e400",
  "-0",
  "@a.b",
  "+1 415 555 2671",
  "é",
  "\\",
  "null",
  "4111 ",
];

/** A copy with a letter or a piece changed, cut out or put in. @param {string} text @param {import("../../bench/privacy/random.mjs").Random} random */
function damaged(text, random) {
  for (let wound = random.between(1, 3); wound > 0; wound--) {
    const at = random.between(0, text.length);
    const end = Math.min(text.length, at + random.between(0, 8));
    text = text.slice(0, at) + (random.next() < 0.7 ? random.of(PIECES) : "") + text.slice(end);
  }
  return text;
}

for (const version of SCENARIO_VERSIONS) {
  test(`whatever JSON arrives is judged and redacted, in time: Postgres ${version}`, async (t) => {
    const server = await startPostgres({ version });
    t.after(() => server.stop());
    const random = seeded("damaged seeds");
    const bodies = [
      ...seeds,
      ...Array.from({ length: DAMAGED }, (_, index) => {
        const { name, text } = random.of(seeds);
        return { name: `${name}, damaged (${index})`, text: damaged(text, random) };
      }),
    ];
    /** @type {string[]} */
    const wrong = [];
    let judged = 0;
    await asClient(server.url, async (client) => {
      await client.query(`set statement_timeout = ${PATIENCE_MS}`);
      for (const { name, text } of bodies) {
        // What Postgres does not take for JSON never reaches a function of the gate.
        const isJson = await client.query("select $1::jsonb", [text]).then(() => true, () => false);
        if (!isJson) continue;
        judged++;
        await client.query(
          `select (select count(*) from public.validate_audience_event(sent)), audience_gate.redact(sent)
           from (select $1::jsonb as sent) as body`,
          [text],
        ).catch((error) => wrong.push(`${name}: ${error.code} ${error.message}`));
      }
    });
    t.diagnostic(`${judged} of ${bodies.length} bodies are JSON`);
    assert.ok(judged > seeds.length / 4, `${judged} of ${bodies.length} are JSON`);
    assert.deepEqual(wrong, []);
  });
}
