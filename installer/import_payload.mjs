/** The payload schema that a plan's JSON Schema becomes: what the registry has no word for is said with its place. */
import { at } from "./import_report.mjs";
import { ADDED, FILLED } from "./plan_schema.mjs";
import { isObject } from "./schema_type.mjs";

/** @typedef {Record<string, unknown>} Schema */
/** @typedef {import("./import_report.mjs").Report} Report */
/**
 * What a schema is read with.
 *
 * @typedef {object} Reading
 * @property {Report} report
 * @property {unknown} document in which its references point
 * @property {string} about the event
 * @property {(key: string, type: unknown) => boolean} isPersonal whether the gate refuses such a key
 * @property {(text: string) => string} redact
 * @property {Record<string, string>} [places] of the event's keys, where they are not in the schema
 * @property {Record<string, string>} [requiredPlaces] where the plan says that a key is required, if elsewhere
 */

const OWN_RULE = "a payload schema has no such keyword; a rule of your own can ask for it (docs/first-rule.md)";
/** What judges nothing. */
const SILENT = ["$schema", "$id", "id", "self", "$defs", "definitions", "$anchor", "labels"];
const SAID = ["title", "default", "examples", "example", "$comment", "deprecated", "readOnly", "writeOnly"];
const TYPES = ["string", "number", "integer", "boolean", "object", "array"];
/** How long a payload schema may be, and how many choices a key may have. */
const MOST_BYTES = 65_536;
const MOST_CHOICES = 1000;

/** A text that Postgres can hold. @param {unknown} text */
export const isStorable = (text) => typeof text === "string" && !/\p{Surrogate}/u.test(text) && !text.includes("\0");

/** As much of a text as Postgres can hold. @param {string} text */
export const storable = (text) => text.replaceAll(/\p{Surrogate}/gu, "\ufffd").replaceAll("\0", "");

/**
 * The payload schema of an event; null where nothing is asked.
 *
 * @param {unknown} schema @param {string} place @param {Reading} reading
 */
export function payloadOf(schema, place, reading) {
  const { report, about } = reading;
  const whole = resolved(schema, place, about, reading);
  if (!isObject(whole)) {
    if (schema !== undefined && whole !== true) report.leave(place, about, "it is not a schema of an object");
    return null;
  }
  const required = Array.isArray(whole.required) ? whole.required : [];
  /** @type {[string, Schema][]} */
  const properties = [];
  /** @type {Set<string>} */
  const nullable = new Set();
  /** @type {Set<string>} */
  const gone = new Set();
  for (const [key, says] of Object.entries(isObject(whole.properties) ? whole.properties : {})) {
    if (isObject(says) && says.$ref === ADDED) continue;
    const found = property(key, says, reading.places?.[key] ?? at(place, "properties", key), reading);
    if (found === undefined) gone.add(key);
    else {
      properties.push([key, found.says]);
      if (found.isNullable) nullable.add(key);
    }
  }
  for (const [keyword, value] of Object.entries(whole)) {
    const here = at(place, keyword);
    if (["properties", "required", "description", ...SILENT].includes(keyword)) continue;
    else if (SAID.includes(keyword)) report.skip(here, about);
    else if (keyword === "type" && [value].flat().includes("object")) continue;
    else if (keyword === "additionalProperties" && typeof value === "boolean") report.carry(value ? 0 : 1);
    else {report.leave(
        here,
        about,
        keyword === "additionalProperties" ? "it is true or false in a payload schema" : OWN_RULE,
      );}
  }
  const payload = {
    ...properties.length === 0 ? {} : { properties: Object.fromEntries(properties) },
    ...requiredOf(required, { gone, nullable, personal: reading.isPersonal }, at(place, "required"), reading),
    ...whole.additionalProperties === false ? { additionalProperties: false } : {},
  };
  if (Object.keys(payload).length === 0) return null;
  if (JSON.stringify(payload).length > MOST_BYTES / 4 && Buffer.byteLength(JSON.stringify(payload)) > MOST_BYTES) {
    report.leave(
      place,
      about,
      `the payload schema is longer than ${MOST_BYTES} bytes; only the event itself is registered`,
    );
    return null;
  }
  return payload;
}

