/**
 * The TypeScript type of what a JSON Schema accepts. It may accept more than the schema: what TypeScript cannot say, such as a
 * bound or a pattern, is left to the check.
 */

/** @typedef {Record<string, unknown>} Schema */

const PLAIN = { string: "string", number: "number", integer: "number", boolean: "boolean", null: "null" };

/** @param {unknown} value @returns {value is Schema} */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {unknown} schema @returns {string} */
export function typeOf(schema) {
  if (!isObject(schema)) return schema === false ? "never" : "unknown";
  const parts = [
    "const" in schema ? literal(schema.const) : undefined,
    Array.isArray(schema.enum) ? union(schema.enum.map(literal)) : undefined,
    byType(schema),
    ...["anyOf", "oneOf"].map((word) => {
      const choices = schema[word];
      return Array.isArray(choices) ? union(choices.map(typeOf)) : undefined;
    }),
    ...(Array.isArray(schema.allOf) ? schema.allOf.map(typeOf) : []),
  ].filter((part) => part !== undefined && part !== "unknown");
  if (parts.length === 0) return "unknown";
  return parts.length === 1 ? /** @type {string} */ (parts[0]) : parts.map((part) => `(${part})`).join(" & ");
}

/** @param {Schema} schema */
function byType(schema) {
  const types = Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type];
  if (types.length === 0) return isObject(schema.properties) ? objectType(schema) : undefined;
  return union(types.map((type) => {
    if (type === "object") return objectType(schema);
    if (type === "array") return `readonly (${typeOf(schema.items)})[]`;
    return PLAIN[/** @type {keyof typeof PLAIN} */ (type)] ?? "unknown";
  }));
}

/** An object with the keys that a schema names; others do not compile. @param {Schema} schema @returns {string} */
export function objectType(schema) {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const properties = isObject(schema.properties) ? schema.properties : {};
  const keys = [...new Set([...Object.keys(properties), ...required])];
  if (keys.length === 0) {
    return schema.additionalProperties === false ? "{ [key: string]: never }" : "{ [key: string]: unknown }";
  }
  const fields = keys.map((key) => `${literal(key)}${required.has(key) ? "" : "?"}: ${typeOf(properties[key])}`);
  return `{ ${fields.join("; ")} }`;
}

/** @param {string[]} types */
const union = (types) => types.includes("unknown") ? "unknown" : [...new Set(types)].join(" | ") || "never";

/** @param {unknown} value */
function literal(value) {
  return value === null || ["string", "number", "boolean"].includes(typeof value) ? JSON.stringify(value) : "unknown";
}
