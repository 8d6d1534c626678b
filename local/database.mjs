import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withoutNotices } from "./quiet.mjs";
import { jwtSecret, publishableKey, root, secretKey } from "./settings.mjs";

/**
 * The embedded Supabase: real Postgres in this process (PGlite), with the API and the sign-in server of
 * `@supabase/lite` in front of it.
 *
 * @typedef {object} Database
 * @property {(request: Request) => Promise<Response>} fetch answers /rest/v1 and /auth/v1
 * @property {(sql: string, parameters?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>} query
 * @property {(sql: string) => Promise<{ rows: Record<string, unknown>[] }[]>} exec several statements
 * @property {string[]} applied the migrations that were run: those that were pending, and an edited draft
 * @property {() => Promise<void>} close
 */

/**
 * @param {{ folder?: string, siteUrl?: string, extensions?: Record<string, unknown> }} options
 *   without a folder everything is kept in memory
 * @returns {Promise<Database>}
 */
export async function openDatabase(
  { folder, siteUrl = "http://127.0.0.1:54321", extensions } = {},
) {
  const drafts = editedDrafts(folder);
  const [{ App }, { createPgliteConnection }, { applyPendingMigrations }] = await withoutNotices(() =>
    Promise.all([
      import("@supabase/lite"),
      import("@supabase/lite/pglite"),
      import("@supabase/lite/cli"),
    ])
  );
  const connection = await createPgliteConnection({
    url: folder ? join(folder, "database") : "memory://",
    ...(extensions ? { pgliteOptions: /** @type {never} */ ({ extensions }) } : {}),
  });
  const postgres = connection.driver;
  const app = new App({ connection, db: { driver: "pglite" }, ...likeProject(siteUrl) });
  await app.init();
  await app.ensureSystemSchema();
  await postgres.exec(
    "create schema if not exists extensions; create extension if not exists pgcrypto with schema extensions",
  );
  const { applied, skipped } = await explained(async () => {
    for (const { sql } of drafts) await postgres.exec(`begin;\n${sql};\ncommit;`);
    return applyPendingMigrations(app);
  });
  rememberMigrations(folder, [...skipped, ...applied]);
  await keepGrants(postgres, () =>
    app.fetch(
      new Request(new URL("/rest/v1/audience_sites?limit=0", siteUrl), { headers: { apikey: secretKey } }),
    ));

  return {
    fetch: async (request) => await app.fetch(request),
    query: (sql, parameters) => postgres.query(sql, parameters),
    exec: (sql) => postgres.exec(sql),
    applied: [...drafts, ...applied].map(({ filename }) => filename),
    close: () => connection.close(),
  };
}

/** API and sign-in as a project has them. @param {string} siteUrl */
export const likeProject = (siteUrl) => ({
  api: { schemas: ["public"], max_rows: 1000 },
  auth: {
    enabled: true,
    site_url: siteUrl,
    jwt_secret: jwtSecret,
    publishable_key: publishableKey,
    secret_key: secretKey,
    enable_signup: true,
    email: { enable_confirmations: false },
  },
  // A request without a key has no role.
  options: { server: { admin: false } },
});

/**
 * Leaves every role of the API the rights that the migrations gave it. Before its first answer the library gives them all
 * rights to every table, and row level security, which then remains, does not bind the secret key.
 *
 * @param {{ exec: (sql: string) => Promise<unknown> }} postgres
 * @param {() => Response | Promise<Response>} ask makes it give the first answer
 */
async function keepGrants(postgres, ask) {
  await postgres.exec(`
    create temp table granted as
    select tableoid as catalog, oid, relacl as acl from pg_class union all
    select tableoid, oid, nspacl from pg_namespace union all
    select tableoid, oid, defaclacl from pg_default_acl`);
  await ask();
  await postgres.exec(`
    update pg_class c set relacl = g.acl
    from granted g where (g.catalog, g.oid) = (c.tableoid, c.oid) and c.relacl::text is distinct from g.acl::text;
    update pg_namespace n set nspacl = g.acl
    from granted g where (g.catalog, g.oid) = (n.tableoid, n.oid) and n.nspacl::text is distinct from g.acl::text;
    update pg_default_acl d set defaclacl = g.acl from granted g where (g.catalog, g.oid) = (d.tableoid, d.oid);
    delete from pg_default_acl d where (d.tableoid, d.oid) not in (select g.catalog, g.oid from granted g);
    drop table granted`);
}

/**
 * Applies the migrations of the current folder. A failure names the file and the reason; the library throws only the
 * statement and prints the rest.
 *
 * @template T @param {() => Promise<T>} apply @returns {Promise<T>}
 */
async function explained(apply) {
  const before = process.cwd();
  const { error } = console;
  /** @type {(Error & { query?: string, where?: string }) | undefined} */
  let reason;
  console.error = (failure) => reason ??= failure;
  process.chdir(root);
  try {
    return await apply();
  } catch (failure) {
    const folder = join(root, "supabase", "migrations");
    const statement = reason?.query?.trim() ?? "";
    const file = readdirSync(folder).find((name) => readFileSync(join(folder, name), "utf8").includes(statement));
    throw reason
      ? new Error(`migration ${file} failed: ${reason.message}\n${reason.where ?? ""}`, { cause: failure })
      : failure;
  } finally {
    console.error = error;
    process.chdir(before);
  }
}

/** @typedef {{ filename: string, path: string, sql: string }} Migration */

const record = (/** @type {string} */ folder) => join(folder, "migrations.json");
const hash = (/** @type {string} */ text) => createHash("sha256").update(text).digest("hex");

/** How the name of a migration ends that is rewritten until it is released. */
const DRAFT = /_unreleased\.sql$/;

/** The version of a migration, by which Supabase knows it: its name may change when it is released. */
const versionOf = (/** @type {string} */ filename) => filename.split("_")[0];

/**
 * What changed in migrations that this database has run. A draft can be run again, and is returned for that; its rows
 * do not replace those that the database has. Any other migration never changes: a database that has run its older text
 * is one that no fresh clone can have.
 *
 * @param {string | undefined} folder @returns {{ filename: string, sql: string }[]}
 */
function editedDrafts(folder) {
  if (!folder || !existsSync(record(folder))) return [];
  /** @type {Record<string, string>} */
  const known = JSON.parse(readFileSync(record(folder), "utf8"));
  const migrations = join(root, "supabase", "migrations");
  const names = new Map(readdirSync(migrations).map((filename) => [versionOf(filename), filename]));
  const edited = Object.entries(known).flatMap(([before, knownHash]) => {
    const filename = names.get(versionOf(before));
    const sql = filename && readFileSync(join(migrations, filename), "utf8");
    return sql && hash(sql) === knownHash ? [] : [{ before, filename, sql }];
  });
  const drafts = edited.flatMap(({ before, filename, sql }) =>
    DRAFT.test(before) && filename && sql ? [{ filename, sql }] : []
  );
  if (drafts.length < edited.length) {
    const others = edited.filter(({ before, sql }) => !DRAFT.test(before) || !sql).map(({ before }) => before);
    throw new Error(
      `the local database was made from an older text of ${others.join(", ")}; start afresh with: npm start -- --reset`,
    );
  }
  return drafts;
}

function rememberMigrations(
  /** @type {string | undefined} */ folder,
  /** @type {Migration[]} */ migrations,
) {
  if (!folder) return;
  const hashes = Object.fromEntries(
    migrations.map(({ filename, sql }) => [filename, hash(sql)]),
  );
  writeFileSync(record(folder), `${JSON.stringify(hashes, null, 2)}\n`);
}
