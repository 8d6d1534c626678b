import { alone } from "./alone.mjs";
import { Changes } from "./changes.mjs";
import { commands, say, text } from "./command.mjs";
import { appliedVersions, DATABASE, databaseUrl, isInstalled, runSql, withDatabase } from "./database.mjs";
import { Refusal, UsageError } from "./errors.mjs";
import { declaredWithoutGate } from "./declared.mjs";
import { planInstall } from "./plan.mjs";
import { present } from "./place.mjs";
import { functionFolder, Project } from "./project.mjs";
import { functionFiles, migrations } from "./shipped.mjs";

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate init [OPTIONS]

Copies into the Supabase project of this folder what it lacks of the gate: the migrations, after the newest of its own; the
function, with everything it imports; the function's section in supabase/config.toml; its secrets in
supabase/functions/.env. A second run changes nothing. No database is changed.

${DATABASE}                 Looks before anything is written for what is in the way there.
  --function NAME
                 what the function is called here, and so its address: ingest, or what it was called before
  --folder DIR   the folder that holds supabase/; this one where it is not given
  --dry-run      says what would be written, and writes nothing
`,
  options: {
    "db-url": { type: "string" },
    function: { type: "string" },
    folder: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  positionals: 0,
  run: async (values) => {
    const project = new Project(text(values, "folder") ?? ".");
    return await alone(project, () => init(project, values));
  },
};

/** @param {Project} project @param {import("./command.mjs").Values} values */
async function init(project, values) {
  const name = functionName(values, project);
  refuseForeign(project, name);
  const url = databaseUrl(values);
  const applied = url === undefined ? [] : await withDatabase(url, preflight);
  const former = project.manifest && project.functionName !== name ? project.functionName : undefined;
  const changes = new Changes(project);
  planInstall(changes, applied, name);
  if (changes.all.length === 0) {
    say("Everything is there already; nothing was changed.");
    return 0;
  }
  changes.carryOut({ only: values["dry-run"] === true }, "This would be written:", "Written:");
  if (former !== undefined) {
    say(
      "",
      `Once nothing is sent to ${former} any more: npx supabase functions delete ${former}`,
    );
  }
  for (const [finding, remedy] of declaredWithoutGate(project)) say("", `Mind: ${finding}; ${remedy}`);
  say("", values["dry-run"] ? "Nothing was written. Then go on with:" : "Now go on with:", "");
  say(...commands(project, next(name)));
  return 0;
}

const next = (/** @type {string} */ name) => [
  "npx supabase db push",
  "npx audience-gate enable signing --db-url YOUR-DATABASE",
  "npx supabase secrets set --env-file supabase/functions/.env",
  `npx supabase functions deploy ${name} --use-api`,
  "npx audience-gate enable jobs --db-url YOUR-DATABASE",
  "npx audience-gate doctor --db-url YOUR-DATABASE --url https://YOUR-REF.supabase.co",
];

/** @param {import("./command.mjs").Values} values @param {Project} project */
function functionName(values, project) {
  const name = text(values, "function") ?? project.functionName;
  // What the platform takes for one.
  if (/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) return name;
  throw new UsageError("--function is a letter, then letters, digits, _ and -");
}

/** Refuses what would overwrite somebody's own files, or edits of ours. @param {Project} project @param {string} name of the function */
function refuseForeign(project, name) {
  const known = project.manifest?.files;
  const edited = project.edited();
  if (edited.length > 0) {
    throw new Refusal(
      `these were edited since they were written: ${edited.join(", ")}; audience-gate upgrade says what to do`,
    );
  }
  if (known === undefined && present(project).size > 0) {
    throw new Refusal(
      "the gate was copied into this project by hand, or an init of it was cut off; run: npx audience-gate upgrade",
    );
  }
  if (known === undefined || name !== project.functionName) {
    const shipped = functionFiles();
    const folder = functionFolder(name);
    const differing = project.list(folder).filter((file) => project.read(`${folder}/${file}`) !== shipped.get(file));
    if (differing.length > 0) {
      throw new Refusal(
        `there is a function of your own in ${folder}; give the gate's another name: npx audience-gate init --function NAME`,
      );
    }
  }
  if (Object.keys(known ?? {}).length > 0 && isOlder(project)) {
    throw new Refusal(`${project.manifest?.version} of the gate is here already; run: npx audience-gate upgrade`);
  }
}

/** Whether the project has the gate, but not all of its migrations. @param {Project} project */
function isOlder(project) {
  const there = present(project);
  return there.size > 0 && there.size < migrations().length;
}

/** Runs the first migration, and takes it back. @param {import("./database.mjs").Client} client */
async function preflight(client) {
  if (!(await isInstalled(client))) {
    await runSql(client, "begin");
    try {
      await runSql(client, migrations()[0].text);
    } finally {
      await client.query("rollback");
    }
  }
  return await appliedVersions(client);
}
