/** By what words an exported plan says the customs of a payload schema, and how `import` knows them again. */
import { isObject } from "./schema_type.mjs";

const gate = (/** @type {string} */ name) => `#/$defs/gate/$defs/${name}`;
/** What a required key holds: no null and no blank text. */
export const FILLED = gate("filled");
/** What a key holds that is there: no null. */
export const PRESENT = gate("present");
/** What a key holds that the tracker or the gate adds, and what such a key holds where nothing is asked of it. */
export const ADDED = gate("added");
export const UNASKED = gate("unasked");

export const GATE = {
  $defs: {
    added: { type: ["string", "null"], maxLength: 128 },
    filled: {
      type: ["string", "number", "boolean", "object", "array"],
      pattern: "[^\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]",
    },
    present: { type: ["string", "number", "boolean", "object", "array"] },
    unasked: {},
  },
};

/** The keys of metadata that each event type takes, the words for what needs no mention, and all words. */
export const MARKS = {
  keys: [
    "automated",
    "email_hash",
    "email_hash_kind",
    "tracker",
    "tracking_consent",
    "tracking_consent_at",
    "tracking_consent_version",
  ],
  added: [ADDED, UNASKED],
  all: [FILLED, PRESENT, ADDED, UNASKED],
};

/** What is asked only where a key is not null. */
export const UNLESS_NULL = {
  /** @param {string} key @param {unknown} schema */
  with: (key, schema) => ({ anyOf: [{ properties: { [key]: { type: "null" } } }, schema] }),
  /** The schema of `with`, or what is given. @param {string} key @param {unknown} given */
  without(key, given) {
    const [first, second, ...more] = isObject(given) && Array.isArray(given.anyOf) ? given.anyOf : [];
    const is = second !== undefined && more.length === 0 &&
      JSON.stringify(first) === JSON.stringify({ properties: { [key]: { type: "null" } } });
    return is ? second : given;
  },
};
