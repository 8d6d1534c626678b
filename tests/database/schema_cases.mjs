// Schemas that are refused, with what is said of each, and patterns within and outside the grammar.

/** A schema within as many others. @param {number} depth @returns {unknown} */
const nested = (depth) => depth === 0 ? true : { items: nested(depth - 1) };
/** @param {number} length @returns {unknown} */
const chain = (length) => length === 0 ? true : { not: chain(length - 1) };

/** A schema within as many others that look at the same value. @param {number} length @param {unknown} end @returns {unknown} */
export const chained = (length, end) => length === 0 ? end : { allOf: [chained(length - 1, end)] };

const value = (/** @type {string} */ place) => `the value of ${place} is not one that the keyword takes here`;
const keyword = (/** @type {string} */ place) => `the keyword ${place} is not supported`;

/** @type {[unknown, string][]} */
export const REFUSED = [
  [{ properties: { a: { typ: "string" } } }, keyword("#/properties/a/typ")],
  [{ properties: { "a/b~": { unevaluatedProperties: false } } }, keyword("#/properties/a~1b~0/unevaluatedProperties")],
  [{ $id: "https://example.com/a" }, keyword("#/$id")],
  [{ $anchor: "a" }, keyword("#/$anchor")],
  [{ $dynamicRef: "#a" }, keyword("#/$dynamicRef")],
  [{ type: "strng" }, value("#/type")],
  [{ type: [] }, value("#/type")],
  [{ type: ["string", "string"] }, value("#/type")],
  [{ minimum: "20" }, value("#/minimum")],
  [{ multipleOf: 0 }, value("#/multipleOf")],
  [{ minLength: -1 }, value("#/minLength")],
  [{ minLength: 1.5 }, value("#/minLength")],
  [{ required: "a" }, value("#/required")],
  [{ required: ["a", "a"] }, value("#/required")],
  [{ enum: 1 }, value("#/enum")],
  [{ enum: Array.from({ length: 1001 }, (_, index) => index) }, value("#/enum")],
  [{ format: "email" }, value("#/format")],
  [{ pattern: "(?=a)" }, value("#/pattern")],
  [{ patternProperties: { "\\p{L}": true } }, value("#/patternProperties")],
  [{ allOf: [] }, value("#/allOf")],
  [{ allOf: [1] }, "#/allOf/0 is neither an object nor true or false"],
  [{ $schema: "http://json-schema.org/draft-07/schema#" }, value("#/$schema")],
  [{ $ref: "https://example.com/a" }, value("#/$ref")],
  [{ $ref: "#/$defs/none" }, "the value of #/$ref names no schema within this one"],
  [{ $ref: "#/enum/0", enum: [{}] }, "the value of #/$ref names no schema within this one"],
  [{ $ref: "#" }, "# is reached by more than 16 schemas that look at one and the same value, or leads back to itself"],
  [
    { $defs: { a: { allOf: [{ $ref: "#/$defs/a" }] } } },
    "#/$defs/a is reached by more than 16 schemas that look at one and the same value, or leads back to itself",
  ],
  [[], "# is neither an object nor true or false"],
  [nested(32), `#${"/items".repeat(32)} is nested more than 32 deep`],
  [nested(31), "taken"],
  [chain(15), "taken"],
  [{ items: { $ref: "#" } }, "taken"],
  [{ anyOf: Array.from({ length: 2000 }, () => true) }, "it has more than 2000 schemas within"],
  [{ description: "x".repeat(65_536) }, "it is longer than 65536 bytes"],
];

/** Payload schemas of event types, with the answer. @type {[unknown, string][]} */
export const PAYLOAD = [
  [{ properties: { a: { type: "string", minLength: 1, personal: false } }, required: ["a"] }, "taken"],
  [{ additionalProperties: false }, "taken"],
  [{ properties: { a: { typ: "string" } } }, keyword("#/properties/a/typ")],
  [{ properties: { a: { minimum: "20" } } }, value("#/properties/a/minimum")],
  [{ properties: { a: { pattern: "a" } } }, "taken"],
  [{ properties: { a: { type: ["string", "null"] } }, additionalProperties: { type: "number" } }, "taken"],
  [{ minProperties: 1, allOf: [{ required: ["a"] }], $defs: { a: { format: "date" } } }, "taken"],
  [{ required: ["a"], additionalProperties: false, patternProperties: { a: true } }, "taken"],
  [true, "it is not an object"],
  [{ properties: { a: { pattern: "(?=a)" } } }, value("#/properties/a/pattern")],
  [
    { required: ["a"], additionalProperties: false },
    'the value of #/required names "a", which #/properties has to describe, since nothing else lets it in',
  ],
  [
    { required: ["tracker"] },
    'the value of #/required names "tracker", which #/properties has to describe, since nothing else lets it in',
  ],
];

/** @type {[string, boolean][]} */
export const PATTERNS = [
  ["", true],
  ["^a|b$", true],
  ["^$", true],
  ["()", true],
  ["(a|)b", true],
  ["a||b", true],
  ["[a-]", true],
  ["[-a]", true],
  ["[\\w-]", true],
  ["[\\d.]+", true],
  ["\\/\\.", true],
  ["a{0,255}", true],
  ["(a{10}){90}", true],
  ["(a{10}){101}", false],
  ["((a{255}){255}){255}", false],
  ["a{256}", false],
  ["a{2,1}", false],
  ["a{,2}", false],
  ["a{x}", false],
  ["a**", false],
  ["a*?", false],
  ["*a", false],
  ["^*", false],
  ["(^a)", false],
  ["(a$)", false],
  ["a^", false],
  ["$a", false],
  ["^^a", false],
  ["\\|^a", false],
  ["\\\\|^a", true],
  ["|^a", true],
  ["(?=a)", false],
  ["(?<n>a)", false],
  ["(?i:a)", false],
  ["\\b", false],
  ["\\1", false],
  ["\\p{L}", false],
  ["\\u0041", false],
  ["\\-", false],
  ["[]", false],
  ["[^]", false],
  ["[b-a]", false],
  ["[\\d-z]", false],
  ["[a-\\d]", false],
  ["[\\D]", false],
  ["[a", false],
  ["a]", false],
  ["a}", false],
  ["{", false],
  ["(a", false],
  ["a)", false],
  ["a\\", false],
];
