/** `openapi.yaml`, and what it says about a response. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import { root } from "../runner/paths.mjs";

/** @typedef {{ path: string, method: string, status: number }} Operation an answer that the document lists */

export const document = parse(readFileSync(join(root, "openapi.yaml"), "utf8"));

// Keywords of OpenAPI that are not JSON Schema's are passed over, and so is the document around the schemas.
const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema(document, "api");

/** Every answer that the document lists. @type {Operation[]} */
export const listed = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.entries(operations).flatMap(([method, { responses }]) =>
    Object.keys(responses).map((status) => ({ path, method, status: Number(status) }))
  )
);

/** Every error code in the schemas, with the status that it is listed under. @returns {[code: string, status: number][]} */
export function listedCodes() {
  return listed.flatMap((operation) => {
    const found = JSON.stringify(followed(response(operation))).matchAll(/"code":\{"enum":(\[[^\]]*\])/g);
    return [...found].flatMap(([, codes]) =>
      JSON.parse(codes).map((/** @type {string} */ code) => /** @type {[string, number]} */ ([code, operation.status]))
    );
  });
}

/** What a schema of the document finds wrong with a value; an empty list if nothing is. */
export function faults(/** @type {string} */ pointer, /** @type {unknown} */ value) {
  const validate = ajv.compile({ $ref: `api#${pointer}` });
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** What every answer carries, wherever it comes from; `HTTP.md` says so once. */
const EVERYWHERE = {
  "x-content-type-options": /^nosniff$/,
  vary: /^Origin$/,
};
/** Set by the server that the function runs in, or by a browser's own rules. */
const NOT_OURS = /^(connection|content-(encoding|length|type)|date|keep-alive|transfer-encoding|access-control-.*)$/;

/** What the document finds wrong with a response. @param {Operation} operation @param {Headers} headers @param {string} text */
export function faultsOf(operation, headers, text) {
  const expected = response(operation);
  if (expected === undefined) return [`${JSON.stringify(operation)} is not listed`];
  const found = [];
  for (const [name, header] of Object.entries(expected.headers ?? {})) {
    const { required, schema } = resolved(header).value;
    const value = headers.get(name);
    if (value === null && required) found.push(`the header ${name} is missing`);
    if (value !== null && !ajv.validate(schema, value)) found.push(`the header ${name} is ${value}`);
  }
  const names = Object.keys(expected.headers ?? {}).map((name) => name.toLowerCase());
  for (const name of headers.keys()) {
    if (!NOT_OURS.test(name) && !(name in EVERYWHERE) && !names.includes(name)) {
      found.push(`the header ${name} is not listed`);
    }
  }
  const [type] = Object.keys(expected.content ?? {});
  if (type === undefined) return text === "" ? found : [...found, "a body is not listed"];
  for (const [name, pattern] of Object.entries(EVERYWHERE)) {
    if (!pattern.test(headers.get(name) ?? "")) found.push(`the header ${name} is ${headers.get(name)}`);
  }
  if (!headers.get("content-type")?.startsWith(type)) found.push(`the body is not ${type}`);
  const body = type === "application/json" ? JSON.parse(text) : text;
  return [...found, ...faults(`${pointerOf(operation)}/content/${type.replace("/", "~1")}/schema`, body)];
}

/** @param {Operation} operation */
function response({ path, method, status }) {
  const found = document.paths[path]?.[method]?.responses[status];
  return found && resolved(found).value;
}

function pointerOf(/** @type {Operation} */ { path, method, status }) {
  const here = `/paths/${path.replaceAll("/", "~1")}/${method}/responses/${status}`;
  return resolved(document.paths[path][method].responses[status]).pointer ?? here;
}

/** @param {{ $ref?: string }} value @returns {{ value: any, pointer?: string }} */
function resolved(value) {
  if (value.$ref === undefined) return { value };
  const pointer = value.$ref.slice(1);
  return { value: pointer.slice(1).split("/").reduce((at, key) => at[key], document), pointer };
}

/** The same with every reference followed; the document's references form no cycle. @returns {unknown} */
function followed(/** @type {unknown} */ value) {
  if (Array.isArray(value)) return value.map(followed);
  if (typeof value !== "object" || value === null) return value;
  const { $ref, ...rest } = /** @type {{ $ref?: string }} */ (value);
  const own = Object.fromEntries(Object.entries(rest).map(([key, part]) => [key, followed(part)]));
  return $ref === undefined ? own : { followed: followed(resolved({ $ref }).value), ...own };
}
