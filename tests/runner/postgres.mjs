import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./paths.mjs";
import { postgresBin } from "./system.mjs";

/** @typedef {{ url: string, superuserUrl: string, log: string, stop: () => void }} Postgres */

export const migrations = join(root, "supabase", "migrations");

/** Postgres refuses to run as root, so there it runs as the user that Debian's package made for it. */
const asServer = process.getuid?.() === 0 ? ["runuser", "-u", "postgres", "--"] : [];

/**
 * A throwaway server with what a hosted project has before its first migration. `url` is the role that
 * migrations run as there, which is no superuser.
 *
 * @returns {Promise<Postgres>}
 */
export async function startPostgres() {
  const bin = postgresBin();
  if (!bin) throw new Error("no Postgres server found; run npm test once");
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-postgres-"));
  if (asServer.length > 0) {
    must(["chown", "postgres", folder]);
    chmodSync(folder, 0o700);
  }
  const data = join(folder, "data");
  const log = join(folder, "server.log");
  const port = await freePort();
  const settings = [
    ["port", port],
    ["listen_addresses", "127.0.0.1"],
    ["unix_socket_directories", folder],
    ["shared_preload_libraries", "pg_cron"],
    ["cron.database_name", "postgres"],
    ["cron.use_background_workers", "on"],
    // The folder is thrown away afterwards: what a power cut would lose is nobody's.
    ["fsync", "off"],
    ["max_connections", 120],
    ["timezone", "UTC"],
  ].map(([name, value]) => `-c ${name}=${value}`).join(" ");

  must([
    ...asServer,
    join(bin, "initdb"),
    "--username=supabase_admin",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    `--pgdata=${data}`,
  ]);
  const control = (/** @type {string[]} */ args) => [
    ...asServer,
    join(bin, "pg_ctl"),
    `--pgdata=${data}`,
    ...args,
  ];
  must(control(["--wait", `--log=${log}`, `--options=${settings}`, "start"]));

  const stop = () => {
    spawnSync(
      control(["--mode=immediate", "stop"])[0],
      control(["--mode=immediate", "stop"]).slice(1),
    );
    rmSync(folder, { recursive: true, force: true });
  };
  const address = `127.0.0.1:${port}/postgres?sslmode=disable`;
  const superuserUrl = `postgresql://supabase_admin@${address}`;
  try {
    psql(superuserUrl, [
      "--file",
      join(root, "tests", "runner", "platform.sql"),
    ]);
  } catch (error) {
    stop();
    throw error;
  }
  return {
    url: `postgresql://postgres:postgres@${address}`,
    superuserUrl,
    log,
    stop,
  };
}

/** Every migration in order, each in one transaction, as `supabase db push` applies them. */
export function migrate(/** @type {string} */ url) {
  for (
    const file of readdirSync(migrations).filter((name) => name.endsWith(".sql")).sort()
  ) {
    psql(url, ["--single-transaction", "--file", join(migrations, file)]);
  }
}

export function psql(/** @type {string} */ url, /** @type {string[]} */ args) {
  return must([
    "psql",
    "--no-psqlrc",
    "--quiet",
    "--set=ON_ERROR_STOP=1",
    ...args,
    url,
  ]);
}

function must(/** @type {string[]} */ [command, ...args]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, PGOPTIONS: "-c client_min_messages=warning" },
    // A server started in the background keeps its parent's pipes: it gets none to keep.
    stdio: args.includes("start") ? ["ignore", "ignore", "ignore"] : ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) {
    throw new Error(
      `${command} ${args.join(" ")}\n${error?.message ?? stderr ?? ""}`,
    );
  }
  return stdout;
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no free port"))
      );
    });
  });
}
