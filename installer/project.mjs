/** The project of somebody's own: its folder, what is in it, and what an earlier run wrote there. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "./errors.mjs";
import { nearby } from "./nearby.mjs";

/** What the function is called unless somebody says otherwise. */
export const FUNCTION = "ingest";
export const MIGRATIONS = "supabase/migrations";
export const CONFIG = "supabase/config.toml";
export const ENV = "supabase/functions/.env";
export const GITIGNORE = "supabase/.gitignore";
const MANIFEST = "supabase/audience-gate.json";

/**
 * What was written, so that status, upgrade and uninstall know it from what is the project's own.
 *
 * @typedef {object} Manifest
 * @property {string} version of the package that wrote it
 * @property {string} contract its fingerprint
 * @property {string} [function] the name of the function, where it was noted
 * @property {Record<string, string>} files the SHA-256 of each file as it was written
 * @property {string[]} created files that hold a section of ours and did not exist before
 */

/** A project, by its folder. */
export class Project {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
    if (!existsSync(join(folder, CONFIG))) {
      const near = nearby(folder, CONFIG).map((path) => join(folder, path));
      throw new Refusal(
        `there is no ${CONFIG} in ${folder}; ${
          near.length > 0
            ? `there is one in ${near.join(", ")}: use --folder ${near[0]}`
            : "run this where it is, or first: npx supabase init"
        }`,
      );
    }
  }

  /** The text of a file, or undefined if there is no such file. @param {string} path */
  read(path) {
    const full = join(this.folder, path);
    if (!existsSync(full)) return undefined;
    try {
      return readFileSync(full, "utf8");
    } catch (error) {
      throw new Refusal(`${path} cannot be read (${/** @type {NodeJS.ErrnoException} */ (error).code})`);
    }
  }

  /** The names in a folder, in order. @param {string} path */
  list(path) {
    const full = join(this.folder, path);
    return existsSync(full) ? readdirSync(full).sort() : [];
  }

  /** @returns {Manifest | undefined} */
  get manifest() {
    const text = this.read(MANIFEST);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw new Refusal(`${MANIFEST} is not JSON; restore it from your version control`);
    }
  }

  /** What the function is called here. */
  get functionName() {
    return this.manifest?.function ?? FUNCTION;
  }

  /** The files of the manifest that are not as they were written. */
  edited() {
    const files = this.manifest?.files ?? {};
    return Object.keys(files).filter((path) => {
      const text = this.read(path);
      return text !== undefined && digest(text) !== files[path];
    });
  }
}

/** Where a function is. @param {string} name */
export const functionFolder = (name) => `supabase/functions/${name}`;

export const digest = (/** @type {string} */ text) => createHash("sha256").update(text).digest("hex");

/** @param {Manifest} manifest @returns {[path: string, text: string]} */
export const manifestFile = (manifest) => [MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`];
