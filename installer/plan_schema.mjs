/**
 * The plan of an install as JSON Schema 2020-12, and the words by which `import` knows it again. What the registry means by a
 * payload schema is written out: a null passes where nothing is required, a required text is not blank, and a closed payload
 * takes what the tracker and the gate add.
 */
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

/** What a required key holds: no null and no blank text. */
export const FILLED = "#/$defs/gate/$defs/filled";
/** What a key holds that the tracker or the gate adds. */
export const ADDED = "#/$defs/gate/$defs/added";

/** The keys of metadata that each event type takes. */
const ADDED_KEYS = [
  "automated",
  "email_hash",
  "email_hash_kind",
  "tracker",
  "tracking_consent",
  "tracking_consent_at",
  "tracking_consent_version",
];

const GATE = {
  $defs: {
    added: { type: ["string", "null"], maxLength: 128 },
    filled: {
      type: ["string", "number", "boolean", "object", "array"],
      pattern: "[^\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]",
    },
  },
};

/** The keywords of a row that a payload schema has no word for. */
export const ROW_KEYWORDS = {
  tier: "x-tier",
  score_weight: "x-score-weight",
  daily_cap: "x-daily-cap",
  withdraws_consent: "x-withdraws-consent",
};

/** The keywords that mean the same in both, in the order in which they are written. */
const SAME = ["description", "minimum", "maximum", "minLength", "maxLength", "personal"];

const byCode = (/** @type {string} */ a, /** @type {string} */ b) => a < b ? -1 : a > b ? 1 : 0;

/** A plan as one document: the same text for the same types, in whatever order they come. @param {PlannedType[]} types */
export function planDocument(types) {
  const inOrder = types.toSorted((a, b) => byCode(a.id, b.id));
  const document = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $comment: "Written by `audience-gate export`; `audience-gate import --plan json-schema` takes it.",
    anyOf: inOrder.map(({ id }) => ({ $ref: `#/$defs/events/$defs/${fragment(id)}` })),
    $defs: {
      events: { $defs: Object.fromEntries(inOrder.map((type) => [type.id, eventSchema(type)])) },
      gate: GATE,
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** A payload schema with its keys in order, whatever order it came in. @param {unknown} schema @returns {unknown} */
export function sorted(schema) {
  if (!isObject(schema) || !isObject(schema.properties)) return schema;
  const properties = Object.entries(schema.properties).sort(([a], [b]) => byCode(a, b));
  const required = Array.isArray(schema.required) ? { required: schema.required.map(String).sort(byCode) } : {};
  return { ...schema, properties: Object.fromEntries(properties), ...required };
}

/** A key as a part of a reference. @param {string} key */
const fragment = (key) => encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"));

/** An event of a type. @param {PlannedType} type */
function eventSchema(type) {
  const payload = payloadSchema(type.payload_schema);
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

/** What a payload schema of the registry asks of metadata. @param {unknown} schema @returns {Schema} */
export function payloadSchema(schema) {
  const given = isObject(schema) ? schema : {};
  const properties = isObject(given.properties) ? given.properties : {};
  const required = Array.isArray(given.required) ? given.required.map(String) : [];
  const isClosed = given.additionalProperties === false;
  const named = [...new Set([...Object.keys(properties), ...required])].sort(byCode);
  const added = isClosed ? ADDED_KEYS.filter((key) => !named.includes(key)) : [];
  const all = [
    ...named.map((key) => [key, propertySchema(properties[key], required.includes(key))]),
    ...added.map((key) => [key, { $ref: ADDED }]),
  ];
  return {
    type: "object",
    ...all.length === 0 ? {} : { properties: Object.fromEntries(all) },
    ...required.length === 0 ? {} : { required: [...new Set(required)].sort(byCode) },
    ...isClosed ? { additionalProperties: false } : {},
  };
}

/** @param {unknown} says @param {boolean} isRequired @returns {Schema} */
function propertySchema(says, isRequired) {
  const given = isObject(says) ? says : {};
  const type = given.type === undefined ? {} : { type: isRequired ? given.type : [given.type, "null"] };
  const choices = Array.isArray(given.enum) ? given.enum : [];
  // A list or an object is no choice, and a null is one where nothing is required.
  const plain = choices.filter((choice) => typeof choice !== "object");
  return {
    ...isRequired ? { $ref: FILLED } : {},
    ...type,
    ...choices.length === 0 ? {} : { enum: isRequired && plain.length > 0 ? plain : [...plain, null] },
    ...Object.fromEntries(SAME.filter((word) => given[word] !== undefined).map((word) => [word, given[word]])),
  };
}
