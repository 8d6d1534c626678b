/** The documents of a tracking plan: a file, a folder of files, or what is piped in; JSON, or YAML with the package yaml. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "./errors.mjs";

/** @typedef {{ file: string, content: unknown }} Document */

/** What of a folder is no part of a plan. */
const OTHERS = /(^|[\\/])(node_modules|\.[^\\/]*)([\\/]|$)/;

/** @param {string} path a file, a folder, or - @returns {Promise<Document[]>} */
export async function documents(path) {
  const found = [];
  for (const file of files(path)) found.push(...await documentsOf(path === "-" ? "standard input" : file, read(file)));
  if (found.length === 0) {
    throw new Refusal(`${path} holds no file of a plan; name a file, or a folder of JSON or YAML files`);
  }
  return found;
}

/** @param {string} path @returns {string[]} */
function files(path) {
  if (path === "-") return ["-"];
  try {
    if (!statSync(path).isDirectory()) return [path];
    // The files of an Iglu registry have no suffix: they are named after their version.
    return readdirSync(path, { recursive: true, encoding: "utf8" })
      .filter((name) => !OTHERS.test(name) && /(\.(json|ya?ml)|[\\/]?\d+-\d+-\d+)$/.test(name)).sort()
      .map((name) => join(path, name)).filter((name) => statSync(name).isFile());
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** @param {string} path @param {unknown} error */
const unreadable = (path, error) =>
  new Refusal(`${path} cannot be read (${/** @type {{ code?: string }} */ (error).code}); name a file or a folder`);

/** @param {string} file @param {string} text @returns {Promise<Document[]>} */
async function documentsOf(file, text) {
  if (/^\s*[[{]/.test(text)) return [{ file, content: json(file, text) }];
  if (/\.json$/.test(file) || text.trim() === "") {
    throw new Refusal(`${file} is not JSON: it begins with neither { nor [`);
  }
  const { parseAllDocuments } = await yaml(file);
  const found = parseAllDocuments(text, { uniqueKeys: true });
  const broken = found.flatMap(({ errors }) => errors)[0];
  // What is wrong is said without the line itself, which may hold anything.
  if (broken) throw new Refusal(`${file} is not YAML: ${broken.code} in line ${broken.linePos?.[0].line ?? 1}`);
  try {
    return found.map((document) => ({ file, content: document.toJS() }));
  } catch {
    throw new Refusal(`${file} is not YAML that can be read: its aliases lead nowhere, or to too much`);
  }
}

/** @param {string} file @param {string} text */
function json(file, text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    const [, position] = /position (\d+)/.exec(/** @type {Error} */ (error).message) ?? [];
    const line = text.slice(0, position === undefined ? text.length : Number(position)).split("\n").length;
    throw new Refusal(`${file} is not JSON: it breaks off or goes wrong in line ${line}`);
  }
}

/** @param {string} file */
async function yaml(file) {
  try {
    return await import("yaml");
  } catch {
    throw new Refusal(`${file} is not JSON, and YAML needs the package yaml; run: npm install --save-dev yaml`);
  }
}