/**
 * @param {unknown[]} names
 * @param {{ gone: Set<string>, nullable: Set<string>, personal: (key: string, type: unknown) => boolean }} known
 * @param {string} place @param {Reading} reading
 */
function requiredOf(names, { gone, nullable, personal }, place, { report, about, requiredPlaces }) {
  /** @type {string[]} */
  const required = [];
  names.forEach((name, index) => {
    const here = requiredPlaces?.[String(name)] ?? at(place, index);
    if (typeof name !== "string" || !isStorable(name)) report.leave(here, about, "it is no name of a key");
    else if (gone.has(name)) report.leave(here, `${about}.${name}`, "the key itself is left out");
    else if (nullable.has(name)) {
      report.leave(here, `${about}.${name}`, "the plan lets it be null, which a required key of the gate may not be");
    } else if (!required.includes(name)) {
      if (personal(name, undefined)) report.leave(here, `${about}.${name}`, PERSONAL);
      else {
        report.carry();
        required.push(name);
      }
    }
  });
  return required.length === 0 ? {} : { required };
}

const PERSONAL =
  'it names personal data, and the gate refuses an event that has it; leave it out of your events, send `email` beside metadata, or say "personal": false here if it names none';

/**
 * What a payload schema says of a key; undefined where it may not have the key.
 *
 * @param {string} key @param {unknown} given @param {string} place @param {Reading} reading
 * @returns {{ says: Schema, isNullable: boolean } | undefined}
 */
function property(key, given, place, reading) {
  const { report } = reading;
  const about = `${reading.about}.${key}`;
  const leave = (/** @type {string} */ keyword, /** @type {string} */ why) =>
    report.leave(at(place, keyword), about, why);
  if (!isStorable(key)) {
    report.leave(place, reading.about, "Postgres cannot hold this key");
    return undefined;
  }
  const whole = resolved(given, place, about, reading);
  if (whole === false) {
    report.leave(place, about, "a payload schema cannot forbid a key; close the payload with additionalProperties");
    return undefined;
  }
  const { says: schema, isNullable } = withoutNull(isObject(whole) ? whole : {});
  if (schema.personal !== false && reading.isPersonal(key, schema.type)) {
    report.leave(place, about, PERSONAL);
    return undefined;
  }
  report.carry();
  /** @type {Schema} */
  const says = {};
  for (const [keyword, value] of Object.entries(schema)) {
    const taken = keyword === "enum" || keyword === "const"
      ? choices(keyword === "enum" ? value : [value], at(place, keyword), about, reading)
      : worded(keyword, value, schema);
    if (SILENT.includes(keyword)) continue;
    else if (SAID.includes(keyword)) {
      if (keyword === "title" && schema.description === undefined && isStorable(value)) says.description = plain(value);
      else report.skip(at(place, keyword), about);
    } else if (keyword === "description") says.description = plain(value);
    else if (typeof taken === "string") leave(keyword, taken);
    else {
      report.carry();
      if (!(keyword in taken)) report.change(at(place, keyword), about, `it is written as ${JSON.stringify(taken)}`);
      Object.assign(says, taken);
    }
  }
  return { says, isNullable };

  /** @param {unknown} text */
  function plain(text) {
    const shown = storable(String(text));
    const redacted = reading.redact(shown);
    if (redacted !== shown) report.change(place, about, "something personal was taken out of the description");
    return redacted;
  }
}

