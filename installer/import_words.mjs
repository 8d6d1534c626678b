/** The words of a plan's schemas: how older drafts say what JSON Schema 2020-12 says, and which of them hold schemas. */
import { isObject } from "./schema_type.mjs";

/** @typedef {Record<string, unknown>} Schema */
/** A keyword as 2020-12 has it, what it says, and how the plan spells it. @typedef {[word: string, says: unknown, spelt: string]} Said */

/** What judges nothing and names nothing that is kept. */
const SILENT = ["$schema", "$id", "id", "self", "$defs", "definitions", "$anchor", "$vocabulary", "labels", "nullable"];
/** What is said to people. */
export const NOTES = [
  "title",
  "description",
  "default",
  "examples",
  "$comment",
  "deprecated",
  "readOnly",
  "writeOnly",
];
/** Keywords with a schema, with a list of schemas, and with schemas by name. */
export const ONE = ["items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else"];
export const LISTED = ["prefixItems", "allOf", "anyOf", "oneOf"];
export const NAMED = ["properties", "patternProperties", "dependentSchemas"];
/** Those whose schemas look at the same value as the one that they are in. */
export const IN_PLACE = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"];

/** What a schema says, in the words of 2020-12. @param {Schema} schema @returns {Said[]} */
export function modern(schema) {
  const words = Object.keys(schema).flatMap((word) => said(word, schema));
  // What depends on another comes after it.
  return [...words.filter(([word]) => word !== "maxContains"), ...words.filter(([word]) => word === "maxContains")];
}

/** @param {string} word @param {Schema} schema @returns {Said[]} */
function said(word, schema) {
  const value = schema[word];
  if (SILENT.includes(word)) return [];
  switch (word) {
    case "exclusiveMinimum":
    case "exclusiveMaximum": {
      const bound = word === "exclusiveMinimum" ? "minimum" : "maximum";
      if (typeof value !== "boolean") return [[word, value, word]];
      return value && schema[bound] !== undefined ? [[word, schema[bound], word]] : [];
    }
    case "minimum":
      return schema.exclusiveMinimum === true ? [] : [[word, value, word]];
    case "maximum":
      return schema.exclusiveMaximum === true ? [] : [[word, value, word]];
    case "items":
      return [[Array.isArray(value) ? "prefixItems" : word, value, word]];
    case "additionalItems":
      return Array.isArray(schema.items) ? [["items", value, word]] : [];
    case "dependencies":
      return dependencies(value);
    case "additionalProperties":
      return value === true ? [] : [[word, value, word]];
    case "example":
      return schema.examples === undefined ? [["examples", [value], word]] : [];
    case "type":
      return typed(value, schema);
    default:
      return [[word, value, word]];
  }
}

/** @param {unknown} value @returns {Said[]} */
function dependencies(value) {
  const all = Object.entries(isObject(value) ? value : {});
  const kinds = /** @type {const} */ ([["dependentRequired", true], ["dependentSchemas", false]]);
  return kinds.flatMap(([word, isNames]) => {
    const some = all.filter(([, says]) => Array.isArray(says) === isNames);
    return some.length === 0 ? [] : [/** @type {Said} */ ([word, Object.fromEntries(some), "dependencies"])];
  });
}

/** A type, alone where there is one: an integer is a number, and OpenAPI has a word of its own for null. @param {unknown} value @param {Schema} schema @returns {Said[]} */
function typed(value, { nullable }) {
  const given = [...new Set([value].flat())];
  const types = given.filter((type) => type !== "integer" || !given.includes("number"));
  if (nullable === true && !types.includes("null")) types.push("null");
  return [["type", types.length === 1 ? types[0] : types, "type"]];
}

/** The null that a schema lets in, and the schema without it. @param {Schema} given @returns {{ says: Schema, isNullable: boolean }} */
export function withoutNull(given) {
  const { nullable, ...says } = given;
  let isNullable = nullable === true;
  for (const word of ["anyOf", "oneOf"]) {
    const all = says[word];
    if (!Array.isArray(all)) continue;
    const others = all.filter((one) => !(isObject(one) && one.type === "null"));
    const other = others[0];
    if (others.length < all.length) {
      isNullable = true;
      if (others.length > 1 || typeof other === "boolean") says[word] = others;
      else delete says[word];
      if (others.length === 0) says.enum = [null];
      else if (others.length === 1 && isObject(other)) {
        if (Object.keys(other).some((key) => key in says)) says.allOf = [...[says.allOf ?? []].flat(), other];
        else Object.assign(says, other);
      }
    }
  }
  if (Array.isArray(says.type)) {
    const others = says.type.filter((type) => type !== "null");
    isNullable ||= others.length < says.type.length;
    says.type = others.length === 1 ? others[0] : others;
    if (others.length === 0) says.enum = [null];
    if (others.length === 0) delete says.type;
  } else if (says.type === "null") {
    says.enum = [null];
    delete says.type;
  }
  if (Array.isArray(says.enum)) {
    isNullable = says.enum.includes(null) && (isNullable || says.type === undefined);
    const others = says.enum.filter((choice) => choice !== null);
    says.enum = others.length > 0 ? others : [null];
  }
  return { says, isNullable };
}
