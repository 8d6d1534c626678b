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
  /** Where a schema was made from. @type {WeakMap<object, string>} */
  #spots = new WeakMap();
  /** The types of its own that are being looked into, so that none is within itself without end. @type {string[]} */
  #within = [];

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
      const isClosed = given.additional_properties === false ||
        isObject(given.event) && given.event.allow_unplanned === false;
      const { places, requiredPlaces, ...said } = this.#schema(given, place, name);
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
        spots: this.#spots,
      }];
    });
  }

  /** What something holds that has properties, and variants of them. @param {Values} given @param {string} place @param {string} name */
  #schema(given, place, name) {
    const own = this.#properties(given.properties, at(place, "properties"), name);
    const variants = (Array.isArray(given.variants) ? given.variants.filter(isObject) : []).flatMap((variant, index) =>
      this.#variant(variant, at(place, "variants", index), name)
    );
    const parts = [...variants.map(({ found }) => found), own];
    const all = variants.map(({ schema }) => schema).filter((schema) => schema !== undefined);
    return {
      places: Object.fromEntries(parts.flatMap(({ places }) => places)),
      requiredPlaces: Object.fromEntries(parts.flatMap(({ requiredPlaces }) => requiredPlaces)),
      // What a case holds is let in everywhere, and asked for in its case.
      properties: Object.fromEntries(parts.flatMap(({ properties }) => properties)),
      ...own.required.length === 0 ? {} : { required: own.required },
      ...all.length === 0 ? {} : { allOf: all },
    };
  }

  /** Properties that are asked for where another has a certain value. @param {Values} variant @param {string} place @param {string} name */
  #variant(variant, place, name) {
    const { entry } = this.#find("property", variant.discriminator) ?? {};
    const cases = Array.isArray(variant.cases) ? variant.cases.filter(isObject) : [];
    if (entry === undefined || cases.some(({ match }) => !Array.isArray(match))) {
      this.report.leave(place, name, "it names no property of the plan, or a case without values");
      return [];
    }
    const key = String(entry.name ?? entry.id);
    const is = (/** @type {unknown[]} */ values) => ({ properties: { [key]: { enum: values } }, required: [key] });
    const listed = (/** @type {unknown} */ given) => isObject(given) ? given.properties : given;
    const asked = (/** @type {string[]} */ required) => ({ required });
    const found = cases.map((one, index) => {
      const there = at(place, "cases", index);
      const of = this.#properties(one.properties, at(there, "properties"), name);
      const schema = { if: is([one.match].flat()), then: asked(of.required) };
      this.#spots.set(schema, there).set(schema.then, at(there, "properties"));
      return { found: of, schema: of.required.length > 0 ? schema : undefined };
    });
    const there = at(place, "default");
    const otherwise = this.#properties(listed(variant.default), there, name);
    const schema = { if: is(cases.flatMap(({ match }) => [match].flat())), else: asked(otherwise.required) };
    this.#spots.set(schema, there).set(schema.else, there);
    return [...found, { found: otherwise, schema: otherwise.required.length > 0 ? schema : undefined }];
  }

  /** @param {unknown} list @param {string} place @param {string} name */
  #properties(list, place, name) {
    /** @type {{ properties: [string, Values][], places: [string, string][], requiredPlaces: [string, string][], required: string[] }} */
    const found = { properties: [], places: [], requiredPlaces: [], required: [] };
    for (const [index, given] of (Array.isArray(list) ? list : []).entries()) {
      const { entry, place: there = "" } =
        this.#find("property", isObject(given) && given.$ref === undefined ? given.property ?? given.id : given) ?? {};
      if (entry === undefined) {
        this.report.leave(at(place, index), name, "no file of the plan has this property");
        continue;
      }
      const key = String(entry.name ?? entry.id);
      const says = this.#property(entry, there, `${name}.${key}`);
      if (isObject(given) && given.properties !== undefined) {
        this.#nest(says, given, at(place, index), `${name}.${key}`);
      }
      this.#spots.set(says, there);
      found.properties.push([key, says]);
      found.places.push([key, there]);
      found.requiredPlaces.push([key, at(place, index, "required")]);
      if (isObject(given) && given.required === true) found.required.push(key);
    }
    return found;
  }

  /** Adds what an object holds, or each object of a list. @param {Values} says @param {Values} given @param {string} place @param {string} name */
  #nest(says, given, place, name) {
    const { places: _, requiredPlaces: __, ...schema } = this.#schema(given, place, name);
    const isClosed = given.additional_properties === false;
    const whole = { ...schema, ...isClosed ? { additionalProperties: false } : {} };
    this.#spots.set(whole, place);
    if ([says.type].flat().includes("array")) says.items = { type: "object", ...whole };
    else Object.assign(says, whole);
  }

  /** @param {Values} entry @param {string} place @param {string} name @returns {Values} */
  #property(entry, place, name) {
    const custom = typeof entry.type === "string" && entry.type.startsWith("#") && !this.#within.includes(entry.type)
      ? this.#find("custom-type", entry.type)
      : undefined;
    const { type, config } = custom?.entry ?? entry;
    const said = isObject(config) ? config : isObject(entry.propConfig) ? entry.propConfig : {};
    const names = (Array.isArray(type) ? type : String(type ?? entry.types ?? "").split(",")).map((name) =>
      String(name).trim()
    )
      .filter((name) => name !== "" && name !== "any" && !name.startsWith("#"));
    /** @type {Values} */
    const says = {
      ...names.length === 0 ? {} : { type: names.length === 1 ? names[0] : names },
      ...Object.fromEntries(Object.entries(said).map(([word, value]) => [camel(word), value])),
      ...typeof entry.description === "string" ? { description: entry.description } : {},
    };
    this.#within.push(String(entry.type));
    const items = says.items ?? entry.item_types ?? entry.itemTypes;
    if (Array.isArray(items)) {
      const [only] = items;
      says.items = items.length === 1 && typeof only === "string" && only.startsWith("#")
        ? this.#property({ type: only }, place, name)
        : { type: items };
    }
    if (custom !== undefined && Array.isArray(custom.entry.properties)) {
      this.#nest(says, custom.entry, custom.place, name);
    }
    this.#within.pop();
    return says;
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
