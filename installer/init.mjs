import { Changes } from "./changes.mjs";
import { say, text } from "./command.mjs";
import { appliedVersions, DATABASE, databaseUrl, isInstalled, runSql, withDatabase } from "./database.mjs";
import { Refusal } from "./errors.mjs";
import { declaredWithoutGate } from "./declared.mjs";
import { planInstall } from "./plan.mjs";
import { present } from "./place.mjs";
import { FUNCTION, Project } from "./project.mjs";
import { functionFiles, migrations } from "./shipped.mjs";

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate init [OPTIONS]

Copies into the Supabase project of this folder what it lacks of the gate: the migrations, after the newest of its own; the
function, with everything it imports; the function's section in supabase/config.toml; its secrets in
supabase/functions/.env. A second run changes nothing. No database is changed.

${DATABASE}                 Looks before anything is written for what is in the way there.
  --folder DIR   the folder that holds supabase/; this one where it is not given
  --dry-run      says what would be written, and writes nothing
`,
  options: { "db-url": { type: "string" }, folder: { type: "string" }, "dry-run": { type: "boolean" } },
  positionals: 0,
  run: async (values) => {
    const project = new Project(text(values, "folder") ?? ".");
    refuseForeign(project);
    const url = databaseUrl(values);
    const applied = url === undefined ? [] : await withDatabase(url, preflight);
    const changes = new Changes(project);
    planInstall(changes, applied);
    if (changes.all.length === 0) {
      say("Everything is there already; nothing was changed.");
      return 0;
    }
    say(values["dry-run"] ? "This would be written:" : "Written:");
    changes.show();
    if (!values["dry-run"]) changes.apply();
    for (const [finding, remedy] of declaredWithoutGate(project)) say("", `Mind: ${finding}; ${remedy}`);
    say("", values["dry-run"] ? "Nothing was written. Then go on with:" : "Now go on with:", "", ...NEXT);
    return 0;
  },
};

const NEXT = [
  "  npx supabase db push",
  "  npx audience-gate enable signing --db-url YOUR-DATABASE",
  "  npx supabase secrets set --env-file supabase/functions/.env",
  "  npx supabase functions deploy ingest --use-api",
  "  npx audience-gate enable jobs --db-url YOUR-DATABASE",
  "  npx audience-gate doctor --db-url YOUR-DATABASE --url https://YOUR-REF.supabase.co",
];

/** Refuses what would overwrite somebody's own files, or edits of ours. @param {Project} project */
function refuseForeign(project) {
  const known = project.manifest?.files;
  const edited = project.edited();
  if (edited.length > 0) {
    throw new Refusal(
      `these were edited since they were written: ${edited.join(", ")}; audience-gate upgrade says what to do`,
    );
  }
  if (known === undefined && present(project).size > 0) {
    throw new Refusal("the gate was copied into this project by hand; run: npx audience-gate upgrade");
  }
  if (known === undefined) {
    const shipped = functionFiles();
    const differing = project.list(FUNCTION).filter((name) =>
      project.read(`${FUNCTION}/${name}`) !== shipped.get(name)
    );
    if (differing.length > 0) {
      throw new Refusal(`there is a function of your own in ${FUNCTION}; rename it, then run this again`);
    }
  } else if (project.manifest && Object.keys(known).length > 0 && isOlder(project)) {
    throw new Refusal(`${project.manifest.version} of the gate is here already; run: npx audience-gate upgrade`);
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
