/** What a command is about to do to a project's files: shown first, done then. */
import { mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { say } from "./command.mjs";

/** @typedef {import("./project.mjs").Project} Project */

export class Changes {
  /** The new text of each file; null: it goes. @type {Map<string, string | null>} */
  #texts = new Map();

  /** @param {Project} project */
  constructor(project) {
    this.project = project;
  }

  /** The text that a file will have. @param {string} path */
  read(path) {
    return this.#texts.has(path) ? this.#texts.get(path) ?? undefined : this.project.read(path);
  }

  /** @param {string} path @param {string} text */
  write(path, text) {
    this.#texts.set(path, text);
  }

  /** @param {string} path */
  remove(path) {
    this.#texts.set(path, null);
  }

  /** What really changes. */
  get all() {
    return [...this.#texts].filter(([path, text]) => (this.project.read(path) ?? null) !== text);
  }

  /** Says what changes: + a new file, ~ a changed one, - one that goes. */
  show() {
    for (const [path, text] of this.all) {
      const sign = text === null ? "-" : this.project.read(path) === undefined ? "+" : "~";
      say(`  ${sign} ${path}`);
    }
  }

  /** Does it. A folder that this empties goes too. */
  apply() {
    for (const [path, text] of this.all) {
      const full = join(this.project.folder, path);
      if (text === null) {
        rmSync(full);
        removeEmpty(dirname(full), this.project.folder);
      } else {
        mkdirSync(dirname(full), { recursive: true });
        // Secrets may be in it: where the file is new, nobody else reads it.
        writeFileSync(full, text, path.endsWith(".env") ? { mode: 0o600 } : {});
      }
    }
  }
}

/** @param {string} folder @param {string} top */
function removeEmpty(folder, top) {
  if (folder === top || readdirSync(folder).length > 0) return;
  rmdirSync(folder);
  removeEmpty(dirname(folder), top);
}
