/** What a command is about to do to a project's files: shown first, done then. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { say } from "./command.mjs";
import { Refusal } from "./errors.mjs";

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

  /** What changes, a line each: + a new file, ~ a changed one, - one that goes. */
  get lines() {
    return this.all.map(([path, text]) => {
      const sign = text === null ? "-" : this.project.read(path) === undefined ? "+" : "~";
      return `  ${sign} ${path}`;
    });
  }

  /** Does it, unless it is only to be shown, and says so under one of two headings. @param {{ only: boolean }} show @param {string} would @param {string} did */
  carryOut({ only }, would, did) {
    const { lines } = this;
    if (!only) this.apply();
    say(only ? would : did, ...lines);
  }

  /** Does all of it, or, where a file cannot be written or removed, none. A folder that this empties goes too. */
  apply() {
    /** @type {(() => void)[]} */
    const undo = [];
    for (const [path, text] of this.all) {
      try {
        if (text === null) this.#take(path, undo);
        else this.#put(path, text, undo);
      } catch (error) {
        const { code } = /** @type {NodeJS.ErrnoException} */ (error);
        for (const step of undo.reverse()) step();
        throw new Refusal(`${path} cannot be ${text === null ? "removed" : "written"} (${code}); no file was changed`);
      }
    }
  }

  /** @param {string} path @param {string} text @param {(() => void)[]} undo */
  #put(path, text, undo) {
    const full = join(this.project.folder, path);
    const before = this.project.read(path);
    const made = mkdirSync(dirname(full), { recursive: true });
    if (made !== undefined) undo.push(() => rmSync(made, { recursive: true, force: true }));
    undo.push(() => {
      if (before === undefined) rmSync(full, { force: true });
      // What could not be written is as it was.
      else if (this.project.read(path) !== before) writeFileSync(full, before);
    });
    // Secrets may be in it: where the file is new, nobody else reads it.
    writeFileSync(full, text, path.endsWith(".env") ? { mode: 0o600 } : {});
  }

  /** @param {string} path @param {(() => void)[]} undo */
  #take(path, undo) {
    const full = join(this.project.folder, path);
    const [before, { mode }] = [readFileSync(full), statSync(full)];
    rmSync(full);
    undo.push(() => {
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, before, { mode });
    });
    removeEmpty(dirname(full), this.project.folder);
  }
}

/** @param {string} folder @param {string} top */
function removeEmpty(folder, top) {
  if (folder === top || readdirSync(folder).length > 0) return;
  rmdirSync(folder);
  removeEmpty(dirname(folder), top);
}
