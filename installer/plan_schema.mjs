/**
 * The plan of an install as JSON Schema 2020-12, and the words by which `import` knows it again. The customs of a payload
 * schema are written out: a key that is null counts as absent, a required text is not blank, and a closed payload takes what
 * the tracker and the gate add.
 */
import { payloadOf } from "./import_payload.mjs";
import { Report } from "./import_report.mjs";
import { fragment } from "./import_parts.mjs";
import { IN_PLACE, NAMED } from "./import_words.mjs";
import { ADDED, FILLED, GATE, MARKS, PRESENT, UNASKED, UNLESS_NULL } from "./plan_marks.mjs";
import { isObject } from "./schema_type.mjs";

/** @typedef {Record<string, unknown>} Schema */
/**
 * An event type, as the snapshot of a registry has it or a row of the database.
 *
 * @typedef {object} PlannedType
 * @property {string} id
 * @property {string} category
 * @property {unknown} [payload_schema]
 * @property {string} [description]
 * @property {string} [tier]
 * @property {number} [score_weight]
 * @property {number} [daily_cap]
 * @property {boolean} [withdraws_consent]
 */

/** The keywords of a row that a payload schema has no word for. */
export const ROW_KEYWORDS = {
  tier: "x-tier",
  score_weight: "x-score-weight",
  daily_cap: "x-daily-cap",
  withdraws_consent: "x-withdraws-consent",
};

/** The keywords that come first where a key is described. */
const FIRST = ["$ref", "type", "enum", "description", "minimum", "maximum", "minLength", "maxLength", "personal"];
/** Keywords that judge a null as they judge everything. */
const OF_ANY = ["const", "$ref", ...IN_PLACE];
/** Keywords whose value names its members as it likes. */
const AS_IS = ["const", "enum", "default", "examples"];
/** Keywords with schemas by name. */
const BY_NAME = ["$defs", ...NAMED];

const byCode = (/** @type {string} */ a, /** @type {string} */ b) => a < b ? -1 : a > b ? 1 : 0;

/** A plan as one document: the same text for the same types, in whatever order they come. @param {PlannedType[]} types */
export function planDocument(types) {
  const inOrder = types.toSorted((a, b) => byCode(a.id, b.id));
  const document = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $comment: "Written by `audience-gate export`; `audience-gate import --plan json-schema` takes it.",
    anyOf: inOrder.map(({ id }) => ({ $ref: placeOf(id) })),
    $defs: {
      events: { $defs: Object.fromEntries(inOrder.map((type) => [type.id, eventSchema(type)])) },
      gate: GATE,
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

const placeOf = (/** @type {string} */ id) => `#/$defs/events/$defs/${fragment(id)}`;

/** An event of a type. @param {PlannedType} type */
function eventSchema(type) {
  const payload = payloadSchema(type.payload_schema, `${placeOf(type.id)}/properties/metadata`);
  const said = Object.entries(ROW_KEYWORDS).flatMap(([column, keyword]) => {
    const value = type[/** @type {keyof typeof ROW_KEYWORDS} */ (column)];
    return value === undefined ? [] : [[keyword, value]];
  });
  return {
    ...type.description === undefined ? {} : { description: type.description },
    type: "object",
    properties: {
      event_type: { const: type.id },
      event_category: { const: type.category },
      metadata: payload,
    },
    required: ["event_type", "event_category", ..."required" in payload ? ["metadata"] : []],
    ...Object.fromEntries(said),
  };
}

/** A payload schema as `import` would write it, in order: the same for all that mean and say the same. @param {unknown} schema @returns {Schema | null} */
export function normal(schema) {
  const payload = payloadOf(schema ?? {}, "", {
    report: new Report(),
    document: schema,
    about: "",
    isPayload: true,
    isPersonal: () => false,
    takes: () => true,
    redact: (text) => text,
    fault: () => undefined,
  });
  return /** @type {Schema | null} */ (inOrder(payload));
}

/** A schema with its keys in order, whatever order it came in. @param {unknown} schema @returns {unknown} */
function inOrder(schema) {
  if (Array.isArray(schema)) return schema.map(inOrder);
  if (!isObject(schema)) return schema;
  const rank = (/** @type {string} */ word) => (FIRST.indexOf(word) + 1) || FIRST.length + 1;
  const words = Object.keys(schema).sort((a, b) => rank(a) - rank(b) || byCode(a, b));
  return Object.fromEntries(words.map((word) => [word, ordered(word, schema[word])]));
}

/** What a keyword says, in order. @param {string} word @param {unknown} says @returns {unknown} */
function ordered(word, says) {
  if (AS_IS.includes(word)) return alphabetic(says);
  if (word === "required" && Array.isArray(says)) return [...new Set(says.map(String))].sort(byCode);
  if (word === "dependentRequired") return alphabetic(says);
  if (!BY_NAME.includes(word) || !isObject(says)) return inOrder(says);
  return Object.fromEntries(Object.keys(says).sort(byCode).map((name) => [name, inOrder(says[name])]));
}

/** A value with its keys in order. @param {unknown} value @returns {unknown} */
function alphabetic(value) {
  if (Array.isArray(value)) return value.map(alphabetic);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort(byCode).map((key) => [key, alphabetic(value[key])]));
}

/**
 * What a payload schema of the registry asks of metadata.
 *
 * @param {unknown} schema @param {string} [place] where it is in its document @returns {Schema}
 */
export function payloadSchema(schema, place = "#") {
  const { $defs, ...given } = /** @type {Schema} */ (pointing(normal(schema) ?? {}, place));
  const required = [given.required ?? []].flat().map(String);
  return { type: "object", ...overMetadata(given, required), ...$defs === undefined ? {} : { $defs } };
}

/** References to definitions, as they are from the whole document. @param {unknown} schema @param {string} place @returns {unknown} */
function pointing(schema, place) {
  if (Array.isArray(schema)) return schema.map((one) => pointing(one, place));
  if (!isObject(schema)) return schema;
  const all = (/** @type {Schema} */ schemas) =>
    Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, pointing(one, place)]));
  return Object.fromEntries(
    Object.entries(schema).map(([word, says]) => {
      if (word === "$ref") return [word, place + String(says).slice(1)];
      if (BY_NAME.includes(word) && isObject(says)) return [word, all(says)];
      return [word, AS_IS.includes(word) ? says : pointing(says, place)];
    }),
  );
}

