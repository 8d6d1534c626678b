import { say, text } from "./command.mjs";
import { declaredWithoutGate } from "./declared.mjs";
import { appliedVersions, DATABASE, databaseUrl, isInstalled, withDatabase } from "./database.mjs";
import { tracked } from "./git.mjs";
import { present } from "./place.mjs";
import { CONFIG, ENV, MIGRATIONS, Project } from "./project.mjs";
import { section } from "./section.mjs";
import { answer, SERVER, serverUrl } from "./server.mjs";
import { fingerprint } from "./shipped.mjs";

/** What is not as it should be, and what to do. @typedef {[finding: string, remedy: string]} Finding */

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate doctor [OPTIONS]

Looks at the files of this folder, and at database and function where they are given, and says of each thing that is not as it
should be what to do. The exit code is 1 where there is any. Nothing is changed.

${DATABASE}${SERVER}  --folder DIR   the folder that holds supabase/; this one where it is not given
`,
  options: { "db-url": { type: "string" }, url: { type: "string" }, folder: { type: "string" } },
  positionals: 0,
  run: async (values) => {
    const project = new Project(text(values, "folder") ?? ".");
    const url = databaseUrl(values);
    const server = serverUrl(values, project.functionName);
    const findings = [
      ...ofFiles(project),
      ...(url === undefined ? [] : await withDatabase(url, (client) => ofDatabase(client, project))),
      ...(server === undefined ? [] : await ofFunction(server, project.functionName)),
    ];
    for (const [finding, remedy] of findings) say(`- ${finding}`, `  ${remedy}`);
    const looked = ["the files", ...(url ? ["the database"] : []), ...(server ? ["the function"] : [])].join(", ");
    say(findings.length === 0 ? `Nothing is amiss in ${looked}.` : `${findings.length} findings in ${looked}.`);
    return findings.length === 0 ? 0 : 1;
  },
};

/** @param {Project} project @returns {Finding[]} */
function ofFiles(project) {
  if (present(project).size === 0) return [["the gate is not in this project", "npx audience-gate init"]];
  const env = project.read(ENV) ?? "";
  /** @type {Finding[]} */
  const findings = [];
  for (const path of project.edited()) {
    const remedy = path.startsWith(MIGRATIONS)
      ? "restore it: what is applied does not change with it, and a new database would differ"
      : "undo it, or have npx audience-gate upgrade --force replace it";
    findings.push([`${path} was edited`, remedy]);
  }
  if (section(project.read(CONFIG) ?? "") === undefined) {
    findings.push([`${CONFIG} has no section of the gate`, "npx audience-gate init"]);
  }
  for (
    const [name, remedy] of /** @type {const} */ ([
      ["AUDIENCE_GATE_SIGNING_KEY", "npx audience-gate enable signing --db-url YOUR-DATABASE"],
      ["AUDIENCE_GATE_EMAIL_PEPPER", "npx audience-gate init"],
    ])
  ) {
    if (!new RegExp(`^\\s*(export\\s+)?${name}\\s*=\\s*\\S`, "m").test(env)) {
      findings.push([`${ENV} has no ${name}`, remedy]);
    }
  }
  findings.push(...declaredWithoutGate(project));
  if (tracked(project.folder, ENV)) {
    findings.push([`${ENV} is under version control`, `git rm --cached ${ENV}, then change what it holds`]);
  }
  return findings;
}

/** One row of what the database says of itself; every count is bounded. */
const ASKED = `
select audience_gate.contract_fingerprint() as contract, audience_gate.jobs_enabled() as enabled,
  (select coalesce(array_agg(substr(s.name, 9)), '{}') from audience_gate.install_secrets s where s.name like 'signing:%') as keys,
  (select count(*)::int from public.audience_sites s where s.origins is null) as open_sites,
  (select count(*)::int from public.audience_site_members) as members,
  exists (select from audience_gate.state_pending p where p.first_at < now() - interval '10 minutes') as lags,
  (select count(*)::int from audience_gate.job_runs r where r.started_at > now() - interval '1 day' and r.outcome = 'failed') as failed,
  (select count(*)::int from audience_gate.retention_rules r where r.active
    and not exists (select from audience_gate.jobs j where j.name = 'apply_retention' and j.active)) as kept,
  exists (select from public.audience_alert_deliveries d
    where d.state = 'due' and d.due_at < now() - interval '10 minutes') as untold,
  (select jsonb_build_object('all', count(*), 'rejected', count(*) filter (where e.rejected))
    from (select e.rejected from public.audience_events e where e.created_at > now() - interval '1 day'
      order by e.created_at desc limit 100000) e) as day,
  exists (select from (select e.contract from public.audience_events e order by e.created_at limit 1000) e
    where e.contract is null) as unjudged`;

/** @param {import("./database.mjs").Client} client @param {Project} project @returns {Promise<Finding[]>} */
async function ofDatabase(client, project) {
  if (!(await isInstalled(client))) return [["the gate is not in the database", "npx supabase db push"]];
  const applied = new Set(await appliedVersions(client));
  const waiting = [...present(project).values()].filter((path) =>
    !applied.has(path.slice(MIGRATIONS.length + 1).split("_")[0])
  );
  if (waiting.length > 0) return [[`${waiting.length} migrations are not applied`, "npx supabase db push"]];
  const { rows: [it] } = await client.query(ASKED);
  const { rows: [{ id }] } = await client.query("select audience_gate.signing_key_id($1) as id", [
    signingKey(project) ?? "",
  ]);
  /** @type {[boolean, ...Finding][]} */
  const looked = [
    [
      it.contract !== fingerprint(),
      `the database judges by ${it.contract}, this package by ${fingerprint()}`,
      "npx audience-gate upgrade, then npx supabase db push",
    ],
    [
      it.keys.length === 0,
      "the database has no signing key",
      "npx audience-gate enable signing --db-url YOUR-DATABASE",
    ],
    [
      it.keys.length > 0 && signingKey(project) !== undefined && !it.keys.includes(id),
      `the signing key in ${ENV} is not one of the database`,
      "npx audience-gate enable signing --db-url YOUR-DATABASE, then npx supabase secrets set --env-file supabase/functions/.env",
    ],
    [
      it.open_sites > 0,
      `${it.open_sites} sites take events from every page`,
      "list their origins: update public.audience_sites set origins = array['https://www.example.com'] where …",
    ],
    [it.members === 0, "nobody may read the figures", "add a row to public.audience_site_members"],
    [
      !it.enabled && it.lags,
      "states wait for longer than ten minutes, and pg_cron runs no jobs",
      "npx audience-gate enable jobs --db-url YOUR-DATABASE",
    ],
    [
      !it.enabled && !it.lags,
      "pg_cron runs no jobs",
      "npx audience-gate enable jobs --db-url YOUR-DATABASE, or have a scheduler call audience_gate.run_due_jobs()",
    ],
    [
      it.enabled && it.lags,
      "states wait for longer than ten minutes",
      "look at the outcomes in audience_gate.job_runs",
    ],
    [
      it.failed > 0,
      `${it.failed} runs of jobs failed since yesterday`,
      "look at error and error_at in audience_gate.job_runs",
    ],
    [
      it.kept > 0,
      `${it.kept} rules of retention wait, and their job is off`,
      "update audience_gate.jobs set active = true where name = 'apply_retention'",
    ],
    [
      it.untold,
      "nobody sends what alerts have to say",
      "have a scheduler run npx audience-gate alerts once a minute",
    ],
    [
      it.day.rejected * 5 > it.day.all,
      `${it.day.rejected} of the last ${it.day.all} events were rejected`,
      "select metadata ->> 'validation_rule_id', count(*) from public.audience_events where rejected group by 1",
    ],
    [it.unjudged, "events from before the gate are not judged", "npx audience-gate legacy report, as DEPLOY.md says"],
  ];
  return looked.flatMap(([is, finding, remedy]) => is ? [/** @type {Finding} */ ([finding, remedy])] : []);
}

const signingKey = (/** @type {Project} */ project) =>
  /^\s*(?:export\s+)?AUDIENCE_GATE_SIGNING_KEY\s*=\s*"?([0-9a-f]+)/m.exec(project.read(ENV) ?? "")?.[1];

/** @param {string} server @param {string} name @returns {Promise<Finding[]>} */
async function ofFunction(server, name) {
  const health = await answer(`${server}/health`);
  if (health === undefined || health.status === 404) {
    return [["the function does not answer", `npx supabase functions deploy ${name} --use-api`]];
  }
  if (health.status !== 200) {
    const remedy = "push the migrations, see that the API exposes the schema public, then look at the function's log";
    return [[`the function answers ${health.status}`, remedy]];
  }
  const { fingerprint: deployed } = /** @type {{ fingerprint?: string }} */ (health.body.contract ?? {});
  return deployed === fingerprint() ? [] : [[
    `the function judges by ${deployed}, this package by ${fingerprint()}`,
    `npx audience-gate upgrade, then npx supabase functions deploy ${name} --use-api`,
  ]];
}