/** A keyword as a payload schema says it, or why it cannot. @param {string} keyword @param {unknown} value @param {Schema} all @returns {Schema | string} */
function worded(keyword, value, all) {
  const number = typeof value === "number" && Number.isFinite(value) &&
      (!Number.isInteger(value) || Number.isSafeInteger(value))
    ? value
    : undefined;
  const isWhole = all.type === "integer" && number !== undefined;
  switch (keyword) {
    case "type":
      if (typeof value === "string" && TYPES.includes(value)) return { type: value };
      if (Array.isArray(value) && value.every((type) => type === "number" || type === "integer")) {
        return { type: "number" };
      }
      return "a payload schema names one of string, number, integer, boolean, object and array, and a null passes where nothing is required";
    case "minimum":
    case "maximum":
      return number === undefined ? "it is no number that can be carried over exactly" : { [keyword]: number };
    case "exclusiveMinimum":
      return isWhole ? { minimum: Math.floor(number) + 1 } : OWN_RULE;
    case "exclusiveMaximum":
      return isWhole ? { maximum: Math.ceil(number) - 1 } : OWN_RULE;
    case "minLength":
    case "maxLength":
      return number !== undefined && Number.isInteger(number) && number >= 0 && number < 1e9
        ? { [keyword]: number }
        : "it is a whole number of at most nine digits in a payload schema";
    case "personal":
      return typeof value === "boolean" ? { personal: value } : "it is true or false";
    case "items":
    case "properties":
    case "required":
    case "additionalProperties":
      return "a payload schema says of a list or an object only that it is one; a rule of your own can look inside (docs/first-rule.md)";
    default:
      return OWN_RULE;
  }
}

/** The choices of a key. @param {unknown} given @param {string} place @param {string} about @param {Reading} reading @returns {Schema | string} */
function choices(given, place, about, { report, redact }) {
  if (!Array.isArray(given) || given.length === 0) return "it allows no value at all";
  if (given.length > MOST_CHOICES) return `it has more than ${MOST_CHOICES} choices`;
  const kept = given.filter((choice, index) => {
    const here = at(place, index);
    if (choice === null) return false;
    if (typeof choice === "object") report.leave(here, about, "a choice is a text, a number, true or false");
    else if (typeof choice === "string" && !isStorable(choice)) {
      report.leave(here, about, "Postgres cannot hold this text");
    } else if (typeof choice === "string" && redact(choice) !== choice) {
      report.leave(here, about, "it is something personal, and the gate refuses an event that has it");
    } else return true;
    return false;
  });
  return { enum: kept.length > 0 ? kept : [null] };
}

/** A schema without the null that it lets in. @param {Schema} given @returns {{ says: Schema, isNullable: boolean }} */
function withoutNull(given) {
  const { nullable, ...says } = given;
  let isNullable = nullable === true;
  for (const word of ["anyOf", "oneOf"]) {
    const all = says[word];
    if (!Array.isArray(all)) continue;
    const others = all.filter((one) => !(isObject(one) && one.type === "null"));
    const other = others[0];
    if (others.length === 1 && others.length < all.length && isObject(other)) {
      isNullable = true;
      delete says[word];
      Object.assign(says, other);
    }
  }
  if (Array.isArray(says.type)) {
    const others = says.type.filter((type) => type !== "null");
    isNullable ||= others.length < says.type.length;
    says.type = others.length === 1 ? others[0] : others;
    if (others.length === 0) delete says.type;
  }
  if (Array.isArray(says.enum)) isNullable = says.enum.includes(null) && (isNullable || says.type === undefined);
  return { says, isNullable };
}

/** A schema in place of a reference to it, with what is said beside it. @param {unknown} schema @param {string} place @param {string} about @param {Reading} reading @returns {unknown} */
function resolved(schema, place, about, { report, document }) {
  let current = schema;
  for (let steps = 0; isObject(current) && typeof current.$ref === "string"; steps += 1) {
    const { $ref, ...beside } = /** @type {Schema & { $ref: string }} */ (current);
    const found = $ref === FILLED ? {} : steps < 16 ? pointed(document, $ref) : undefined;
    if (!isObject(found)) {
      report.leave(at(place, "$ref"), about, "it leads to no schema of this document");
      return beside;
    }
    current = { ...found, ...beside };
  }
  return current;
}

/** What a reference within a document points to. @param {unknown} document @param {string} reference */
export function pointed(document, reference) {
  if (reference !== "#" && !reference.startsWith("#/")) return undefined;
  let found = document;
  try {
    for (const step of decodeURIComponent(reference.slice(1)).split("/").slice(1)) {
      const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
      found = /** @type {Record<string, unknown>} */ (found)[key];
    }
  } catch {
    return undefined;
  }
  return found;
}