/**
 * A schema over metadata in which a null counts as absent, for validators to which it does not.
 *
 * @param {Schema} given @param {string[]} [filled] the keys that may not be blank either, where it is the whole schema @returns {Schema}
 */
function overMetadata(given, filled) {
  const says = Object.fromEntries(Object.entries(given).map(([word, value]) => [word, overSame(word, value)]));
  const required = [given.required ?? []].flat().map(String);
  const properties = isObject(given.properties) ? given.properties : {};
  const isWhole = filled !== undefined;
  const rest = given.additionalProperties;
  const added = rest === undefined ? [] : MARKS.keys;
  const named = [...new Set([...Object.keys(properties), ...required])].sort(byCode);
  const all = [...new Set([...named, ...added])].map((key) => {
    if (!named.includes(key)) {
      return [key, { $ref: isWhole && rest === false ? ADDED : UNASKED }];
    }
    return [key, propertySchema(properties[key], required.includes(key) ? isWhole ? FILLED : PRESENT : undefined)];
  });
  const {
    dependentRequired: _,
    dependentSchemas: __,
    properties: ___,
    required: names,
    additionalProperties: others,
    ...more
  } = says;
  const depending = dependents(given);
  // Always in this order, however much of it is said.
  return {
    ...all.length === 0 ? {} : { properties: Object.fromEntries(all) },
    ...names === undefined ? {} : { required: names },
    ...rest === undefined ? {} : { additionalProperties: rest === false && !isWhole ? { type: "null" } : others },
    ...more,
    // A closed payload sees a null under any key that it does not describe.
    ...isWhole && rest === false && "patternProperties" in given ? { patternProperties: given.patternProperties } : {},
    ...depending === undefined ? {} : { dependentSchemas: depending },
  };
}

/** A keyword whose schemas look at metadata, as it is said to others. @param {string} word @param {unknown} value @returns {unknown} */
function overSame(word, value) {
  const one = (/** @type {unknown} */ schema) => isObject(schema) ? overMetadata(schema) : schema;
  if (word === "patternProperties" && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, propertySchema(schema, undefined)]));
  }
  if (word === "additionalProperties" && isObject(value)) return propertySchema(value, undefined);
  if (!IN_PLACE.includes(word) || word === "dependentSchemas") return value;
  if (Array.isArray(value)) return value.map(one);
  return one(value);
}

/** What is asked with a key that is not null. @param {Schema} given @returns {Schema | undefined} */
function dependents({ dependentRequired, dependentSchemas }) {
  const names = isObject(dependentRequired) ? dependentRequired : {};
  const schemas = isObject(dependentSchemas) ? dependentSchemas : {};
  const keys = [...new Set([...Object.keys(schemas), ...Object.keys(names)])].sort(byCode);
  const all = keys.map((key) => {
    const one = schemas[key];
    const parts = [
      ...key in schemas ? [isObject(one) ? overMetadata(one) : one] : [],
      ...key in names ? [overMetadata({ required: [names[key]].flat() })] : [],
    ];
    return [key, UNLESS_NULL.with(key, parts.length === 1 ? parts[0] : { allOf: parts })];
  });
  return all.length === 0 ? undefined : Object.fromEntries(all);
}

/** @param {unknown} says @param {string | undefined} mark what a required key is known by @returns {Schema} */
function propertySchema(says, mark) {
  if (typeof says === "boolean") return says ? propertySchema({}, mark) : { enum: [null] };
  const given = isObject(says) ? says : {};
  if (OF_ANY.some((word) => word in given)) {
    return mark === undefined
      ? { anyOf: [{ type: "null" }, given] }
      : "$ref" in given
      ? { $ref: mark, allOf: [given] }
      : { $ref: mark, ...given };
  }
  const types = given.type === undefined ? [] : [given.type].flat();
  const type = types.length === 0 ? {} : { type: mark ? given.type : [...types, "null"] };
  const { type: _, enum: choices, ...rest } = given;
  // A null is no choice where a key is required.
  const plain = Array.isArray(choices) ? choices.filter((choice) => choice !== null) : [];
  return {
    ...mark ? { $ref: mark } : {},
    ...type,
    ...Array.isArray(choices) && choices.length > 0
      ? { enum: mark && plain.length > 0 ? plain : [...plain, null] }
      : {},
    ...rest,
  };
}
