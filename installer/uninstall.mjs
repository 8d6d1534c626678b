import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { alone } from "./alone.mjs";
import { Changes } from "./changes.mjs";
import { commands, say, text } from "./command.mjs";
import { DATABASE, databaseUrl, isInstalled, runSql, withDatabase } from "./database.mjs";
import { Refusal, UsageError } from "./errors.mjs";
import { all, times, versions } from "./place.mjs";
import { CONFIG, ENV, GITIGNORE, manifestFile, MIGRATIONS, Project } from "./project.mjs";
import { withoutSection } from "./section.mjs";
import { uninstallation } from "./shipped.mjs";

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate uninstall [OPTIONS]

Takes the gate out of the Supabase project of this folder, with everything that was recorded. With --db-url it takes it out of
that database at once, and removes the files that init wrote. Without, it writes a migration that does so in every database it
is pushed to, and leaves the other migrations, which those databases name; after the push, run it with --db-url to remove them.

${DATABASE}  --export FILE  writes all events to FILE first, one JSON text a line; needs --db-url
  --force        removes files that were edited, too
  --folder DIR   the folder that holds supabase/; this one where it is not given
  --dry-run      says what would be removed, and removes nothing
`,
  options: {
    "db-url": { type: "string" },
    export: { type: "string" },
    force: { type: "boolean" },
    folder: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  positionals: 0,
  run: async (values) => {
    const project = new Project(text(values, "folder") ?? ".");
    return await alone(project, () => uninstall(project, values));
  },
};

/** @param {Project} project @param {import("./command.mjs").Values} values */
async function uninstall(project, values) {
  const url = databaseUrl(values);
  const file = text(values, "export");
  if (file !== undefined && url === undefined) throw new UsageError("--export needs --db-url");
  const edited = project.edited();
  if (edited.length > 0 && !values.force) {
    throw new Refusal(
      `these were edited since they were written: ${edited.join(", ")}; keep them elsewhere, then use --force`,
    );
  }
  const { functionName } = project;
  const changes = new Changes(project);
  planRemoval(changes, url !== undefined);
  if (changes.all.length === 0) {
    say("Nothing of the gate is in this project.");
    return 0;
  }
  if (!values["dry-run"] && url !== undefined) await withDatabase(url, (client) => removeFrom(client, project, file));
  changes.carryOut({ only: values["dry-run"] === true }, "This would change:", "Changed:");
  if (values["dry-run"]) return 0;
  if (url === undefined) {
    say("", "Now take it out of the databases:", "", ...commands(project, ["npx supabase db push"]));
    const remove = "rm supabase/migrations/*_audience_gate_*.sql";
    say("", "Where it was never pushed to any, its migrations can go at once:", "", ...commands(project, [remove]));
  }
  const remove = `npx supabase functions delete ${functionName}`;
  say("", "To take the function off the platform:", "", ...commands(project, [remove]));
  return 0;
}

/** @param {Changes} changes @param {boolean} whole whether the migrations go too */
function planRemoval(changes, whole) {
  const { project } = changes;
  const { manifest } = project;
  if (whole) { for (const path of all(project)) changes.remove(path); }
  if (manifest === undefined) return;
  for (const path of Object.keys(manifest.files)) {
    if (project.read(path) !== undefined && !path.startsWith(`${MIGRATIONS}/`)) changes.remove(path);
  }
  for (const path of [CONFIG, ENV, GITIGNORE]) {
    const before = project.read(path);
    if (before === undefined) continue;
    const after = withoutSection(before);
    if (after === "" && manifest.created.includes(path)) changes.remove(path);
    else changes.write(path, after);
  }
  const [path] = manifestFile(manifest);
  changes.remove(path);
  if (!whole) {
    const time = times(versions(project)).next().value;
    changes.write(`${MIGRATIONS}/${time}_audience_gate_uninstall.sql`, uninstallation());
  }
}

/** @param {import("./database.mjs").Client} client @param {Project} project @param {string} [file] */
async function removeFrom(client, project, file) {
  // Without it, a push was refused, or a migration has taken it out: then only the history is left to mend.
  const there = await isInstalled(client);
  if (file !== undefined) {
    if (!there) throw new Refusal("the gate is not in the database of --db-url, so there is nothing to export");
    await exportEvents(client, file);
  }
  const ours = all(project).map((path) => path.slice(MIGRATIONS.length + 1).split("_")[0]);
  await client.query("begin");
  try {
    if (there) await runSql(client, uninstallation());
    // The history then names what is in the folder.
    await client.query(
      `do $$ begin
        if to_regclass('supabase_migrations.schema_migrations') is not null then
          delete from supabase_migrations.schema_migrations where version = any ('{${ours.join(",")}}');
        end if;
      end $$`,
    );
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

/** A thousand at a time, so that memory stays as it is. @param {import("./database.mjs").Client} client @param {string} file */
async function exportEvents(client, file) {
  const stream = createWriteStream(file, { flags: "wx", mode: 0o600 });
  await Promise.race([
    once(stream, "open"),
    once(stream, "error").then(([error]) => {
      throw new Refusal(`${file} cannot be written (${error.code}); name a file that does not exist yet`);
    }),
  ]);
  let count = 0;
  await client.query("begin isolation level repeatable read read only");
  await client.query(
    "declare events cursor for select to_jsonb(e)::text as line from public.audience_events e order by e.created_at",
  );
  for (;;) {
    const { rows } = await client.query("fetch 1000 from events");
    if (rows.length === 0) break;
    count += rows.length;
    if (!stream.write(rows.map(({ line }) => `${line}\n`).join(""))) await once(stream, "drain");
  }
  await client.query("commit");
  stream.end();
  await once(stream, "finish");
  say(`${count} events were written to ${file}.`);
}
