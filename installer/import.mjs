import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { say, text } from "./command.mjs";
import { DATABASE, databaseUrl, runSql, withDatabase } from "./database.mjs";
import { Refusal, UsageError } from "./errors.mjs";
import { documents } from "./import_files.mjs";
import { FORMATS } from "./import_formats.mjs";
import { lineText, Report, share } from "./import_report.mjs";
import { mappingOf, rowsOf } from "./import_rows.mjs";
import { sqlOf } from "./import_sql.mjs";
import { moduleFor } from "./plan_module.mjs";
import { plannedTypes } from "./planned_types.mjs";
import { eventTypes } from "./registry.mjs";
import { registry as shipped } from "./shipped.mjs";

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate import --plan FORMAT FILE|FOLDER|- [OPTIONS]

Turns a tracking plan into event types of the registry, and says line by line what it could not carry over, where that stands
and why. It prints the SQL and changes nothing, unless --apply says so. The exit code is 1 where something was left out.

  --plan FORMAT    segment, rudderstack, snowplow, ga4 or json-schema, which also takes what export wrote
  --mapping FILE   which event becomes which id, category and tier: written where there is no such file, to be edited, and
                   followed where there is; an event with null is left out
  --registry FROM  what is registered already: a file, the address of the function with /registry, or the word shipped, which
                   it is where neither this nor a database is given
  --replace        changes types that are registered and differ from the plan
  --out FILE       writes the SQL there
  --apply          runs it in the database of --db-url
  --format json    prints lines, mapping, SQL and figures as one JSON text
${DATABASE}
YAML needs the package yaml: npm install --save-dev yaml
`,
  options: {
    plan: { type: "string" },
    mapping: { type: "string" },
    registry: { type: "string" },
    replace: { type: "boolean" },
    out: { type: "string" },
    apply: { type: "boolean" },
    format: { type: "string" },
    "db-url": { type: "string" },
  },
  positionals: 1,
  run: async (values, [path]) => {
    const plan = text(values, "plan");
    if (plan === undefined || !Object.hasOwn(FORMATS, plan)) {
      throw new UsageError(`--plan is one of ${Object.keys(FORMATS).join(", ")}`);
    }
    const format = text(values, "format") ?? "text";
    if (format !== "text" && format !== "json") throw new UsageError(`--format is text or json, not ${format}`);
    const url = databaseUrl(values);
    if (values.apply && url === undefined) {
      throw new UsageError("--apply needs --db-url, or DATABASE_URL from the environment");
    }
    const { types, snapshot } = await plannedTypes(values);
    const report = new Report();
    const events = FORMATS[plan](await documents(path), report);
    const { changes, mapping } = rowsOf(events, report, {
      known: new Map(types.map((type) => [type.id, type])),
      shipped: new Set(eventTypes(shipped()).map(({ id }) => id)),
      mapping: mappingIn(text(values, "mapping")),
      replace: values.replace === true,
      module: moduleFor(snapshot),
    });
    const sql = changes.length === 0 ? "" : sqlOf(changes, plan);
    if (values.apply && url !== undefined && sql !== "") await withDatabase(url, (client) => runSql(client, sql));
    const out = text(values, "out");
    if (out !== undefined) write(out, sql);
    const said = { report, mapping, sql, changes, isApplied: values.apply === true };
    if (format === "json") forPrograms(said);
    else forPeople(said, { out, mappingFile: writtenMapping(text(values, "mapping"), mapping) });
    return report.all().some(({ kind }) => kind === "left out") ? 1 : 0;
  },
};

/** @typedef {{ report: Report, mapping: Record<string, import("./import_rows.mjs").Mapped>, sql: string, changes: import("./import_rows.mjs").Change[], isApplied: boolean }} Said */

/** @param {Said} said */
function forPrograms({ report, mapping, sql, changes, isApplied }) {
  const { events, statements } = report;
  const ids = (/** @type {string} */ does) => changes.filter((change) => change.does === does).map(({ row }) => row.id);
  say(JSON.stringify({
    events,
    statements,
    inserted: ids("insert"),
    replaced: ids("replace"),
    applied: isApplied,
    lines: report.all(),
    mapping,
    sql,
  }));
}

/** SQL goes where it can be piped from; all else stands beside it. @param {Said} said @param {{ out?: string, mappingFile?: string }} files */
function forPeople({ report, mapping, sql, changes, isApplied }, { out, mappingFile }) {
  const { events, statements: { carried, leftOut } } = report;
  const shown = Object.entries(mapping).map(([name, to]) =>
    to === null ? `${name}: left out` : `${name} -> ${to.id} (${[to.category, to.tier].filter(Boolean).join(", ")})`
  );
  const lines = [
    ...shown,
    ...mappingFile === undefined ? [] : [`The mapping is in ${mappingFile}: edit it, and run this again.`],
    ...report.all().map(lineText),
    `carried over: ${events.carried} of ${events.planned} events, ${carried} of ${carried + leftOut} statements (${
      share(carried, carried + leftOut)
    })`,
    changes.length === 0
      ? "There is nothing to change."
      : isApplied
      ? `${changes.length} event types are in the registry.`
      : `${changes.length} event types would change. Nothing is changed yet: run the SQL, or add --apply --db-url URL.`,
  ];
  process.stderr.write(lines.map((line) => `${line}\n`).join(""));
  if (out === undefined && !isApplied) process.stdout.write(sql);
}

/** @param {string | undefined} file */
function mappingIn(file) {
  if (file === undefined || !existsSync(file)) return {};
  let given;
  try {
    given = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new Refusal(`${file} is not JSON that can be read; mend it, or name a file that is not there yet`);
  }
  return mappingOf(given, file);
}

/** Writes the mapping to a file, unless the file exists. @param {string | undefined} file @param {object} mapping */
function writtenMapping(file, mapping) {
  if (file === undefined || existsSync(file)) return undefined;
  write(file, `${JSON.stringify(mapping, null, 2)}\n`);
  return file;
}

/** @param {string} file @param {string} content */
function write(file, content) {
  try {
    writeFileSync(file, content);
  } catch (error) {
    throw new Refusal(`${file} cannot be written (${/** @type {{ code?: string }} */ (error).code}); name another`);
  }
}
