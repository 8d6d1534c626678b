/** What the command of the package brings into a project: migrations, function, settings, and the registry that ships. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { snapshot } from "../web/shared/snapshot.mjs";
import { root } from "./fingerprint.mjs";

const FUNCTION = join(root, "supabase/functions/ingest");
const MIGRATIONS = join(root, "supabase/migrations");

/** Where the function imports the contract from here, and where from in a project. */
const CONTRACT = { here: "../../../pkg/inline.js", there: "./contract/inline.js" };

/** Fills the folders `installer` and `install` of the package. @param {string} pkg @param {string} folder */
export function installable(pkg, folder) {
  const write = (/** @type {string} */ path, /** @type {string} */ text) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const read = (/** @type {string} */ path) => readFileSync(join(root, path), "utf8");
  cpSync(join(root, "installer"), join(folder, "installer"), { recursive: true });

  for (const name of readdirSync(MIGRATIONS).filter((name) => name.endsWith(".sql"))) {
    const [, number, rest] = /^\d{8}(\d{6}_)(\w+\.sql)$/.exec(name) ?? [];
    const text = read(`supabase/migrations/${name}`);
    write(`install/migrations/${number}${rest}`, rest === "schedules.sql" ? unscheduled(text, read) : text);
  }
  for (const name of readdirSync(FUNCTION).filter((name) => !name.endsWith("_test.ts"))) {
    write(
      `install/function/${name}`,
      read(`supabase/functions/ingest/${name}`).replaceAll(CONTRACT.here, CONTRACT.there),
    );
  }
  for (const name of ["inline.js", "inline.d.ts", "audience_gate.d.ts"]) {
    const text = readFileSync(join(pkg, name), "utf8");
    write(
      `install/function/contract/${name}`,
      name === "inline.d.ts" ? text.replaceAll("audience_gate.js", "audience_gate.d.ts") : text,
    );
  }
  const [, settings] = /(^\[functions\.ingest\]\n(?:[^[\n].*\n)*)/m.exec(read("supabase/config.toml")) ?? [];
  write("install/config.toml", settings);
  write("install/registry.json", JSON.stringify(snapshot(JSON.parse(read("taxonomy.json")))));
  const { version, fingerprint } = JSON.parse(read("contract.json"));
  write("install/contract.json", JSON.stringify({ version, fingerprint }));
}

/**
 * The migration that defines the jobs, less what schedules them: here a new database schedules them at once, in somebody's
 * own project nothing does until they say so. @param {string} text @param {(path: string) => string} read
 */
function unscheduled(text, read) {
  const [jobs] = text.split("\n-- Available is not the same as usable");
  return read("installer/sql/schedules.sql").replace("-- JOBS", () => jobs.replace(/^--.*\n\n/, "").trim());
}
