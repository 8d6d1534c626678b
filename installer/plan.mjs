/** What init and upgrade write: migrations, function, configuration, secrets, and the record of it. */
import { randomBytes } from "node:crypto";
import { Refusal } from "./errors.mjs";
import { present, times, versions } from "./place.mjs";
import { CONFIG, digest, ENV, functionFolder, GITIGNORE, manifestFile, MIGRATIONS } from "./project.mjs";
import { section, sectionLines, withSection } from "./section.mjs";
import { configuration, fingerprint, functionFiles, migrations, version } from "./shipped.mjs";
import { ignored, tracked } from "./git.mjs";

/** @typedef {import("./changes.mjs").Changes} Changes */

/**
 * Plans everything that is not there yet, and replaces what is older and unedited.
 *
 * @param {Changes} changes
 * @param {string[]} applied versions that a database names and the folder lacks
 * @param {string} name of the function
 */
export function planInstall(changes, applied, name) {
  const { project } = changes;
  const before = project.manifest;
  const written = [...addMigrations(changes, applied), ...addFunction(changes, name)];
  const created = new Set(before?.created ?? []);
  for (const path of [addConfiguration(changes, name), addSecrets(changes), addIgnored(changes)]) {
    if (path !== undefined && project.read(path) === undefined) created.add(path);
  }
  const files = { ...before?.files };
  for (const path of written) files[path] = digest(changes.read(path) ?? "");
  for (const path of Object.keys(files)) if (changes.read(path) === undefined) delete files[path];
  changes.write(
    ...manifestFile({
      version: version(),
      contract: fingerprint(),
      function: name,
      files,
      created: [...created].sort(),
    }),
  );
}

/** The migrations that are not there, after the newest that is. @param {Changes} changes @param {string[]} applied */
function addMigrations(changes, applied) {
  const there = present(changes.project);
  const upgraded = there.size > 0;
  const time = times([...versions(changes.project), ...applied]);
  return migrations().flatMap(({ number, name, text }) => {
    // The preflight is for a database without the gate.
    if (there.has(`${number}_${name}`) || upgraded && name === "preflight") return [];
    const path = `${MIGRATIONS}/${time.next().value}_audience_gate_${number}_${name}.sql`;
    changes.write(path, text);
    return [path];
  });
}

/** The function with everything it imports, less what it no longer imports. @param {Changes} changes @param {string} name */
function addFunction(changes, name) {
  const { project } = changes;
  const shipped = functionFiles();
  const folder = functionFolder(name);
  const former = functionFolder(project.functionName);
  for (const path of Object.keys(project.manifest?.files ?? {})) {
    const stays = path.startsWith(`${folder}/`) && shipped.has(path.slice(folder.length + 1));
    if (path.startsWith(`${former}/`) && !stays && project.read(path) !== undefined) changes.remove(path);
  }
  return [...shipped].map(([file, text]) => {
    const path = `${folder}/${file}`;
    changes.write(path, text);
    return path;
  });
}

/** @param {Changes} changes @param {string} name of the function */
function addConfiguration(changes, name) {
  const text = changes.read(CONFIG) ?? "";
  const rest = text.replace(section(text) ?? "", "");
  const key = `functions\\s*\\.\\s*"?${name}"?\\s*`;
  if (new RegExp(`^\\s*(\\[\\s*${key}[\\].]|${key}[.=])`, "m").test(rest)) {
    // Of a gate that was copied by hand.
    if (present(changes.project).size > 0) return undefined;
    throw new Refusal(
      `${CONFIG} has a section [functions.${name}] of its own; give the gate's function another name: --function NAME`,
    );
  }
  changes.write(CONFIG, withSection(text, configuration(name)));
  return CONFIG;
}

/** The function's settings; a value that is there is kept. @param {Changes} changes */
function addSecrets(changes) {
  const text = changes.read(ENV) ?? "";
  const named = (/** @type {string} */ name) => new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`, "m");
  const rest = text.replace(section(text) ?? "", "");
  const kept = sectionLines(text);
  const lines = [
    ["AUDIENCE_GATE_ADDRESS_HEADER", () => "cf-connecting-ip"],
    ["AUDIENCE_GATE_ALERT_SECRET", () => randomBytes(32).toString("hex")],
    ["AUDIENCE_GATE_EMAIL_PEPPER", () => randomBytes(32).toString("hex")],
  ].flatMap(([name, value]) => {
    const pattern = named(/** @type {string} */ (name));
    if (pattern.test(rest) || kept.some((line) => pattern.test(line))) return [];
    return [`${name}=${/** @type {() => string} */ (value)()}`];
  });
  if (lines.length === 0) return undefined;
  if (tracked(changes.project.folder, ENV)) {
    throw new Refusal(
      `${ENV} is under version control, and secrets belong in it; run: git rm --cached ${ENV}, and change what it holds`,
    );
  }
  changes.write(ENV, withSection(text, [...kept, ...lines]));
  return ENV;
}

/** Sees to it that the secrets are never committed. @param {Changes} changes */
function addIgnored(changes) {
  if (changes.read(ENV) === undefined || ignored(changes.project.folder, ENV)) return undefined;
  const text = changes.read(GITIGNORE) ?? "";
  if (/^\/?(?:functions\/)?\.env\r?$/m.test(text)) return undefined;
  changes.write(GITIGNORE, withSection(text, ["/functions/.env"]));
  return GITIGNORE;
}
