/**
 * The local stack over a real Postgres 17: the API and the sign-in server of `@supabase/lite`, every migration, the pages,
 * on one port. It measures what a hosted project does, which the embedded Postgres, one thread of WebAssembly, would not.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "@supabase/lite";
import { applyPendingMigrations } from "@supabase/lite/cli";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { likeProject } from "../../local/database.mjs";
import { createGateway } from "../../local/gateway.mjs";
import { buildPages, page } from "../../local/pages.mjs";
import { freePort, listen } from "../../local/ports.mjs";
import { publishableKey, root } from "../../local/settings.mjs";
import { asClient, initialise, serve, serverUser } from "../../tests/database/server.mjs";
import { buildSite, SITE } from "../analytics_site.mjs";

/** As a hosted project has them; what is written is synced. */
const SETTINGS = { fsync: "on", shared_buffers: "512MB", max_wal_size: "4GB", checkpoint_timeout: "15min" };

/** Who looks. */
export const READER = { email: "reader@example.test", password: "reader-password" };

/** @typedef {Awaited<ReturnType<typeof startRoom>>} Room */

/** @param {number} events how many the site has @param {(line: string) => void} say */
export async function startRoom(events, say) {
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-control-room-"));
  chmodSync(folder, 0o711);
  const { uid, gid } = serverUser();
  if (uid !== undefined) spawnSync("chown", [`${uid}:${gid}`, folder]);
  initialise(17, join(folder, "data"));
  const server = await serve(17, folder, SETTINGS);
  /** @type {(() => unknown)[]} */
  const undo = [() => rmSync(folder, { recursive: true, force: true }), () => server.end("SIGQUIT")];
  const close = async () => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const behind = {};
    const front = createGateway(behind);
    const port = await listen(front, await freePort(), { exactly: true });
    undo.push(() => {
      front.closeAllConnections();
      front.close();
    });
    const url = `http://127.0.0.1:${port}`;
    say("the migrations");
    const connection = createPostgresConnection({
      url: server.adminUrl,
      postgresOptions: { onnotice: () => {}, types: { jsonb: JSONB } },
    });
    undo.push(() => connection.close());
    const app = new App({ connection, db: { driver: "postgres" }, ...likeProject(url) });
    await migrated(app, connection);
    await buildPages(say);
    Object.assign(behind, { database: async (/** @type {Request} */ request) => await app.fetch(request), page });
    await asClient(server.adminUrl, async (client) => {
      say(`a site of ${events.toLocaleString("en")} events`);
      await buildSite(client, events);
      say("its figures");
      await client.query("select audience_gate.refresh_analytics()");
      await client.query("vacuum (analyze)");
      await client.query(
        "insert into public.audience_site_members (site_id, user_id, role) values ($1, $2, 'owner')",
        [SITE, await signedUp(url)],
      );
    });
    return { url, adminUrl: server.adminUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the API in front hands over is JSON already; the driver would write it as a text within JSON. */
const JSONB = {
  to: 3802,
  from: [3802],
  serialize: (/** @type {unknown} */ value) => typeof value === "string" ? value : JSON.stringify(value),
  parse: (/** @type {string} */ text) => JSON.parse(text),
};

/** @param {App} app @param {import("@supabase/lite/postgres").PostgresConnection} connection */
async function migrated(app, connection) {
  await app.init();
  await app.ensureSystemSchema();
  await connection.driver.unsafe(
    "create schema if not exists extensions; create extension if not exists pgcrypto with schema extensions",
  );
  const before = process.cwd();
  process.chdir(root);
  try {
    await applyPendingMigrations(app);
  } finally {
    process.chdir(before);
  }
}

/** The id of a new user. @param {string} url @returns {Promise<string>} */
async function signedUp(url) {
  const response = await fetch(`${url}/auth/v1/signup`, {
    method: "POST",
    headers: { apikey: publishableKey, "content-type": "application/json" },
    body: JSON.stringify(READER),
  });
  const { user } = await response.json();
  return user.id;
}
