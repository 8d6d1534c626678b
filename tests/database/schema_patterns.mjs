// Patterns of the grammar of schemas, and texts that they might match, the same ones for the same seed.

/** @template T @param {() => number} random @param {readonly T[]} list @returns {T} */
const one = (random, list) => /** @type {T} */ (list[Math.floor(random() * list.length)]);

const CHARACTERS = [
  "a",
  "b",
  "Z",
  "_",
  "0",
  "9",
  " ",
  "-",
  "/",
  "é",
  "ſ",
  "K",
  "😀",
  "\u00a0",
  "\ufeff",
  "\n",
  "\u2028",
  ",",
  ":",
  "=",
];
const ESCAPED = [
  "\\.",
  "\\^",
  "\\$",
  "\\*",
  "\\(",
  "\\)",
  "\\[",
  "\\]",
  "\\{",
  "\\}",
  "\\|",
  "\\/",
  "\\\\",
  "\\?",
  "\\+",
];
const CLASSES = ["\\d", "\\w", "\\s", "\\D", "\\W", "\\S", ".", "\\t", "\\n", "\\r", "\\v", "\\f"];
const MEMBERS = ["a", "a-c", "A-Z", "0-9", "\\d", "\\w", "\\s", "é", "\\-", "\\]", "^a", ".", "[", "\\t", "à-ÿ", "$"];
const REPEATS = ["", "", "", "", "*", "+", "?", "{2}", "{0}", "{1,}", "{0,2}", "{1,3}"];

/** @param {() => number} random @param {number} depth @returns {string} */
function term(random, depth) {
  const kind = random();
  const atom = kind < 0.45
    ? one(random, CHARACTERS)
    : kind < 0.55
    ? one(random, ESCAPED)
    : kind < 0.7
    ? one(random, CLASSES)
    : kind < 0.85 || depth > 2
    ? `[${one(random, ["", "^"])}b${one(random, MEMBERS)}${one(random, MEMBERS)}]`
    : `(${one(random, ["", "?:"])}${alternatives(random, depth + 1)})`;
  return atom + one(random, REPEATS);
}

/** @param {() => number} random @param {number} depth @returns {string} */
const alternatives = (random, depth) =>
  Array.from(
    { length: one(random, [1, 1, 2, 3]) },
    () => Array.from({ length: one(random, [0, 1, 2, 3]) }, () => term(random, depth)).join(""),
  ).join("|");

/** @param {() => number} random */
export const somePattern = (random) =>
  Array.from(
    { length: one(random, [1, 1, 2]) },
    () =>
      one(random, ["", "^"]) + Array.from({ length: one(random, [1, 2, 3]) }, () => term(random, 0)).join("") +
      one(random, ["", "$"]),
  ).join("|");

/** @param {() => number} random */
export const someText = (random) =>
  Array.from({ length: one(random, [0, 1, 2, 3, 5, 8]) }, () => one(random, [...CHARACTERS, ".", "$", "(", "c", "\t"]))
    .join("");
