/** A connection to the project's database, for those commands that can use one. */
import { Refusal } from "./errors.mjs";
import { unreachable, UNREADABLE } from "./reach.mjs";

/** @typedef {import("pg").Client} Client */

export const DATABASE = `  --db-url URL   the database, as postgresql://…; without it, DATABASE_URL from the environment
                 (needs the package pg: npm install --save-dev pg)
`;

/** @param {import("./command.mjs").Values} values @returns {string | undefined} */
export const databaseUrl = (values) =>
  typeof values["db-url"] === "string" ? values["db-url"] : process.env.DATABASE_URL || undefined;

/** @template T @param {string} url @param {(client: Client) => Promise<T>} work @returns {Promise<T>} */
export async function withDatabase(url, work) {
  const { Client } = await driver();
  const client = addressed(Client, url);
  try {
    await client.connect();
  } catch (error) {
    throw new Refusal(unreachable(error));
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** @param {typeof import("pg").Client} Client @param {string} url */
function addressed(Client, url) {
  try {
    return new Client({ connectionString: url });
  } catch {
    throw new Refusal(UNREADABLE);
  }
}

async function driver() {
  try {
    return (await import("pg")).default;
  } catch {
    throw new Refusal("a database needs the package pg; run: npm install --save-dev pg");
  }
}

/** Runs SQL whose own refusals are for people to read. @param {Client} client @param {string} sql */
export async function runSql(client, sql) {
  try {
    await client.query(sql);
  } catch (error) {
    const { message, hint } = /** @type {{ message: string, hint?: string }} */ (error);
    throw new Refusal(hint ? `${message}\n${hint}` : message);
  }
}

/** The versions of the migrations that a database names. @param {Client} client @returns {Promise<string[]>} */
export async function appliedVersions(client) {
  const { rows: [{ known }] } = await client.query(
    "select to_regclass('supabase_migrations.schema_migrations') is not null as known",
  );
  if (!known) return [];
  const { rows } = await client.query("select version from supabase_migrations.schema_migrations order by version");
  return rows.map(({ version }) => version);
}

/** Whether the gate is in a database. @param {Client} client @returns {Promise<boolean>} */
export async function isInstalled(client) {
  const { rows: [{ there }] } = await client.query(
    "select to_regprocedure('audience_gate.contract_fingerprint()') is not null as there",
  );
  return there;
}
