/** `bench/PRIVACY.md` from what was measured. */
import { FALSE_ALARMS, RECALL, together } from "./bars.mjs";
import { growth, LIMITS } from "./worst.mjs";

/** @typedef {import("./measure.mjs").Measured} Measured */
/** @typedef {import("./worst.mjs").Cost} Cost */

const SHOWN = 12;

const count = (/** @type {number} */ number) => number.toLocaleString("en");
/** Never rounded up to the whole, nor down to nothing. @param {number} part @param {number} whole */
function percent(part, whole) {
  if (part === whole || part === 0) return `${part === 0 ? 0 : 100} %`;
  const share = part / whole * 100;
  return `${share < 0.01 ? share.toPrecision(1) : Math.min(99.99, share).toFixed(2)} %`;
}

/** The table of the README. @param {Measured[]} personal @param {Measured[]} harmless */
export function summary(personal, harmless) {
  return [
    "| personal | cases | found | must be |",
    "|---|---|---|---|",
    ...Object.entries(RECALL).map(([group, bar]) => {
      const { cases, found } = together(personal, group);
      return `| ${group} | ${count(cases)} | ${percent(found, cases)} | ≥ ${bar * 100} % |`;
    }),
    "",
    "| not personal | cases | refused | may be |",
    "|---|---|---|---|",
    ...Object.entries(FALSE_ALARMS).map(([group, bar]) => {
      const { cases, found } = together(harmless, group);
      return `| ${group} | ${count(cases)} | ${percent(found, cases)} | ${bar === 0 ? "none" : `≤ ${bar * 100} %`} |`;
    }),
  ];
}

/** @param {Measured[]} kinds @param {string} what */
const byKind = (kinds, what) => [
  `| | kind | cases | ${what} | |`,
  "|---|---|---|---|---|",
  ...kinds.map(({ group, name, cases, found }) =>
    `| ${group} | ${name.replaceAll("|", "\\|")} | ${count(cases)} | ${count(found)} | ${percent(found, cases)} |`
  ),
];

/** A text that no formatter takes for markup. @param {string} text */
const literal = (text) =>
  text.replace(
    /[\u0080-\u00a0\u2000-\u200f\u2028-\u202f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** @param {Measured[]} kinds */
function misses(kinds) {
  const wrong = kinds.filter((kind) => kind.wrong.length > 0);
  if (wrong.length === 0) return ["None."];
  return wrong.flatMap(({ group, name, wrong }) => [
    `**${group}: ${name}** (${count(wrong.length)})`,
    "",
    "```json",
    ...wrong.map(literal),
    "```",
    "",
  ]);
}

/** @param {Cost[]} costs @param {number} limit */
const dear = (costs, limit) => [
  `Allowed: ${limit} ms, and ${LIMITS.growth} times for twice the text. The dearest ${SHOWN} of ${costs.length}:`,
  "",
  "| repeated | as a | ms | half of it | times |",
  "|---|---|---|---|---|",
  ...costs.slice(0, SHOWN).map((cost) =>
    `| \`${literal(JSON.stringify(cost.unit)).replaceAll("|", "\\|")}\` | ${cost.place} | ${cost.whole.toFixed(1)} | ${
      cost.half.toFixed(1)
    } | ${growth(cost).toFixed(2)} |`
  ),
];

/**
 * @param {object} of
 * @param {Measured[]} of.personal
 * @param {Measured[]} of.harmless
 * @param {Cost[]} of.module
 * @param {Record<string, Cost[]>} of.postgres by version
 * @param {string} of.machine
 */
export function render({ personal, harmless, module, postgres, machine }) {
  return [
    "<!-- `npm run bench:privacy` writes this; do not edit it. -->",
    "",
    "# What the privacy rules find, and what they refuse for nothing",
    "",
    "Every case is the metadata of an event that the real module (`pkg/`) judges. The corpora are made by `bench/privacy/`,",
    "the same in every run: the examples of every kind of telephone number in every country from Google's libphonenumber;",
    "cards by the brands' prefixes and lengths; IBANs by the forms of the SWIFT registry; names in twelve languages from",
    "faker; keys as Google, Meta, Segment, schema.org and ordinary forms write them, and in thirteen languages; and, on the",
    "other side, payloads after the public conventions of analytics products, with ids, time stamps and numbers at random.",
    "Redaction is by the same finder: of what was found, nothing may be left behind it.",
    "",
    ...summary(personal, harmless),
    "",
    "## Found, by kind",
    "",
    ...byKind(personal, "found"),
    "",
    `Found but still there after redaction: ${count(personal.reduce((sum, { left }) => sum + left, 0))}.`,
    "",
    "## Refused for nothing, by kind",
    "",
    ...byKind(harmless, "refused"),
    "",
    "## The dearest texts",
    "",
    `On ${machine}. Each text repeats what keeps one recogniser busy at every byte.`,
    "",
    "### 1 MB in the module",
    "",
    ...dear(module, LIMITS.module),
    ...Object.entries(postgres).flatMap(([version, costs]) => [
      "",
      `### 8 KB in Postgres ${version}`,
      "",
      ...dear(costs, LIMITS.sql),
    ]),
    "",
    "## Every value that was not found",
    "",
    ...misses(personal),
    "",
    "## Every value that was refused for nothing",
    "",
    ...misses(harmless),
  ].join("\n").replace(/\n{3,}/g, "\n\n").trimEnd() + "\n";
}
