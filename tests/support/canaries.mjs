// Personal data of every kind, planted in every position of an event that a sender can write to. canaries.json has both; the
// tests of the database, the function, the tracker and Spark plant the same.
import { readFileSync } from "node:fs";

/** @typedef {Record<string, Record<string, unknown>>} Positions what to change of an event; `§` stands for the canary */
/** @typedef {{ what: string, changes: Record<string, unknown> }} Planted */
/**
 * @type {{
 *   needle: string,
 *   kinds: Record<string, string>,
 *   whole: Record<string, string>,
 *   numbers: Record<string, number>,
 *   positions: { columns: Positions, metadata: Positions, untyped: Positions },
 * }}
 */
const { needle, kinds, whole, numbers, positions } = JSON.parse(
  readFileSync(new URL("canaries.json", import.meta.url), "utf8"),
);

/** What of a canary must be found nowhere. */
export const NEEDLE = new RegExp(needle, "i");

/** Every text by which personal data can be planted, by its kind. */
export const TEXTS = { ...kinds, ...whole };
/** The texts of those that are known only where they are a whole value. */
export const WHOLE = Object.values(whole);

/** Every kind in every position of these sorts. @param {...keyof typeof positions} sorts @returns {Planted[]} */
export const planted = (...sorts) =>
  sorts.flatMap((sort) =>
    Object.entries(positions[sort]).flatMap(([position, changes]) => {
      const template = JSON.stringify(changes);
      const quoted = Object.entries(kinds).map((
        [kind, text],
      ) => [kind, template.replaceAll("§", JSON.stringify(text).slice(1, -1))]);
      // Some are known as such only if they are a whole value, and a number can only be one.
      const values = template.includes('"§"') && !template.includes('"§":')
        ? [
          ...Object.entries(whole).map(([kind, text]) => [kind, template.replaceAll("§", text)]),
          ...(sort === "metadata" ? Object.entries(numbers) : []).map((
            [kind, number],
          ) => [kind, template.replaceAll('"§"', String(number))]),
        ]
        : [];
      return [...quoted, ...values].map(([kind, text]) => ({
        what: `${kind} in ${position}`,
        changes: JSON.parse(text),
      }));
    })
  );
