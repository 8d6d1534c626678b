/** What is said of parts of a plan that cannot be carried over, and small questions about values, keys and schemas. */
import { withoutNull } from "./import_words.mjs";
import { isObject } from "./schema_type.mjs";

/** @typedef {Record<string, unknown>} Schema */

export const PERSONAL =
  'it names personal data, and the gate refuses an event that has it; leave it out of your events, send `email` beside metadata, or say "personal": false here if it names none';
export const DEEP =
  "it names personal data, and the gate refuses an event that has it at any depth; leave it out of your events, or give it another name";
export const PART = "it cannot be carried over in part: it would refuse what the plan lets through";
/** Why the gate cannot judge by what a keyword says. @type {Record<string, string>} */
export const UNFIT = {
  pattern: "it is not written in the subset that means the same in every engine (RULES.md, The language of schemas)",
  format: "it is none of the formats that the gate judges (RULES.md, The language of schemas)",
};

/** A text that Postgres can hold. @param {unknown} text */
export const isStorable = (text) => typeof text === "string" && !/\p{Surrogate}/u.test(text) && !text.includes("\0");

/** As much of a text as Postgres can hold. @param {string} text */
export const storable = (text) => text.replaceAll(/\p{Surrogate}/gu, "\ufffd").replaceAll("\0", "");

/** Whether a number came out of the plan's text as it went in. @param {unknown} value */
export const isExact = (value) =>
  typeof value !== "number" || Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));

/** What is said of a key of metadata where it is not null. @param {unknown} given */
export const plain = (given) => isObject(given) ? withoutNull(given).says : given;

/** What is said of every other key of metadata. @param {unknown} given */
export const others = (given) =>
  isObject(given) && given.type === "null" && Object.keys(given).length === 1 ? false : plain(given);

/** A key as a part of a reference. @param {string} key */
export const fragment = (key) => encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"));

/** The key that ends a reference. @param {string} step */
export function pointedName(step) {
  if (step === "#") return "";
  try {
    return decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return "";
  }
}
