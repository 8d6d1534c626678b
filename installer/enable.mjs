import { alone } from "./alone.mjs";
import { Changes } from "./changes.mjs";
import { say, text } from "./command.mjs";
import { DATABASE, databaseUrl, isInstalled, withDatabase } from "./database.mjs";
import { Refusal, UsageError } from "./errors.mjs";
import { tracked } from "./git.mjs";
import { ENV, Project } from "./project.mjs";
import { section, sectionLines, withSection } from "./section.mjs";

const KEY = "AUDIENCE_GATE_SIGNING_KEY";

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate enable jobs|push|signing [OPTIONS]

jobs     has pg_cron compute states and figures on schedule; until then nothing is scheduled
push     has Realtime tell open dashboards when their figures change; a push of the migrations does so too where the project
         has Realtime by then
signing  makes the key with which the function proves what it judged, and writes it into supabase/functions/.env; the key
         before it stays valid until the next is made

${DATABASE}  --folder DIR   the folder that holds supabase/; this one where it is not given
`,
  options: { "db-url": { type: "string" }, folder: { type: "string" } },
  positionals: 1,
  run: async (values, [what]) => {
    if (what !== "jobs" && what !== "push" && what !== "signing") {
      throw new UsageError(`it enables jobs, push or signing, not ${what}`);
    }
    const url = databaseUrl(values);
    if (url === undefined) throw new UsageError("it needs --db-url");
    const project = what === "signing" ? new Project(text(values, "folder") ?? ".") : undefined;
    if (project && tracked(project.folder, ENV)) {
      throw new Refusal(`${ENV} is under version control; run: git rm --cached ${ENV}`);
    }
    return await withDatabase(url, async (client) => {
      if (!(await isInstalled(client))) {
        throw new Refusal("the gate is not in this database; run: npx supabase db push");
      }
      if (project) return await alone(project, () => sign(client, project));
      return what === "push" ? await push(client) : await schedule(client);
    });
  },
};

/** @param {import("./database.mjs").Client} client */
async function schedule(client) {
  const { rows: [{ jobs }] } = await client.query("select audience_gate.enable_jobs() as jobs");
  if (jobs.pg_cron) {
    say(`pg_cron runs ${jobs.scheduled} jobs.`);
    return 0;
  }
  say(
    "There is no pg_cron that this role may use. Enable it in the dashboard (Integrations, Cron) and run this again, or have",
    "a scheduler of yours call once a minute: select audience_gate.run_due_jobs();",
  );
  return 1;
}

/** @param {import("./database.mjs").Client} client */
async function push(client) {
  const { rows: [{ told }] } = await client.query("select audience_gate.enable_push() as told");
  say(
    told.realtime
      ? "Realtime tells the members of a site when its figures change."
      : "This database has no Realtime that sends from the database. Dashboards ask once a minute, as before.",
  );
  return told.realtime ? 0 : 1;
}

/** @param {import("./database.mjs").Client} client @param {Project} project */
async function sign(client, project) {
  const before = project.read(ENV) ?? "";
  const rest = before.replace(section(before) ?? "", "");
  if (new RegExp(`^\\s*(export\\s+)?${KEY}\\s*=`, "m").test(rest)) {
    throw new Refusal(`${ENV} has a ${KEY} outside the gate's section; remove that line, then run this again`);
  }
  const { rows: [{ key }] } = await client.query("select audience_gate.new_signing_key() as key");
  const changes = new Changes(project);
  const others = sectionLines(before).filter((line) => !line.startsWith(`${KEY}=`));
  changes.write(ENV, withSection(before, [...others, `${KEY}=${key}`]));
  changes.apply();
  say(`The key is in ${ENV}. Now: npx supabase secrets set --env-file ${ENV}`);
  return 0;
}
