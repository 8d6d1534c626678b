#!/usr/bin/env node
/**
 * What rules of an install's own cost: `npm run bench:own-rules`, with `-- 101` for as many rounds.
 *
 * Each engine judges the same page views with no such rule and with twenty on that type, in turns. Writes
 * bench/OWN_RULES.md.
 */
import assert from "node:assert/strict";
import { cpus } from "node:os";
import process from "node:process";
import { check, judge, loadRegistry } from "../pkg/inline.js";
import { registry } from "../tests/package/cases.mjs";
import { publish, record } from "./history.mjs";
import { pageViews, REQUEST, TYPE } from "./own_rules/events.mjs";
import { refusedBy, rowsOf, RULES } from "./own_rules/rules.mjs";

const EVENTS = 1000;
const ROUNDS = Number(process.argv[2] ?? 201);

/** How long an event takes with no rule and with all, in microseconds. @typedef {{ bare: number[], ruled: number[] }} Times */
/** @typedef {{ engine: string, bare: number, ruled: number, ratio: number, most: number }} Measured */

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/** @param {string} engine @param {number} most @param {Times} times @returns {Measured} */
const measured = (engine, most, { bare, ruled }) => ({
  engine,
  bare: median(bare),
  ruled: median(ruled),
  ratio: median(ruled) / median(bare),
  most,
});

/** The module, with one or the other registry, which is loaded outside the time. @returns {Measured} */
function inModule() {
  const views = pageViews(EVENTS);
  const context = { ...REQUEST, seed: new Uint8Array(16) };
  const settings = { bare: registry(), ruled: { ...registry(), own_rules: rowsOf(TYPE) } };
  loadRegistry(settings.ruled);
  const violated = (/** @type {string} */ text) => check(text, null, REQUEST).violations.map(({ rule_id }) => rule_id);
  assert.deepEqual(views.flatMap(violated), [], "every page view satisfies all rules");
  const whole = JSON.parse(views[0] ?? "");
  const unfelt = RULES.filter((rule) => !violated(JSON.stringify(refusedBy(whole, rule))).includes(rule.id));
  assert.deepEqual(unfelt, [], "every rule refuses what it should");

  const body = new TextEncoder().encode(`[${views.join(",")}]`);
  /** @type {Times} */
  const times = { bare: [], ruled: [] };
  for (let round = -ROUNDS / 4; round < ROUNDS; round++) {
    for (const name of /** @type {const} */ (["bare", "ruled"])) {
      loadRegistry(settings[name]);
      judge(body, context);
      const begun = performance.now();
      judge(body, context);
      if (round >= 0) times[name].push((performance.now() - begun) * 1000 / EVENTS);
    }
  }
  return measured("module", 1.5, times);
}

const engines = [inModule()];

const rows = engines.map(({ engine, bare, ruled, ratio, most }) =>
  `| ${[engine, bare.toFixed(2), ruled.toFixed(2), `${ratio.toFixed(2)}×`, `${most}×`].join(" | ")} |`
);
const report = `<!-- Written by \`npm run bench:own-rules\`. -->

# What rules of an install's own cost

| engine | without, µs an event | with twenty, µs an event | times as long | may be |
| --- | --: | --: | --: | --: |
${rows.join("\n")}

Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}.
Page views of about 515 bytes, ${
  EVENTS.toLocaleString("en")
} in a body, all accepted; medians of ${ROUNDS} rounds, in each of which
they are judged without and with the rules. \`bench/own_rules/rules.mjs\` lists these: keys that are required, lists of values, lengths,
bounds, a pattern, values within objects and arrays, and what holds only if something else does.
`;
console.log(report);
publish("OWN_RULES.md", report);
record(
  "own-rules",
  Object.fromEntries(engines.flatMap(({ engine, ruled, ratio }) => [
    [`${engine} with twenty rules, µs an event`, { value: ruled, better: "lower" }],
    [`${engine}, times as long as without`, { value: ratio, better: "lower" }],
  ])),
);
