/**
 * The TypeScript type of what a JSON Schema accepts. It may accept more than the schema: what TypeScript cannot say, such as a
 * bound or a pattern, is left to the check.
 */

/** @typedef {Record<string, unknown>} Schema */

const PLAIN = { string: "string", number: "number", integer: "number", boolean: "boolean", null: "null" };
/** Keywords whose schemas may speak of the same object. */
const OF_SAME = ["allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas"];

/** @param {unknown} value @returns {value is Schema} */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The type of a payload: an object with the keys that its schema names; others do not compile. @param {Schema} schema */
export const payloadType = (schema) => new Types(schema).object(schema);

/** The types of a schema's parts. */
class Types {
  /** References that are being followed: a type cannot be within itself where it has no name. @type {unknown[]} */
  #following = [];

  /** @param {Schema} root in which references point */
  constructor(root) {
    this.root = root;
  }

  /** @param {unknown} schema @returns {string} */
  of(schema) {
    if (!isObject(schema)) return schema === false ? "never" : "unknown";
    const parts = [
      "const" in schema ? literal(schema.const) : undefined,
      Array.isArray(schema.enum) ? union(schema.enum.map(literal)) : undefined,
      this.#byType(schema),
      "$ref" in schema ? this.#pointed(schema.$ref, (target) => this.of(target)) : undefined,
      ...["anyOf", "oneOf"].map((word) => {
        const choices = schema[word];
        return Array.isArray(choices) ? union(choices.map((one) => this.of(one))) : undefined;
      }),
      ...(Array.isArray(schema.allOf) ? schema.allOf.map((one) => this.of(one)) : []),
    ].filter((part) => part !== undefined && part !== "unknown");
    if (parts.length === 0) return "unknown";
    return parts.length === 1 ? /** @type {string} */ (parts[0]) : parts.map((part) => `(${part})`).join(" & ");
  }

  /** @param {Schema} schema */
  #byType(schema) {
    const types = Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type];
    if (types.length === 0) return isObject(schema.properties) ? this.object(schema) : undefined;
    return union(types.map((type) => {
      if (type === "object") return this.object(schema);
      if (type === "array") return this.#list(schema);
      return PLAIN[/** @type {keyof typeof PLAIN} */ (type)] ?? "unknown";
    }));
  }

  /** @param {Schema} schema */
  #list(schema) {
    const rest = this.of(schema.items);
    if (!Array.isArray(schema.prefixItems)) return `readonly (${rest})[]`;
    const first = schema.prefixItems.map((one) => `(${this.of(one)})?`);
    return `readonly [${[...first, ...schema.items === false ? [] : [`...(${rest})[]`]].join(", ")}]`;
  }

  /** An object with the keys that a schema names. @param {Schema} schema @returns {string} */
  object(schema) {
    const required = new Set(Array.isArray(schema.required) ? schema.required.map(String) : []);
    const properties = isObject(schema.properties) ? schema.properties : {};
    const keys = [...new Set([...Object.keys(properties), ...required, ...this.#named(schema)])];
    const others = schema.additionalProperties;
    const isOpen = isObject(schema.patternProperties) || isObject(others) && keys.length > 0;
    if (keys.length === 0) {
      if (isObject(others) && !isOpen) return `{ [key: string]: ${this.of(others)} }`;
      return others === false && !isOpen ? "{ [key: string]: never }" : "{ [key: string]: unknown }";
    }
    const fields = keys.map((key) => `${literal(key)}${required.has(key) ? "" : "?"}: ${this.of(properties[key])}`);
    return `{ ${[...fields, ...isOpen ? ["[key: string]: unknown"] : []].join("; ")} }`;
  }

  /** The keys that parts of a schema name which speak of the same object. @param {unknown} schema @returns {string[]} */
  #named(schema) {
    if (!isObject(schema)) return [];
    const parts = OF_SAME.flatMap((word) => {
      const says = schema[word];
      return Array.isArray(says)
        ? says
        : word !== "dependentSchemas"
        ? [says]
        : isObject(says)
        ? Object.values(says)
        : [];
    });
    const depending = isObject(schema.dependentRequired) ? schema.dependentRequired : {};
    const more = "$ref" in schema ? this.#pointed(schema.$ref, (target) => ({ keys: this.#keys(target) })) : "unknown";
    return [
      ...parts.flatMap((part) => this.#keys(part)),
      ...Object.keys(isObject(schema.dependentSchemas) ? schema.dependentSchemas : {}),
      ...Object.entries(depending).flatMap(([key, names]) => [key, ...[names].flat().map(String)]),
      ...typeof more === "string" ? [] : more.keys,
    ].sort();
  }

  /** @param {unknown} part @returns {string[]} */
  #keys(part) {
    if (!isObject(part)) return [];
    const own = isObject(part.properties) ? Object.keys(part.properties) : [];
    return [...own, ...[part.required ?? []].flat().map(String), ...this.#named(part)];
  }

  /**
   * What a reference leads to; unknown where it leads back to itself.
   *
   * @template T @param {unknown} reference @param {(target: unknown) => T} said @returns {T | "unknown"}
   */
  #pointed(reference, said) {
    if (this.#following.includes(reference)) return "unknown";
    this.#following.push(reference);
    const found = said(pointed(this.root, String(reference)));
    this.#following.pop();
    return found;
  }
}

/** What a reference within a document points to. @param {unknown} document @param {string} reference */
export function pointed(document, reference) {
  if (reference !== "#" && !reference.startsWith("#/")) return undefined;
  let found = document;
  try {
    for (const step of decodeURIComponent(reference.slice(1)).split("/").slice(1)) {
      const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
      found = /** @type {Record<string, unknown>} */ (found)[key];
    }
  } catch {
    return undefined;
  }
  return found;
}

/** @param {string[]} types */
const union = (types) => types.includes("unknown") ? "unknown" : [...new Set(types)].join(" | ") || "never";

/** @param {unknown} value */
function literal(value) {
  return value === null || ["string", "number", "boolean"].includes(typeof value) ? JSON.stringify(value) : "unknown";
}
