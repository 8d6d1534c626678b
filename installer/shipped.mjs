/** What this package brings into a project. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const read = (/** @type {string} */ path) => readFileSync(here(path), "utf8");

/** @typedef {{ number: string, name: string, text: string }} Migration its number is its place among them */

export const version = () => /** @type {string} */ (JSON.parse(read("../package.json")).version);

/** The fingerprint of the contract by which this package judges. */
export const fingerprint = () => /** @type {string} */ (JSON.parse(read("../install/contract.json")).fingerprint);

/** The snapshot of the registry that ships, as `GET …/registry` would give it. */
export const registry = () => read("../install/registry.json");

/** The lines of the section of `supabase/config.toml`. @param {string} name of the function */
export const configuration = (name) =>
  read("../install/config.toml").replaceAll(/\bfunctions([./])ingest\b/g, `functions$1${name}`).trimEnd().split("\n");

/** Migrations in order, the preflight first. @returns {Migration[]} */
export function migrations() {
  const listed = readdirSync(here("../install/migrations")).sort().map((file) => {
    const [, number, name] = /^(\d+)_(\w+)\.sql$/.exec(file) ?? [];
    return { number, name, text: read(`../install/migrations/${file}`) };
  });
  return [{ number: "000000", name: "preflight", text: filled("preflight", listed) }, ...listed];
}

/** The SQL that takes everything out of a database again. */
export const uninstallation = () => filled("uninstall", migrations().slice(1));

/** The files of the function by their names. @returns {Map<string, string>} */
export function functionFiles() {
  const folder = here("../install/function");
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)).sort()
      .map((path) => [path.slice(folder.length + 1).replaceAll("\\", "/"), readFileSync(path, "utf8")]),
  );
}

/** A script with the names that the migrations make in schema public. @param {string} script @param {Migration[]} made */
function filled(script, made) {
  const sql = made.map(({ text }) => text).join("\n");
  const names = (/** @type {RegExp} */ pattern) =>
    [...new Set([...sql.matchAll(pattern)].map(([, name]) => name))].sort();
  const lists = {
    tables: names(/^create table (?:if not exists )?public\.(\w+)/gm),
    functions: names(/^create (?:or replace )?function public\.(\w+)/gm),
    relations: names(/^create (?:unique )?index (?:if not exists )?(\w+) on public\./gm),
  };
  return read(`sql/${script}.sql`).replaceAll(
    /\{\{(\w+)\}\}/g,
    (_, list) => lists[/** @type {keyof typeof lists} */ (list)].join(" "),
  );
}
