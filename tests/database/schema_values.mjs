// Schemas and values that a seed makes again, in which every keyword comes often enough to meet what it speaks of.
import { somePattern, someText } from "./schema_patterns.mjs";

/** @template T @param {() => number} random @param {readonly T[]} list @returns {T} */
const one = (random, list) => /** @type {T} */ (list[Math.floor(random() * list.length)]);

const KEYS = ["a", "b", "bb", "é", "a/b", "x~y"];
const NUMBERS = [
  "0",
  "-0",
  "1",
  "2",
  "3",
  "1.0",
  "2.50",
  "-3",
  "0.1",
  "1e2",
  "100",
  "25e-1",
  "1e300",
  "123456789012345678901234567890",
];
const TEXTS = [
  "",
  "a",
  "ab",
  "é😀",
  "2026-02-29",
  "2024-02-29",
  "2026-11-27T10:00:00Z",
  "10:00:00+01:00",
  "00000000-0000-4000-8000-000000000001",
  "https://shop.example/a?b#c",
  "http://a#b#c",
  "mailto:",
  "//a",
  "a://[::1]:80",
  "shop.example",
  "-a.example",
  "127.0.0.1",
  "256.0.0.1",
  "::1",
  "1:2:3:4:5:6:7:8",
  "1::2:3:4:5:6:7:8",
  "::ffff:127.0.0.1",
];
const TYPES = ["null", "boolean", "object", "array", "number", "integer", "string"];
const FORMATS = ["date", "date-time", "time", "uuid", "uri", "hostname", "ipv4", "ipv6"];

/** A value as JSON text, so that numbers stay as they are written. @param {() => number} random @param {number} [depth] @returns {string} */
export function someValue(random, depth = 3) {
  const kind = random() * (depth > 0 ? 10 : 7);
  if (kind < 2.5) return one(random, NUMBERS);
  if (kind < 5) return JSON.stringify(random() < 0.6 ? one(random, TEXTS) : someText(random));
  if (kind < 6) return one(random, ["true", "false"]);
  if (kind < 7) return "null";
  const parts = Array.from({ length: Math.floor(random() * 4) }, () => someValue(random, depth - 1));
  if (kind < 8.5) return `[${parts.join(",")}]`;
  const keys = new Set(parts.map(() => one(random, KEYS)));
  return `{${[...keys].map((key, index) => `${JSON.stringify(key)}:${parts[index]}`).join(",")}}`;
}

/** A schema as JSON text. @param {() => number} random @param {number} [depth] @returns {string} */
export function someSchema(random, depth = 3) {
  if (depth === 0 || random() < 0.1) {
    return one(random, ["true", "false", "{}", '{"type":"integer"}', '{"$ref":"#/$defs/a~1b"}']);
  }
  const inner = () => someSchema(random, depth - 1);
  const list = () => `[${Array.from({ length: 1 + Math.floor(random() * 3) }, inner).join(",")}]`;
  const pattern = () =>
    JSON.stringify(random() < 0.5 ? one(random, ["^a", "b$", "[a-é]", "^.$"]) : somePattern(random));
  /** @param {() => string} key @param {() => string} value */
  const named = (key, value) => {
    const keys = new Set(Array.from({ length: 1 + Math.floor(random() * 3) }, key));
    return `{${[...keys].map((name) => `${name}:${value()}`).join(",")}}`;
  };
  const key = () => JSON.stringify(one(random, KEYS));
  const keys = () =>
    JSON.stringify([...new Set(Array.from({ length: 1 + Math.floor(random() * 2) }, () => one(random, KEYS)))]);
  const count = () => one(random, ["0", "1", "2", "3.0"]);
  /** @type {Record<string, () => string>} */
  const keywords = {
    type: () =>
      random() < 0.6
        ? JSON.stringify(one(random, TYPES))
        : JSON.stringify([...new Set([one(random, TYPES), one(random, TYPES)])]),
    enum: () => `[${someValue(random, 2)},${someValue(random, 1)},${someValue(random, 0)}]`,
    const: () => someValue(random, 2),
    multipleOf: () => one(random, ["1", "2", "0.5", "0.01", "7", "1e-3", "1e10"]),
    minimum: () => one(random, NUMBERS),
    maximum: () => one(random, NUMBERS),
    exclusiveMinimum: () => one(random, NUMBERS),
    exclusiveMaximum: () => one(random, NUMBERS),
    minLength: count,
    maxLength: count,
    pattern,
    format: () => JSON.stringify(one(random, FORMATS)),
    items: () => (random() < 0.5 ? somePlain(random) : inner()),
    prefixItems: list,
    contains: inner,
    minContains: count,
    maxContains: count,
    minItems: count,
    maxItems: count,
    uniqueItems: () => one(random, ["true", "false"]),
    properties: () => named(key, inner),
    patternProperties: () => named(pattern, inner),
    additionalProperties: inner,
    propertyNames: inner,
    required: keys,
    minProperties: count,
    maxProperties: count,
    dependentRequired: () => named(key, keys),
    dependentSchemas: () => named(key, inner),
    allOf: list,
    anyOf: list,
    oneOf: list,
    not: inner,
    if: inner,
    then: inner,
    else: inner,
  };
  const chosen = new Set(
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => one(random, Object.keys(keywords))),
  );
  return `{${[...chosen].map((keyword) => `${JSON.stringify(keyword)}:${keywords[keyword]?.()}`).join(",")}}`;
}

