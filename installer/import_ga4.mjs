/**
 * A plan for Google Analytics 4, which has no form of its own: the export of a Tag Manager container, whose tags name events
 * and parameters, or a list of events with their parameters, as a measurement plan or a body of the Measurement Protocol has
 * them.
 */
import { Refusal } from "./errors.mjs";
import { at } from "./import_report.mjs";
import { isObject } from "./schema_type.mjs";

/** @typedef {import("./import_formats.mjs").Planned} Planned */
/** @typedef {import("./import_report.mjs").Report} Report */
/** @typedef {Record<string, unknown>} Values */

/** What people call a type in such plans. @type {Record<string, string>} */
const TYPES = {
  string: "string",
  text: "string",
  number: "number",
  float: "number",
  double: "number",
  currency: "number",
  integer: "integer",
  int: "integer",
  boolean: "boolean",
  bool: "boolean",
  array: "array",
  object: "object",
};

/** What GA4 asks of an item of a shop. */
const ITEM = {
  type: "object",
  properties: {
    item_id: { type: "string" },
    item_name: { type: "string" },
    price: { type: "number" },
    quantity: { type: "number" },
  },
  anyOf: [{ required: ["item_id"] }, { required: ["item_name"] }],
};

/** @param {import("./import_files.mjs").Document[]} documents @param {Report} report @returns {Planned[]} */
export function ga4(documents, report) {
  return documents.flatMap(({ file, content }) => {
    const given = isObject(content) ? content : {};
    if (isObject(given.containerVersion)) return container(given.containerVersion, report);
    const events = Array.isArray(content) ? content : given.events;
    if (!Array.isArray(events)) {
      throw new Refusal(
        `${file} is no plan for GA4: take the export of a Tag Manager container, or {"events": [{"name", "params"}]}`,
      );
    }
    return events.flatMap((event, index) => {
      const place = Array.isArray(content) ? at("", index) : at("", "events", index);
      if (!isObject(event) || typeof event.name !== "string") {
        report.leave(place, "an event", "it has no name");
        return [];
      }
      const word = event.params === undefined ? "parameters" : "params";
      const { places, ...schema } = Array.isArray(event[word])
        ? described(event[word], at(place, word), event.name, report)
        : exampled(event[word], at(place, word), event.name, report);
      return [planned(event.name, place, event.description, schema, places)];
    });
  });
}

/** @param {string} name @param {string} place @param {unknown} description @param {Values} schema @param {Record<string, string>} places @returns {Planned} */
const planned = (name, place, description, schema, places) => ({
  name,
  place,
  description,
  schema,
  schemaPlace: place,
  document: schema,
  places,
  requiredPlaces: Object.fromEntries(Object.entries(places).map(([key, there]) => [key, at(there, "required")])),
});

/** Parameters with name, type and whether they are required. @param {unknown[]} list @param {string} place @param {string} name @param {Report} report */
function described(list, place, name, report) {
  /** @type {[string, Values][]} */
  const properties = [];
  /** @type {[string, string][]} */
  const places = [];
  /** @type {string[]} */
  const required = [];
  list.forEach((given, index) => {
    const one = typeof given === "string" ? { name: given } : given;
    if (!isObject(one) || typeof one.name !== "string") {
      report.leave(at(place, index), name, "a parameter has no name");
      return;
    }
    const said = String(one.type ?? "").toLowerCase();
    const type = TYPES[/^(array|list)\b/.test(said) ? "array" : said];
    if (type === undefined && said !== "") {
      report.leave(at(place, index, "type"), `${name}.${one.name}`, "it is no type that the gate knows");
    }
    const values = one.enum ?? one.values;
    places.push([one.name, at(place, index)]);
    properties.push([one.name, {
      ...type === undefined ? {} : { type },
      ...Array.isArray(values) ? { enum: values } : {},
      ...typeof one.description === "string" ? { description: one.description } : {},
      ...nested(one, said, at(place, index), `${name}.${one.name}`, report),
    }]);
    if (one.required === true || /^(yes|true|required)$/i.test(String(one.required))) required.push(one.name);
  });
  return {
    places: Object.fromEntries(places),
    properties: Object.fromEntries(properties),
    ...required.length === 0 ? {} : { required },
  };
}

