/**
 * A plan's JSON Schema in the language of the registry, at any depth: each statement is carried over as it is, in other words,
 * or named with its place. What is left out only lets more through: where leaving out a part would refuse more, the whole
 * that it is a part of is left out too.
 */
import { at, Report } from "./import_report.mjs";
import {
  DEEP,
  fragment,
  isExact,
  isStorable,
  others,
  PART,
  PERSONAL,
  plain,
  pointedName,
  storable,
  UNFIT,
} from "./import_parts.mjs";
import { LISTED, modern, NAMED, NOTES, ONE } from "./import_words.mjs";
import { MARKS, UNLESS_NULL } from "./plan_marks.mjs";
import { isObject, pointed } from "./schema_type.mjs";

/** @typedef {Record<string, unknown>} Schema */
/**
 * What a schema is read with.
 *
 * @typedef {object} Reading
 * @property {Report} report
 * @property {unknown} document in which its references point
 * @property {string} about the event
 * @property {(key: string, type: unknown) => boolean} isPersonal whether the gate refuses such a key
 * @property {(keyword: string, value: unknown) => boolean} takes whether the gate can judge by it
 * @property {(text: string) => string} redact
 * @property {boolean} [isExported] whether `export` wrote it, which says itself where a key may not be null
 * @property {boolean} [isPayload] whether it is a payload schema already, and only to be put in order
 * @property {Record<string, string>} [places] of the event's keys, where they are not in the schema
 * @property {WeakMap<object, string>} [spots] where in the plan a schema was made from
 * @property {Record<string, string>} [requiredPlaces] where the plan says that a key is required, if elsewhere
 */
/**
 * Where a schema stands: whether what it judges is the metadata itself, of which a null counts as absent.
 *
 * @typedef {object} Where
 * @property {string} place
 * @property {string} about
 * @property {boolean} [isMetadata]
 */

/** The schema of one event. */
export class Translation {
  /** What references point to, under the names that they have here. @type {Map<string, { name: string, isWhole: boolean }>} */
  #named = new Map();
  /** @type {Record<string, unknown>} */
  defs = {};
  /** How much was left out so far. */
  #losses = 0;
  /** The keys of metadata that are said not to be personal, those that may be null, and the type of each. */
  exempt = new Set();
  nullable = new Set();
  /** @type {Map<string, unknown>} */
  types = new Map();
  /** References to the metadata itself that are being followed. @type {string[]} */
  #following = [];

  /** @param {Reading} reading */
  constructor(reading) {
    this.reading = reading;
    this.report = reading.report;
  }

  /** @param {string} place @param {string} about @param {string} why */
  leave(place, about, why) {
    this.#losses += 1;
    this.report.leave(place, about, why);
  }

