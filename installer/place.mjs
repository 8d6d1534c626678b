/** Under which names the migrations of the gate stand in a project, and which of them are there. */
import { MIGRATIONS } from "./project.mjs";
import { migrations } from "./shipped.mjs";

/** @typedef {import("./project.mjs").Project} Project */

/** As init names them; those of release 0.1.0 were copied under their own names. */
const OURS = /^\d{14}_audience_gate_(\d{6})_(\w+)\.sql$/;
const ORIGINAL = /^20261101(\d{6})_(\w+)\.sql$/;
const UNINSTALL = /^\d{14}_audience_gate_uninstall\.sql$/;

/** Makes the function that tells which of the gate's migrations a file is; undefined if it is not one of them. @returns {(file: string) => string | undefined} */
function recogniser() {
  const shipped = new Set(migrations().map(({ number, name }) => `${number}_${name}`));
  return (file) => {
    const [, number, name] = OURS.exec(file) ?? ORIGINAL.exec(file) ?? [];
    const migration = number && `${number}_${name}`;
    return migration && (OURS.test(file) || shipped.has(migration)) ? migration : undefined;
  };
}

/** The files of the gate since it was last uninstalled, by what they are. @param {Project} project */
export function present(project) {
  const migrationOf = recogniser();
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const file of project.list(MIGRATIONS)) {
    if (UNINSTALL.test(file)) found.clear();
    const migration = migrationOf(file);
    if (migration) found.set(migration, `${MIGRATIONS}/${file}`);
  }
  return found;
}

/** Every file of the gate, also from before an uninstall, and the uninstalls themselves. @param {Project} project */
export function all(project) {
  const migrationOf = recogniser();
  const files = project.list(MIGRATIONS).filter((file) => UNINSTALL.test(file) || migrationOf(file));
  return files.map((file) => `${MIGRATIONS}/${file}`);
}

/** Times of migrations: each a second after the one before, the first after every migration there is. @param {string[]} versions */
export function* times(versions) {
  const newest = versions.filter((version) => /^\d{14}$/.test(version)).sort().at(-1) ?? "";
  let at = Math.max(Date.now(), instant(newest)) + 1000;
  for (;; at += 1000) yield new Date(at).toISOString().replaceAll(/\D/g, "").slice(0, 14);
}

/** A version as a time; no version is the earliest. @param {string} version */
function instant(version) {
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)(..)(..)(..)$/.exec(version)?.map(Number) ?? [];
  return year ? Date.UTC(year, month - 1, day, hour, minute, second) : 0;
}

/** The versions of the project's own migrations and of ours. @param {Project} project */
export const versions = (project) =>
  project.list(MIGRATIONS).flatMap((file) => /^(\d+)_.*\.sql$/.exec(file)?.[1] ?? []);
