// The contract's reasons in the other languages of the dashboard: every rule has all of them, each of the English text of now.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { contract } from "../../pkg/inline.js";
import { keyOf } from "../../web/dashboard/texts/key.mjs";
import { LANGUAGES } from "../../web/dashboard/texts/tables.mjs";

/** @param {string} name @returns {Record<string, string>} */
const file = (name) =>
  JSON.parse(readFileSync(new URL(`../../web/dashboard/reasons/${name}.json`, import.meta.url), "utf8"));
const { rules } = contract();
/** What is the same in every language: numbers, times, and what stands in backticks. @param {string} text */
const fixed = (text) => (text.match(/`[^`]+`|\d[\d:TZ-]*/g) ?? []).toSorted();

test("every rule has its reason in every language, and none is left over", () => {
  for (const name of [...LANGUAGES, "of"]) {
    assert.deepEqual(Object.keys(file(name)), rules.map(({ id }) => id), `reasons/${name}.json`);
  }
});

test("a reason is translated from what the contract says now", () => {
  const of = file("of");
  const stale = rules.filter(({ id, reason }) => of[id] !== keyOf(reason)).map(({ id, reason }) =>
    `"${id}": "${keyOf(reason)}"`
  );
  assert.deepEqual(stale, [], "look at the translations of these, then put this into reasons/of.json");
});

test("a reason names the same numbers and fields in every language, as one text without a full stop", () => {
  const wrong = LANGUAGES.flatMap((language) => {
    const reasons = file(language);
    return rules.flatMap(({ id, reason }) => {
      const said = reasons[id] ?? "";
      return [
        fixed(said).join(" ") === fixed(reason).join(" ")
          ? []
          : [`${language} ${id} has ${fixed(said)}, not ${fixed(reason)}`],
        said === said.trim() && !said.endsWith(".") ? [] : [`${language} ${id} begins or ends otherwise`],
        said !== reason ? [] : [`${language} ${id} is English`],
      ].flat();
    });
  });
  assert.deepEqual(wrong, []);
});
