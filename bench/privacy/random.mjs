/** Random values that are the same in every run. */

/** @typedef {ReturnType<typeof seeded>} Random */

const DIGITS = "0123456789";
const SMALL = "abcdefghijklmnopqrstuvwxyz";

/** A generator of its own for each name, so that a new kind of value changes no other. @param {string} name */
export function seeded(name) {
  let state = [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5) >>> 0;
  /** Mulberry32: between 0 and 1. */
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000;
  };
  const between = (/** @type {number} */ low, /** @type {number} */ high) =>
    low + Math.floor(next() * (high - low + 1));
  /** @template T @param {readonly T[] | string} from */
  const of = (from) => /** @type {T} */ (from[between(0, from.length - 1)]);
  const text = (/** @type {number} */ length, /** @type {string} */ alphabet) =>
    Array.from({ length }, () => of(alphabet)).join("");
  return {
    next,
    between,
    of,
    text,
    digits: (/** @type {number} */ length) => text(length, DIGITS),
    hex: (/** @type {number} */ length) => text(length, "0123456789abcdef"),
    letters: (/** @type {number} */ length) => text(length, SMALL),
    word: (/** @type {number} */ length) => text(length, SMALL.toUpperCase() + SMALL + DIGITS),
    /** Between two days, in milliseconds since 1970. */
    moment: () => between(Date.UTC(2024, 0, 1), Date.UTC(2026, 11, 31)),
    uuid() {
      const [a, b, c, d] = [8, 4, 3, 12].map((length) => text(length, "0123456789abcdef"));
      return `${a}-${b}-4${c}-${of("89ab")}${text(3, "0123456789abcdef")}-${d}`;
    },
  };
}

/** The digits with the one that satisfies Luhn's check behind them. @param {string} digits */
export function withLuhn(digits) {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return digits + String((10 - sum % 10) % 10);
}

/** The digits with the check digit of an EAN, UPC, GTIN or ISBN-13. @param {string} digits */
export function withGtin(digits) {
  const sum = [...digits].reverse().reduce(
    (total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 3 : 1),
    0,
  );
  return digits + String((10 - sum % 10) % 10);
}
