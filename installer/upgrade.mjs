import { alone } from "./alone.mjs";
import { Changes } from "./changes.mjs";
import { commands, say, text } from "./command.mjs";
import { appliedVersions, DATABASE, databaseUrl, withDatabase } from "./database.mjs";
import { Refusal } from "./errors.mjs";
import { present } from "./place.mjs";
import { planInstall } from "./plan.mjs";
import { functionFolder, Project } from "./project.mjs";
import { version } from "./shipped.mjs";

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate upgrade [OPTIONS]

Copies the migrations that are newer in this package, and the function. Files that were edited are left, unless --force replaces
them; a migration that is there is never changed. No database is changed.

${DATABASE}  --force        replaces the function's files even where they were edited
  --folder DIR   the folder that holds supabase/; this one where it is not given
  --dry-run      says what would be written, and writes nothing
`,
  options: {
    "db-url": { type: "string" },
    force: { type: "boolean" },
    folder: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  positionals: 0,
  run: async (values) => {
    const project = new Project(text(values, "folder") ?? ".");
    return await alone(project, () => upgrade(project, values));
  },
};

/** @param {Project} project @param {import("./command.mjs").Values} values */
async function upgrade(project, values) {
  if (present(project).size === 0) throw new Refusal("the gate is not in this project; run: npx audience-gate init");
  refuseEdited(project, values.force === true);
  const url = databaseUrl(values);
  const applied = url === undefined ? [] : await withDatabase(url, appliedVersions);
  const changes = new Changes(project);
  planInstall(changes, applied, project.functionName);
  if (changes.all.length === 0) {
    say(`Release ${version()} is there already; nothing was changed.`);
    return 0;
  }
  changes.carryOut({ only: values["dry-run"] === true }, "This would be written:", "Written:");
  if (values["dry-run"]) return 0;
  const deploy = `npx supabase functions deploy ${project.functionName} --use-api`;
  say("", "Now, the database first:", "", ...commands(project, ["npx supabase db push", deploy]));
  return 0;
}

/** @param {Project} project @param {boolean} force */
function refuseEdited(project, force) {
  const folder = functionFolder(project.functionName);
  const edited = project.edited().filter((path) => path.startsWith(`${folder}/`));
  if (edited.length > 0 && !force) {
    throw new Refusal(
      `these were edited since they were written: ${edited.join(", ")}; keep your changes elsewhere, then use --force`,
    );
  }
}
