// Every keyword of a schema means in the module what it means in the other engines, and what it cannot take is a fault.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { check, loadRegistry } from "../../pkg/inline.js";
import { root } from "../runner/paths.mjs";

/** @typedef {{ keyword: string, schema: unknown, tests: { data: unknown, valid: boolean }[], wrong: unknown[] }} Group */

/** @type {Group[]} */
const groups = JSON.parse(readFileSync(join(root, "tests/schema/keywords.json"), "utf8"));

/** A rule over one value of metadata. @param {string} id @param {unknown} schema */
const rule = (id, schema) => ({
  id,
  mode: /** @type {const} */ ("enforce"),
  reasons: { en: "no" },
  schema: {
    properties: {
      metadata: {
        properties: {
          value: JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"#/properties/metadata/properties/value/')),
        },
      },
    },
  },
});

/** @param {unknown[]} own_rules */
const load = (own_rules) =>
  loadRegistry(JSON.stringify({
    version: "1",
    default_site: "00000000-0000-4000-8000-000000000001",
    event_types: [],
    rules: [],
    states: [],
    blocked_jumps: [],
    own_rules,
  }));

test("every keyword accepts and refuses a value", () => {
  assert.equal(load(groups.map(({ schema }, n) => rule(`own.keyword_${n}`, schema))), undefined);
  const wrong = groups.flatMap(({ keyword, tests }, n) =>
    tests.filter(({ data, valid }) => {
      const event = {
        session_id: "session-0001",
        event_type: "page_view",
        event_category: "engagement",
        event_source: "web",
      };
      const { violations } = check(JSON.stringify({ ...event, metadata: { page_path: "/", value: data } }));
      return violations.some(({ rule_id }) => rule_id === `own.keyword_${n}`) === valid;
    }).map(({ data }) => [keyword, data])
  );
  assert.deepEqual(wrong, []);
});

test("a value that a keyword does not take is a fault with its place", () => {
  const missed = groups.flatMap(({ keyword, wrong }) =>
    wrong.filter((value) => !load([rule("own.odd", { [keyword]: value })])?.includes(`/value/${keyword}`)).map((
      value,
    ) => [keyword, value])
  );
  assert.deepEqual(missed, []);
});