const FIELDS = ["session_id", "event_source", "utm_source", "utm_term", "metadata", "id", "email", "nothing"];
const FIELD_VALUES = ["web", "api", "a", "é😀", "session-0001"];

/** What a rule says of the fields of an event, as JSON text. @param {() => number} random @param {number} [depth] @returns {string} */
export function someRule(random, depth = 3) {
  const inner = () => (depth > 0 ? someRule(random, depth - 1) : one(random, ["true", "false", "{}"]));
  const list = () => `[${Array.from({ length: 1 + Math.floor(random() * 2) }, inner).join(",")}]`;
  const field = () => JSON.stringify(one(random, FIELDS));
  const fields = () => `[${[...new Set([field(), field()])].join(",")}]`;
  const says = () =>
    random() < 0.5
      ? `{"${one(random, ["enum", "enum", "examples"])}":["web",${JSON.stringify(one(random, FIELD_VALUES))}]}`
      : someSchema(random, 2);
  /** @type {Record<string, () => string>} */
  const keywords = {
    type: () => one(random, ['"object"', '"string"', '["object","null"]']),
    required: fields,
    properties: () => `{${field()}:${says()}}`,
    dependentRequired: () => `{${field()}:${fields()}}`,
    dependentSchemas: () => `{${field()}:${inner()}}`,
    allOf: list,
    anyOf: list,
    oneOf: list,
    not: inner,
    if: inner,
    then: inner,
    else: inner,
    minProperties: () => one(random, ["4", "5", "6"]),
    propertyNames: () => someSchema(random, 1),
    additionalProperties: says,
    const: () => someValue(random, 1),
  };
  const chosen = new Set(
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => one(random, Object.keys(keywords))),
  );
  return `{${[...chosen].map((keyword) => `${JSON.stringify(keyword)}:${keywords[keyword]?.()}`).join(",")}}`;
}

/** A payload schema as JSON text: of each key alone, as most are, or of the whole. @param {() => number} random @returns {string} */
export function somePayload(random) {
  if (random() < 0.3) return someSchema(random);
  const keys = KEYS.filter(() => random() < 0.6);
  const properties = keys.map((key) => {
    const rule = random() < 0.5 ? somePlain(random) : someSchema(random, 2);
    return `${JSON.stringify(key)}:${rule}`;
  });
  const required = keys.filter(() => random() < 0.2);
  return `{"$defs":{"a/b":${somePlain(random)}},"properties":{${properties.join(",")}},"required":${
    JSON.stringify(required)
  }${random() < 0.4 ? ',"additionalProperties":false' : ""}}`;
}

/** What a payload schema mostly says of a key. @param {() => number} random */
function somePlain(random) {
  const says = [];
  if (random() < 0.7) says.push(`"type":"${one(random, TYPES)}"`);
  if (random() < 0.2) {
    says.push(`"enum":[${Array.from({ length: Math.floor(random() * 3) }, () => someValue(random, 1)).join(",")}]`);
  }
  if (random() < 0.2) says.push(`"minimum":${one(random, NUMBERS)}`);
  if (random() < 0.2) says.push(`"maxLength":${Math.floor(random() * 5)}`);
  if (random() < 0.2) says.push('"description":"a key"');
  return `{${says.join(",")}}`;
}

/** Metadata as JSON text, with what a tracker adds at times. @param {() => number} random @returns {string} */
export function someMetadata(random) {
  const members = KEYS.filter(() => random() < 0.5).map((key) => `${JSON.stringify(key)}:${someValue(random, 2)}`);
  if (random() < 0.2) members.push(`"tracker":${random() < 0.7 ? '"tracker-1"' : someValue(random, 1)}`);
  return `{${members.join(",")}}`;
}
