/** The payload schema that a plan's JSON Schema becomes: what could not be carried over is said with its place. */
import { at } from "./import_report.mjs";
import { isStorable, PERSONAL } from "./import_parts.mjs";
import { Translation } from "./import_schema.mjs";
import { IN_PLACE, LISTED, NAMED, ONE, withoutNull } from "./import_words.mjs";
import { MARKS } from "./plan_marks.mjs";
import { isObject, pointed } from "./schema_type.mjs";

/** @typedef {Record<string, unknown>} Schema */
/** @typedef {import("./import_schema.mjs").Reading} Reading */

/** How long a payload schema may be, how many schemas it may hold, and how many may look at one and the same value. */
const MOST_BYTES = 65_536;
const MOST_PARTS = 2000;
const MOST_CHAIN = 16;

/**
 * The payload schema of an event; null where nothing is asked.
 *
 * @param {unknown} schema @param {string} place @param {Reading & { fault: (schema: unknown) => string | undefined, description?: unknown }} reading
 */
export function payloadOf(schema, place, reading) {
  const { report, about } = reading;
  const whole = reading.isPayload ? schema : resolved(schema, reading.document);
  if (!isObject(whole) || whole.type !== undefined && ![whole.type].flat().includes("object")) {
    if (schema !== undefined && whole !== true) report.leave(place, about, "it is not a schema of an object");
    return null;
  }
  const translation = new Translation(reading);
  const { properties, type: _, description, ...rest } = whole;
  const members = propertiesOf(isObject(properties) ? properties : {}, place, translation);
  const says = /** @type {Schema} */ (translation.schema(
    description === reading.description ? rest : { description, ...rest },
    { place, about, isMetadata: true },
  ));
  // Whatever a closed payload requires is let in.
  const names = [says.required ?? []].flat().map(String).filter((name) =>
    reading.isPayload || says.additionalProperties === false || MARKS.keys.includes(name)
  );
  const described = { ...Object.fromEntries(names.map((name) => [name, {}])), ...members };
  const payload = {
    ...Object.keys(described).length === 0 ? {} : { properties: described },
    ...says,
    ...Object.keys(translation.defs).length === 0 ? {} : { $defs: translation.defs },
  };
  const refusal = refused(payload, reading.fault);
  if (refusal !== undefined) report.leave(place, about, `${refusal}; only the event itself is registered`);
  return refusal !== undefined || Object.keys(payload).length === 0 ? null : payload;
}

/** What a payload schema says of each key of metadata. @param {Schema} given @param {string} place @param {Translation} translation */
function propertiesOf(given, place, translation) {
  const { report, reading } = translation;
  /** @type {[string, { says: Schema, place: string, about: string }][]} */
  const kept = [];
  for (const [key, one] of Object.entries(given)) {
    const there = reading.places?.[key] ?? at(place, "properties", key);
    const about = `${reading.about}.${key}`;
    if (isObject(one) && MARKS.added.includes(String(one.$ref))) continue;
    const { says, isNullable } = withoutNull(propertyOf(one, reading.document));
    if (!isStorable(key)) report.leave(there, reading.about, "Postgres cannot hold this key");
    else if (says.personal !== false && reading.isPersonal(key, says.type)) report.leave(there, about, PERSONAL);
    else {
      if (says.personal === false) translation.exempt.add(key);
      if (isNullable) translation.nullable.add(key);
      translation.types.set(key, says.type);
      kept.push([key, { says, place: there, about }]);
    }
  }
  return Object.fromEntries(kept.map(([key, { says, place, about }]) => {
    report.carry();
    const { const: constant, ...more } = says;
    if (constant === undefined || typeof constant === "object" || says.enum !== undefined) {
      return [key, translation.schema(says, { place, about })];
    }
    // What is said in the plainest words is judged fastest.
    report.change(at(place, "const"), about, `it is written as ${JSON.stringify({ enum: [constant] })}`);
    return [key, translation.schema({ ...more, enum: [constant] }, { place, about })];
  }));
}

/** What a plan says of a key, itself in place of a reference where that needs no others. @param {unknown} given @param {unknown} document @returns {Schema} */
function propertyOf(given, document) {
  if (!isObject(given)) return given === false ? { enum: [null] } : {};
  let { ...says } = given;
  if (MARKS.all.includes(String(says.$ref))) delete says.$ref;
  while (Object.keys(says).join() === "allOf" && Array.isArray(says.allOf) && says.allOf.length === 1) {
    const [only] = says.allOf;
    if (!isObject(only)) break;
    says = only;
  }
  const whole = resolved(says, document);
  return !isObject(whole) || JSON.stringify(whole).includes('"$ref":') ? says : whole;
}

/** A schema in place of a reference to it, unless both say something of the same kind. @param {unknown} schema @param {unknown} document @returns {unknown} */
function resolved(schema, document) {
  let current = schema;
  for (let steps = 0; steps < MOST_CHAIN && isObject(current) && typeof current.$ref === "string"; steps += 1) {
    const { $ref, ...beside } = /** @type {Schema & { $ref: string }} */ (current);
    const found = MARKS.all.includes($ref) ? {} : pointed(document, $ref);
    if (!isObject(found) || Object.keys(found).some((word) => word in beside && word !== "description")) return current;
    current = { ...found, ...beside };
  }
  return current;
}

/** Why a database would refuse a payload schema. @param {Schema} payload @param {(schema: unknown) => string | undefined} fault */
function refused(payload, fault) {
  const text = JSON.stringify(payload);
  if (text.length > MOST_BYTES / 4 && Buffer.byteLength(text) > MOST_BYTES) {
    return `the payload schema is longer than ${MOST_BYTES} bytes`;
  }
  const parts = partsOf(payload);
  if (parts.length > MOST_PARTS) return `the payload schema has more than ${MOST_PARTS} schemas within`;
  if (parts.some((part) => chain(part, payload, 1) > MOST_CHAIN)) {
    return `more than ${MOST_CHAIN} of its schemas look at one and the same value, or one leads back to itself`;
  }
  const place = fault(payload);
  return place === undefined ? undefined : `the gate cannot judge by the payload schema at ${place}`;
}

/** The schemas within a schema, itself included. @param {unknown} schema @returns {Schema[]} */
function partsOf(schema) {
  if (!isObject(schema)) return [];
  return [schema, ...["$defs", ...ONE, ...LISTED, ...NAMED].flatMap((word) => within(schema, word)).flatMap(partsOf)];
}

/** @param {Schema} schema @param {string} word @returns {unknown[]} */
function within(schema, word) {
  const says = schema[word];
  if (ONE.includes(word)) return says === undefined ? [] : [says];
  return Array.isArray(says) ? says : isObject(says) ? Object.values(says) : [];
}

/** The longest way of schemas that look at the same value as this one. @param {unknown} schema @param {Schema} root @param {number} length @returns {number} */
function chain(schema, root, length) {
  if (!isObject(schema) || length > MOST_CHAIN) return length;
  const next = IN_PLACE.flatMap((word) => within(schema, word));
  if (typeof schema.$ref === "string") next.push(pointed(root, schema.$ref));
  return Math.max(length, ...next.map((one) => chain(one, root, length + 1)));
}
