/** A tracking plan of RudderStack: JSON as its API gives it, or the YAML files of its command line (kinds v0.1 and v1). */
import { Refusal } from "./errors.mjs";
import { calls } from "./import_calls.mjs";
import { at } from "./import_report.mjs";
import { isObject } from "./schema_type.mjs";

/** @typedef {import("./import_formats.mjs").Planned} Planned */
/** @typedef {import("./import_report.mjs").Report} Report */
/** @typedef {Record<string, unknown>} Values */
/** @typedef {{ file: string, group: string, spec: Values }} Part */

/** @param {import("./import_files.mjs").Document[]} documents @param {Report} report @returns {Planned[]} */
export function rudderstack(documents, report) {
  const isCatalog = documents.some(({ content }) => isObject(content) && typeof content.kind === "string");
  if (!isCatalog) return documents.flatMap(({ file, content }) => calls(content, file, report, "RudderStack"));
  const catalog = new Catalog(documents, report);
  return catalog.plans.flatMap(({ file, spec }) => catalog.events(file, spec));
}

/** The files of a data catalog, in which a plan names events and properties by reference. */
class Catalog {
  /** @type {Part[]} */
  plans = [];
  /** Events, properties and types by kind and id, with their places. @type {Map<string, { entry: Values, place: string }>} */
  #entries = new Map();

  /** @param {import("./import_files.mjs").Document[]} documents @param {Report} report */
  constructor(documents, report) {
    this.report = report;
    for (const { file, content } of documents) {
      if (!isObject(content) || !isObject(content.spec)) continue;
      const { spec, metadata } = content;
      const group = isObject(metadata) ? String(metadata.name) : "";
      const kind = String(content.kind);
      if (kind === "tp" || kind === "tracking-plan") this.plans.push({ file, group, spec });
      for (const [list, word] of [["events", "event"], ["properties", "property"], ["types", "custom-type"]]) {
        const entries = Array.isArray(spec[list]) ? spec[list] : [];
        entries.forEach((entry, index) => {
          if (!isObject(entry)) return;
          this.#entries.set(`${word} ${entry.id}`, { entry, place: `${file}${at("", "spec", list, index)}` });
        });
      }
    }
    if (this.plans.length === 0) {
      throw new Refusal(
        "the files hold no tracking plan; name the folder that has the one of kind tracking-plan beside its events",
      );
    }
  }

  /** @param {string} file @param {Values} spec @returns {Planned[]} */
  events(file, spec) {
    const rules = Array.isArray(spec.rules) ? spec.rules : [];
    return rules.flatMap((rule, index) => {
      const place = `${file}${at("", "spec", "rules", index)}`;
      const given = isObject(rule) ? rule : {};
      const { entry } = this.#find("event", given.event) ?? {};
      if (entry === undefined) {
        this.report.leave(at(place, "event"), String(given.id ?? "a rule"), "no file of the plan has this event");
        return [];
      }
      const kind = String(entry.event_type ?? "track");
      const name = String(entry.name ?? entry.id);
      if (kind !== "track") {
        this.report.leave(place, name, `a call of the kind ${kind} is no event of the gate`);
        return [];
      }
      if (given.variants !== undefined) {
        this.report.leave(
          at(place, "variants"),
          name,
          "what depends on a value is for a rule of your own (docs/first-rule.md)",
        );
      }
      const isClosed = given.additional_properties === false ||
        isObject(given.event) && given.event.allow_unplanned === false;
      const { places, requiredPlaces, ...said } = this.#schema(given.properties, at(place, "properties"), name);
      const schema = { ...said, ...isClosed ? { additionalProperties: false } : {} };
      return [{
        name,
        place,
        description: entry.description,
        schema,
        schemaPlace: place,
        document: schema,
        places,
        requiredPlaces,
      }];
    });
  }

  /** @param {unknown} list @param {string} place @param {string} name */
  #schema(list, place, name) {
    /** @type {[string, Values][]} */
    const properties = [];
    /** @type {[string, string][]} */
    const places = [];
    /** @type {[string, string][]} */
    const requiredPlaces = [];
    /** @type {string[]} */
    const required = [];
    for (const [index, given] of (Array.isArray(list) ? list : []).entries()) {
      const { entry, place: there = "" } = this.#find("property", isObject(given) ? given.property ?? given : given) ??
        {};
      if (entry === undefined) {
        this.report.leave(at(place, index), name, "no file of the plan has this property");
        continue;
      }
      const key = String(entry.name ?? entry.id);
      properties.push([key, this.#property(entry)]);
      places.push([key, there]);
      requiredPlaces.push([key, at(place, index, "required")]);
      if (isObject(given) && given.required === true) required.push(key);
      if (isObject(given) && given.properties !== undefined) {
        this.report.leave(
          at(place, index, "properties"),
          `${name}.${key}`,
          "a payload schema says of an object only that it is one",
        );
      }
    }
    return {
      places: Object.fromEntries(places),
      requiredPlaces: Object.fromEntries(requiredPlaces),
      properties: Object.fromEntries(properties),
      ...required.length === 0 ? {} : { required },
    };
  }

  /** @param {Values} entry @returns {Values} */
  #property(entry) {
    const custom = typeof entry.type === "string" && entry.type.startsWith("#")
      ? this.#find("custom-type", entry.type)
      : undefined;
    const { type, config } = custom?.entry ?? entry;
    const said = isObject(config) ? config : isObject(entry.propConfig) ? entry.propConfig : {};
    const names = (Array.isArray(type) ? type : String(type ?? entry.types ?? "").split(",")).map((name) =>
      String(name).trim()
    )
      .filter((name) => name !== "" && name !== "any");
    return {
      ...names.length === 0 ? {} : { type: names.length === 1 ? names[0] : names },
      ...Object.fromEntries(Object.entries(said).map(([word, value]) => [camel(word), value])),
      ...typeof entry.description === "string" ? { description: entry.description } : {},
    };
  }

  /** @param {string} kind @param {unknown} reference `#/events/group/id`, `#event:id`, or an object with it @returns {{ entry: Values, place: string } | undefined} */
  #find(kind, reference) {
    const text = isObject(reference) ? reference.$ref : reference;
    const id = typeof text === "string" ? text.split(/[/:]/).at(-1) : undefined;
    return this.#entries.get(`${kind} ${id}`);
  }
}

/** JSON Schema's word for one of the catalog. @param {string} word */
function camel(word) {
  const plain = word.replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  return plain === "itemTypes" ? "items" : plain;
}
