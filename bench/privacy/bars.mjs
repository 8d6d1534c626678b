/** What the figures must be at least, and at most. */

/** Of each kind of a group, which share must be found. */
export const RECALL = /** @type {Record<string, number>} */ ({
  "e-mail": 0.99,
  "card": 0.99,
  "IBAN": 0.99,
  "telephone": 0.99,
  "national number": 0.9,
  "social security number": 0.99,
  "IP address": 0.99,
  "credential": 0.95,
  "personal keys": 0.95,
});

/**
 * Of single kinds. Cards of 13 digits have not been issued for decades, and every tenth of their numbers satisfies the
 * check of an EAN, which must not be refused. Where a bank may use letters, the accounts that are made here have some by
 * chance, as few real ones do; in small letters, those with fewer than seven digits are like any word.
 */
const OF_KIND = /** @type {Record<string, number>} */ ({ "brand: Visa, 13 digits": 0.85, "in small letters": 0.93 });

/** Of fewer cases, one that is missed says nothing about a share; they count in their group. */
const FEW = 40;

/** @param {import("./measure.mjs").Measured} kind */
const recall = ({ group, name }) => OF_KIND[name] ?? RECALL[group];

/** Of a whole group, which share may be refused. */
export const FALSE_ALARMS = /** @type {Record<string, number>} */ ({
  "realistic payloads": 0,
  "harmless values": 0.001,
  "ids with something around them": 0.000_01,
  "negatives of recognisers": 0.01,
});

/** Of all kinds of a group together. @param {import("./measure.mjs").Measured[]} kinds @param {string} group */
export function together(kinds, group) {
  const of = kinds.filter((kind) => kind.group === group);
  const sum = (/** @type {"cases" | "found" | "left"} */ what) => of.reduce((total, kind) => total + kind[what], 0);
  return { cases: sum("cases"), found: sum("found"), left: sum("left") };
}

/**
 * Every bar that is missed, one per line.
 *
 * @param {import("./measure.mjs").Measured[]} personal
 * @param {import("./measure.mjs").Measured[]} harmless
 */
export function missed(personal, harmless) {
  const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(2)} %`;
  return [
    ...Object.entries(RECALL).flatMap(([group, bar]) => {
      const { cases, found } = together(personal, group);
      return found >= bar * cases ? [] : [`${group}: ${percent(found / cases)} found, not ${percent(bar)}`];
    }),
    ...personal.filter((kind) => kind.cases >= FEW && kind.found < recall(kind) * kind.cases).map((kind) =>
      `${kind.group}, ${kind.name}: ${percent(kind.found / kind.cases)} found, not ${percent(recall(kind))}`
    ),
    ...personal.filter(({ left }) => left > 0).map(({ group, name, left }) =>
      `${group}, ${name}: ${left} are found but not redacted`
    ),
    ...Object.entries(FALSE_ALARMS).flatMap(([group, bar]) => {
      const { cases, found } = together(harmless, group);
      return found <= bar * cases ? [] : [`${group}: ${percent(found / cases)} refused, not ${percent(bar)}`];
    }),
  ];
}
