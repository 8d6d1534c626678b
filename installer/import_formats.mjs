/** The events of a tracking plan, from the form that each maker gives it. */
import { Refusal } from "./errors.mjs";
import { calls } from "./import_calls.mjs";
import { ga4 } from "./import_ga4.mjs";
import { at } from "./import_report.mjs";
import { rudderstack } from "./import_rudderstack.mjs";
import { ROW_KEYWORDS } from "./plan_schema.mjs";
import { isObject } from "./schema_type.mjs";

/** @typedef {import("./import_files.mjs").Document} Document */
/** @typedef {import("./import_report.mjs").Report} Report */
/** @typedef {Record<string, unknown>} Schema */
/**
 * An event as a plan has it.
 *
 * @typedef {object} Planned
 * @property {string} name
 * @property {string} place
 * @property {unknown} [description]
 * @property {unknown} schema of what the event holds
 * @property {string} schemaPlace
 * @property {unknown} document in which the schema's references point
 * @property {boolean} [isExported] whether `export` wrote it
 * @property {Partial<import("./plan_schema.mjs").PlannedType>} [row] what the plan says of the row itself
 * @property {Record<string, string>} [places] of its keys, where they are not in the schema
 * @property {WeakMap<object, string>} [spots] where in the plan a schema was made from
 * @property {Record<string, string>} [requiredPlaces] where the plan says that a key is required, if elsewhere
 */

/** @type {Record<string, (documents: Document[], report: Report) => Planned[]>} */
export const FORMATS = { segment, rudderstack, snowplow, ga4, "json-schema": jsonSchema };

/** The plan of Segment's Protocols, as its Public API, its former Config API or a download gives it. @param {Document[]} documents @param {Report} report @returns {Planned[]} */
function segment(documents, report) {
  return documents.flatMap(({ file, content }) => calls(content, file, report, "Segment"));
}

/** Self-describing schemas of an Iglu registry: one event a file, or several in a list. @param {Document[]} documents @param {Report} report @returns {Planned[]} */
function snowplow(documents, report) {
  const schemas = documents.flatMap(({ file, content }) =>
    Array.isArray(content)
      ? content.map((schema, index) => ({ schema, place: `${file}${at("", index)}` }))
      : [{ schema: content, place: documents.length > 1 ? file : "" }]
  );
  const described = schemas.flatMap(({ schema, place }) => {
    const self = isObject(schema) && isObject(schema.self) ? schema.self : undefined;
    if (!isObject(schema) || self === undefined || typeof self.name !== "string" || self.format !== "jsonschema") {
      report.leave(
        place,
        "a schema",
        "it does not describe itself: a schema of Iglu has self.vendor, name, format and version",
      );
      return [];
    }
    return [{ schema, place, name: self.name, vendor: String(self.vendor), version: String(self.version) }];
  });
  if (described.length === 0) {
    throw new Refusal("the plan holds no self-describing schema; name a schema of Iglu, or a folder of them");
  }
  const number = (/** @type {string} */ version) => version.split("-").map((part) => part.padStart(9, "0")).join("-");
  return described.flatMap(({ schema, place, name, vendor, version }) => {
    const newer = described.find((other) =>
      other.vendor === vendor && other.name === name && number(other.version) > number(version)
    );
    if (newer) {
      report.leave(place, `${vendor}/${name}/${version}`, `the plan has its version ${newer.version} too`);
      return [];
    }
    return [{ name, place, description: schema.description, schema, schemaPlace: place, document: schema }];
  });
}

/**
 * Plain JSON Schema: what `export` wrote; one schema of metadata, named by its title; or named ones under `$defs`.
 *
 * @param {Document[]} documents @param {Report} report @returns {Planned[]}
 */
function jsonSchema(documents, report) {
  return documents.flatMap(({ file, content }) => {
    if (!isObject(content)) throw new Refusal(`${file} is no JSON Schema: it is not an object`);
    const one = (/** @type {string} */ name, /** @type {unknown} */ schema, /** @type {string} */ place) =>
      planned(name, schema, place, content);
    const events = isObject(content.$defs) && isObject(content.$defs.events) ? content.$defs.events : undefined;
    if (events && isObject(events.$defs) && isObject(content.$defs) && isObject(content.$defs.gate)) {
      return Object.entries(events.$defs).map(([id, schema]) => ({
        ...one(id, schema, at("", "$defs", "events", "$defs", id)),
        isExported: true,
      }));
    }
    if (isObject(content.properties)) {
      const name = typeof content.title === "string" ? content.title : /([^\\/]+?)(\.[^.]*)?$/.exec(file)?.[1] ?? file;
      const { title: _, ...schema } = content;
      return [one(name, schema, "")];
    }
    const word = ["$defs", "definitions", "schemas"].find((key) => isObject(content[key]));
    if (word === undefined) {
      throw new Refusal(
        `${file} names no events: give it properties and a title, or a schema for each event under $defs`,
      );
    }
    for (const key of Object.keys(content)) {
      if (!["$defs", "definitions", "schemas", "$schema", "$id", "$comment", "title", "description"].includes(key)) {
        report.leave(at("", key), "the document", "only the schemas under its $defs become event types");
      }
    }
    return Object.entries(/** @type {Schema} */ (content[word])).flatMap(([id, schema]) => {
      const place = at("", word, id);
      if (!isObject(schema) || schema.type === undefined || [schema.type].flat().includes("object")) {
        return [one(id, schema, place)];
      }
      report.change(place, id, "it is no schema of an object, so no event: it stands where it is referred to");
      return [];
    });
  });
}

/** A schema of metadata, or of a whole event that names its type. @param {string} name @param {unknown} schema @param {string} place @param {unknown} document @returns {Planned} */
function planned(name, schema, place, document) {
  const given = isObject(schema) ? schema : {};
  const parts = isObject(given.properties) ? given.properties : {};
  const type = isObject(parts.event_type) ? parts.event_type.const : undefined;
  const category = isObject(parts.event_category) ? parts.event_category.const : undefined;
  const description = given.description;
  if (typeof type !== "string") return { name, place, description, schema, schemaPlace: place, document };
  const said = Object.entries(ROW_KEYWORDS).filter(([, keyword]) => given[keyword] !== undefined);
  return {
    name: type,
    place,
    description,
    schema: parts.metadata,
    schemaPlace: at(place, "properties", "metadata"),
    document,
    row: {
      id: type,
      ...typeof category === "string" ? { category } : {},
      ...Object.fromEntries(said.map(([column, keyword]) => [column, given[keyword]])),
    },
  };
}