/**
 * What a list or an object holds: described as parameters are, or that of a shop's items, which Google has given names.
 *
 * @param {Values} one @param {string} type @param {string} place @param {string} name @param {Report} report @returns {Values}
 */
function nested(one, type, place, name, report) {
  const isList = /^(array|list)\b/.test(type);
  const word = ["items", "params", "parameters", "properties", "fields"].find((key) => Array.isArray(one[key]));
  if (word !== undefined) {
    const { places: _, ...schema } = described(/** @type {unknown[]} */ (one[word]), at(place, word), name, report);
    return isList ? { items: { type: "object", ...schema } } : schema;
  }
  if (/^(array|list)\W*items?\b/.test(type)) return { items: ITEM };
  const of = TYPES[/^(?:array|list)\W+(\w+)/.exec(type)?.[1] ?? ""];
  return of === undefined ? {} : { items: { type: of } };
}

/** Parameters by an example of each. @param {unknown} params @param {string} place @param {string} name @param {Report} report */
function exampled(params, place, name, report) {
  const given = isObject(params) ? params : {};
  if (Object.keys(given).length > 0) {
    report.share(
      name,
      "the plan shows parameters by example: their types are those of the examples, and none is required",
    );
  }
  return {
    places: Object.fromEntries(Object.keys(given).map((key) => [key, at(place, key)])),
    properties: Object.fromEntries(Object.entries(given).map(([key, value]) => [key, like([value])])),
  };
}

/** What holds of all examples. @param {unknown[]} values @returns {Values} */
function like(values) {
  const given = values.filter((value) => value !== null && value !== "");
  const types = [...new Set(given.map((value) => Array.isArray(value) ? "array" : typeof value))];
  if (types.length === 0) return {};
  const lists = given.filter(Array.isArray);
  const objects = given.filter(isObject);
  const keys = [...new Set(objects.flatMap((value) => Object.keys(value)))];
  const items = lists.length === 0 ? {} : like(lists.flat());
  return {
    type: types.length === 1 ? types[0] : types,
    ...Object.keys(items).length === 0 ? {} : { items },
    ...keys.length === 0
      ? {}
      : { properties: Object.fromEntries(keys.map((key) => [key, like(objects.map((value) => value[key] ?? null))])) },
  };
}

/** The tags of a container that send events. @param {Values} version @param {Report} report @returns {Planned[]} */
function container(version, report) {
  const tags = Array.isArray(version.tag) ? version.tag : [];
  return tags.flatMap((tag, index) => {
    const place = at("", "containerVersion", "tag", index);
    if (!isObject(tag) || tag.type !== "gaawe") {
      const says = isObject(tag) ? String(tag.name) : "a tag";
      report.leave(place, says, "it is no tag of an event of GA4");
      return [];
    }
    const list = Array.isArray(tag.parameter) ? tag.parameter.filter(isObject) : [];
    const of = (/** @type {string} */ key) => list.find((one) => one.key === key);
    const name = String(of("eventName")?.value ?? "");
    if (name === "" || name.includes("{{")) {
      report.leave(place, String(tag.name), "the name of its event is known only when the tag fires");
      return [];
    }
    if (of("sendEcommerceData")?.value === "true") {
      report.leave(place, name, "it sends the data of a shop's data layer too, whose form the container does not say");
    }
    const table = of("eventSettingsTable") ?? of("eventParameters");
    const rows = Array.isArray(table?.list) ? table.list : [];
    const named = rows.flatMap((row, position) => {
      const map = isObject(row) && Array.isArray(row.map) ? row.map.filter(isObject) : [];
      const key = map.find((one) => one.key === "parameter" || one.key === "name")?.value;
      const there = at(place, "parameter", list.indexOf(/** @type {Values} */ (table)), "list", position);
      return typeof key === "string" ? [/** @type {const} */ ([key, there])] : [];
    });
    const keys = named.map(([key]) => key);
    if (keys.length > 0) report.share(name, "a container names the parameters of its events and not their types");
    const schema = { properties: Object.fromEntries(keys.map((key) => [key, {}])) };
    return [planned(name, place, tag.notes, schema, Object.fromEntries(named))];
  });
}