  /** Whether the gate refuses a key. @param {string} key @param {unknown} type @param {boolean | undefined} isMetadata */
  #refuses(key, type, isMetadata) {
    if (isMetadata && this.exempt.has(key)) return false;
    return this.reading.isPersonal(key, type ?? (isMetadata ? this.types.get(key) : undefined));
  }

  /** @param {unknown} given @param {Where} around @returns {Schema | boolean} */
  schema(given, around) {
    if (typeof given === "boolean") return given;
    const where = { ...around, place: isObject(given) && this.reading.spots?.get(given) || around.place };
    if (!isObject(given)) {
      this.leave(where.place, where.about, "it is no schema");
      return {};
    }
    /** @type {Schema} */
    const says = {};
    const patterns = Object.keys(isObject(given.patternProperties) ? given.patternProperties : {});
    const isLost = !patterns.every((pattern) => this.reading.takes("pattern", pattern));
    const before = this.#losses;
    for (const [word, value, spelt] of modern(given)) {
      const isPartOfLost = word === "additionalProperties" && isLost || word === "maxContains" && this.#losses > before;
      // What a lost pattern lets in would be one of the others, and what a lost word keeps out would be counted.
      if (isPartOfLost) this.leave(at(where.place, spelt), where.about, PART);
      else this.#take(says, word, value, { ...where, spelt });
    }
    return says;
  }

  /** Adds to a schema what a keyword says. @param {Schema} says @param {string} word @param {unknown} value @param {Where & { spelt: string }} where */
  #take(says, word, value, { spelt, ...where }) {
    const { about } = where;
    const place = at(where.place, spelt);
    const before = this.#losses;
    if (NOTES.includes(word)) return this.#note(says, word, value, { place, about });
    const taken = this.#translated(word, value, { ...where, place });
    if (taken === undefined) {
      // Its own line is written.
      if (this.#losses === before) {
        this.leave(place, about, UNFIT[word] ?? "the gate does not judge by it (RULES.md, The language of schemas)");
      }
      return;
    }
    for (const [name, what] of Object.entries(taken)) {
      if (!(name in says)) says[name] = what;
      else if (name === "allOf") says.allOf = [...[says.allOf].flat(), ...[what].flat()];
      else says.allOf = [...[says.allOf ?? []].flat(), { [name]: what }];
    }
    // Of names, each counts.
    if (Object.keys(taken).length > 0 && word !== "required") this.report.carry();
  }

  /** @param {string} word @param {unknown} value @param {Where} where @returns {Schema | undefined} */
  #translated(word, value, where) {
    if (word === "$ref") return this.#reference(value, where);
    if (word === "anyOf" || word === "oneOf") return this.#choice(word, value, where);
    if (word === "not" || word === "if") return this.#whole(word, value, where);
    if (ONE.includes(word)) {
      const isMetadata = where.isMetadata && ["then", "else"].includes(word);
      const isOthers = where.isMetadata && word === "additionalProperties";
      return { [word]: this.schema(isOthers ? others(value) : value, { ...where, isMetadata }) };
    }
    if (LISTED.includes(word)) return this.#list(word, value, where);
    if (NAMED.includes(word)) return this.#members(word, value, where);
    if (word === "required") {
      const names = this.names(value, where);
      this.report.carry(names.length);
      return names.length > 0 ? { required: names } : {};
    }
    if (word === "dependentRequired") return this.#dependent(value, where);
    if (word === "enum") return this.#choices(value, where);
    if (word === "const") {
      const kept = this.#choices([value], where);
      return JSON.stringify(kept?.enum) === JSON.stringify([value]) ? { const: value } : kept;
    }
    return (this.reading.isPayload || isExact(value)) && this.reading.takes(word, value)
      ? { [word]: value }
      : undefined;
  }

  /** What would refuse more if a part of it were left out. @param {string} word @param {unknown} value @param {Where} where @returns {Schema | undefined} */
  #whole(word, value, where) {
    const { report } = this;
    const before = this.#losses;
    this.report = new Report();
    const says = this.schema(value, where);
    const said = this.report;
    this.report = report;
    const isWhole = this.#losses === before;
    report.add(said, isWhole);
    if (isWhole) return { [word]: says };
    this.leave(where.place, where.about, PART);
    return undefined;
  }

  /** One of several, at least or exactly, and at least where something of one is left out. @param {"anyOf" | "oneOf"} word @param {unknown} value @param {Where} where @returns {Schema | undefined} */
  #choice(word, value, where) {
    const { report } = this;
    const before = this.#losses;
    this.report = new Report();
    const says = this.#list(word, value, where);
    const said = this.report;
    this.report = report;
    const isWhole = this.#losses === before;
    const asks = isWhole || [says?.[word]].flat().every((one) => one !== true && Object.keys(one ?? {}).length > 0);
    report.add(said, asks);
    if (!asks) {
      this.leave(where.place, where.about, "of one of them nothing is left, so that they would ask for nothing");
      return undefined;
    }
    if (isWhole || word === "anyOf") return says;
    this.report.change(where.place, where.about, "several of them may hold, since something of one is left out");
    return { anyOf: says?.oneOf };
  }

  /** @param {string} word @param {unknown} value @param {Where} where @returns {Schema | undefined} */
  #list(word, value, where) {
    if (!Array.isArray(value) || value.length === 0) return undefined;
    const isMetadata = where.isMetadata && word !== "prefixItems";
    return {
      [word]: value.map((one, index) => this.schema(one, { ...where, isMetadata, place: at(where.place, index) })),
    };
  }

  /** Schemas by name. @param {string} word @param {unknown} value @param {Where} where @returns {Schema | undefined} */
  #members(word, value, where) {
    if (!isObject(value)) return undefined;
    /** @type {[string, unknown][]} */
    const members = [];
    for (const [key, one] of Object.entries(value)) {
      const place = at(where.place, key);
      const about = word === "properties" ? `${where.about}.${key}` : where.about;
      if (word === "patternProperties" && !this.reading.takes("pattern", key)) this.leave(place, about, UNFIT.pattern);
      else if (word === "dependentSchemas") {
        const says = this.schema(where.isMetadata ? UNLESS_NULL.without(key, one) : one, { ...where, place, about });
        members.push([key, says]);
      } else if (word === "properties") {
        const says = this.#property(key, one, { place, about, isMetadata: where.isMetadata });
        if (says !== undefined) members.push([key, says]);
      } else members.push([key, this.schema(where.isMetadata ? plain(one) : one, { place, about })]);
    }
    return members.length > 0 ? { [word]: Object.fromEntries(members) } : {};
  }

  /** What is said of a key; undefined where no event can have it. @param {string} key @param {unknown} given @param {Where} where */
  #property(key, given, { place, about, isMetadata }) {
    const says = isMetadata ? plain(given) : given;
    // What only says that a key may be there, or is.
    if (isObject(given) && MARKS.all.includes(String(given.$ref)) && Object.keys(given).length === 1) return undefined;
    if (!isStorable(key)) this.leave(place, about, "Postgres cannot hold this key");
    else if (this.#refuses(key, isObject(says) ? says.type : undefined, isMetadata)) this.leave(place, about, DEEP);
    else return this.schema(says, { place, about });
    return undefined;
  }

  /** Names of keys that have to be there. @param {unknown} given @param {Where} where @returns {string[]} */
  names(given, { place, about, isMetadata }) {
    /** @type {string[]} */
    const names = [];
    (Array.isArray(given) ? given : []).forEach((name, index) => {
      const here = (isMetadata && this.reading.requiredPlaces?.[String(name)]) || at(place, index);
      if (typeof name !== "string" || !isStorable(name)) this.leave(here, about, "it is no name of a key");
      else if (this.#refuses(name, undefined, isMetadata)) {
        this.leave(here, `${about}.${name}`, isMetadata ? PERSONAL : DEEP);
      } else if (isMetadata && this.nullable.has(name) && !this.reading.isPayload && !this.reading.isExported) {
        this.leave(here, `${about}.${name}`, "the plan lets it be null, which a required key of the gate may not be");
      } else if (!names.includes(name)) names.push(name);
    });
    return names;
  }

  /** @param {unknown} value @param {Where} where @returns {Schema | undefined} */
  #dependent(value, where) {
    if (!isObject(value)) return undefined;
    const all = Object.entries(value).map((
      [key, names],
    ) => [key, this.names(names, { ...where, place: at(where.place, key) })]);
    return { dependentRequired: Object.fromEntries(all) };
  }

  /** The values that are allowed. @param {unknown} given @param {Where} where @returns {Schema | undefined} */
  #choices(given, { place, about }) {
    if (!Array.isArray(given) || given.length === 0) return undefined;
    if (!this.reading.takes("enum", given)) {
      this.leave(place, about, "it has more choices than the gate takes, or one that no event can hold");
      return undefined;
    }
    const kept = given.filter((choice, index) => {
      const text = JSON.stringify(choice);
      if (!isStorable(text) || !isStorable(JSON.parse(text)) && typeof choice === "string") {
        this.leave(at(place, index), about, "Postgres cannot hold this text");
      } else if (this.reading.redact(text) !== text) {
        this.leave(at(place, index), about, "it is something personal, and the gate refuses an event that has it");
      } else return true;
      return false;
    });
    return { enum: kept.length > 0 ? kept : [null] };
  }

  /** What is said to people. @param {Schema} says @param {string} word @param {unknown} value @param {Where} where */
  #note(says, word, value, { place, about }) {
    if (value === undefined) return;
    const isText = typeof value === "string";
    const shown = isText ? storable(value) : value;
    const kept = isText ? this.reading.redact(storable(value)) : value;
    if (kept !== shown) this.report.change(place, about, `something personal was taken out of the ${word}`);
    const text = JSON.stringify(kept);
    if (isStorable(text) && this.reading.redact(text) === text && this.reading.takes(word, kept)) says[word] = kept;
    else this.report.skip(place, about);
  }

  /** @param {unknown} reference @param {Where} where @returns {Schema | undefined} */
  #reference(reference, where) {
    if (MARKS.all.includes(String(reference))) return {};
    const found = typeof reference === "string" ? pointed(this.reading.document, reference) : undefined;
    if (typeof reference !== "string" || !isObject(found) && typeof found !== "boolean") {
      this.leave(where.place, where.about, "it leads to no schema of this document");
      return undefined;
    }
    // Of the metadata itself, a null counts as absent, and of what is within it, it does not: a schema may say both.
    if (where.isMetadata) {
      if (this.#following.includes(reference)) {
        this.leave(where.place, where.about, "it leads back to itself");
        return undefined;
      }
      this.#following.push(reference);
      const says = this.schema(found, { ...where, place: reference.slice(1) });
      this.#following.pop();
      return { allOf: [says] };
    }
    const known = this.#named.get(reference);
    if (known !== undefined) {
      // Whether all of a schema that refers to itself could be kept is known only at its end.
      if (!known.isWhole) this.#losses += 1;
      return { $ref: `#/$defs/${fragment(known.name)}` };
    }
    const name = this.#nameOf(reference);
    const entry = { name, isWhole: true };
    this.#named.set(reference, entry);
    this.defs[name] = true;
    const before = this.#losses;
    this.defs[name] = this.schema(found, { place: reference.slice(1), about: where.about });
    entry.isWhole = this.#losses === before;
    return { $ref: `#/$defs/${fragment(name)}` };
  }

  /** A name that nothing else has here. @param {string} reference */
  #nameOf(reference) {
    const last = reference.split("/").at(-1) ?? "";
    const plain = pointedName(last) || "whole";
    let name = plain;
    for (let more = 2; Object.hasOwn(this.defs, name); more += 1) name = `${plain}_${more}`;
    return name;
  }
}
