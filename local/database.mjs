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
 * @property {string[]} applied the migrations that were pending
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
  refuseEditedMigrations(folder);
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
  const app = new App({
    connection,
    db: { driver: "pglite" },
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
    // A request without a key has no role, as on a real project.
    options: { server: { admin: false } },
  });
  await app.init();
  await app.ensureSystemSchema();
  await postgres.exec(
    "create schema if not exists extensions; create extension if not exists pgcrypto with schema extensions",
  );
  const { applied, skipped } = await explained(() => applyPendingMigrations(app));
  rememberMigrations(folder, [...skipped, ...applied]);

  return {
    fetch: async (request) => await app.fetch(request),
    query: (sql, parameters) => postgres.query(sql, parameters),
    exec: (sql) => postgres.exec(sql),
    applied: applied.map(({ filename }) => filename),
    close: () => connection.close(),
  };
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

/** An applied migration never changes. If it did, this database would be one that no fresh clone can have. */
function refuseEditedMigrations(/** @type {string | undefined} */ folder) {
  if (!folder || !existsSync(record(folder))) return;
  /** @type {Record<string, string>} */
  const known = JSON.parse(readFileSync(record(folder), "utf8"));
  const edited = Object.entries(known).filter(([filename, before]) => {
    const path = join(root, "supabase", "migrations", filename);
    return !existsSync(path) || hash(readFileSync(path, "utf8")) !== before;
  }).map(([filename]) => filename);
  if (edited.length > 0) {
    throw new Error(
      `the local database was made from an older text of ${edited.join(", ")}; start afresh with: npm start -- --reset`,
    );
  }
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
