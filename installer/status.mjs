import { say, text } from "./command.mjs";
import { appliedVersions, DATABASE, databaseUrl, isInstalled, withDatabase } from "./database.mjs";
import { present } from "./place.mjs";
import { CONFIG, MIGRATIONS, Project } from "./project.mjs";
import { section } from "./section.mjs";
import { migrations, version } from "./shipped.mjs";
import { deployedContract, SERVER, serverUrl } from "./server.mjs";

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate status [OPTIONS]

Says what of the gate is in the project of this folder, what was edited, and by which contract its files, its database and its
function judge. The exit code is 1 where they differ or something was edited.

${DATABASE}${SERVER}  --folder DIR   the folder that holds supabase/; this one where it is not given
`,
  options: { "db-url": { type: "string" }, url: { type: "string" }, folder: { type: "string" } },
  positionals: 0,
  run: async (values) => {
    const project = new Project(text(values, "folder") ?? ".");
    const there = present(project);
    const { manifest } = project;
    if (there.size === 0 && manifest === undefined) {
      say("The gate is not in this project. To bring it in: npx audience-gate init");
      return 1;
    }
    const edited = project.edited();
    const gone = Object.keys(manifest?.files ?? {}).filter((path) => project.read(path) === undefined);
    const missing = migrations().filter(({ number, name }) => name !== "preflight" && !there.has(`${number}_${name}`));
    say(
      `release     ${manifest?.version ?? "0.1.0, copied by hand"}, this package is ${version()}`,
      `migrations  ${there.size} in ${MIGRATIONS}${
        missing.length > 0 ? `, ${missing.length} newer in this package` : ""
      }`,
      `settings    ${
        section(project.read(CONFIG) ?? "") === undefined ? `${CONFIG} has no section of the gate` : CONFIG
      }`,
      `function    ${project.functionName}`,
      ...edited.map((path) => `edited      ${path}`),
      ...gone.map((path) => `removed     ${path}`),
    );
    /** @type {(string | undefined)[]} */
    const contracts = [manifest?.contract];
    say(`contract    ${manifest?.contract ?? "not known"} in the files`);
    const url = databaseUrl(values);
    if (url !== undefined) {
      const { contract, waiting } = await withDatabase(url, (client) => stateOf(client, there));
      contracts.push(contract);
      say(
        `            ${contract ?? "none"} in the database${
          waiting > 0 ? `, where ${waiting} migrations are not applied` : ""
        }`,
      );
      if (waiting > 0) contracts.push(undefined);
    }
    const server = serverUrl(values, project.functionName);
    if (server !== undefined) {
      const contract = await deployedContract(server);
      contracts.push(contract);
      say(`            ${contract ?? "no answer"} in the function`);
    }
    return new Set(contracts).size > 1 || edited.length + gone.length > 0 ? 1 : 0;
  },
};

/** @param {import("./database.mjs").Client} client @param {Map<string, string>} there */
async function stateOf(client, there) {
  const applied = new Set(await appliedVersions(client));
  const waiting =
    [...there.values()].filter((path) => !applied.has(path.slice(MIGRATIONS.length + 1).split("_")[0])).length;
  if (!(await isInstalled(client))) return { contract: undefined, waiting };
  const { rows: [{ contract }] } = await client.query("select audience_gate.contract_fingerprint() as contract");
  return { contract: /** @type {string} */ (contract), waiting };
}
