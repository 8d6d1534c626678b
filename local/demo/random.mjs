import { createHash } from "node:crypto";

/** Random numbers that are the same in every run, so that every demo tells the same story. */
export class Random {
  #state;

  constructor(/** @type {number} */ seed) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to 1 (mulberry32). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  chance(/** @type {number} */ probability) {
    return this.next() < probability;
  }

  /** A whole number from `low` to `high`, both included. */
  between(/** @type {number} */ low, /** @type {number} */ high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** @template T @param {readonly T[]} items @returns {T} */
  pick(items) {
    return items[Math.floor(this.next() * items.length)];
  }

  /** Mostly near `typical` and now and then far above it, as durations and load times are. */
  skewed(/** @type {number} */ typical) {
    return Math.round(typical * Math.exp((this.next() + this.next() + this.next() - 1.5) * 1.1));
  }
}

/** A UUID that is the same for the same name. */
export function uuidOf(/** @type {string} */ name) {
  const hex = createHash("sha256").update(`audience-gate demo ${name}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
