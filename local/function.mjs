import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { freePort } from "./ports.mjs";
import { denoBinary } from "./programs.mjs";
import { alertSecret, publishableKey, root, secretKey } from "./settings.mjs";

/**
 * Serves supabase/functions/ingest under Deno with the environment of the platform, and restarts it if it ends once it
 * has run.
 *
 * @param {{ url: string, log: (line: string) => void, environment: Record<string, string> }} options
 * @returns {{ ready: Promise<number>, stop: () => void }} `ready` is the port it listens on
 */
export function startFunction({ url, log, environment }) {
  const folder = join(root, "supabase", "functions", "ingest");
  let stopping = false;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let child;

  const run = (/** @type {number} */ port) =>
    new Promise((resolve, reject) => {
      if (stopping) return reject(new Error("stopped"));
      child = spawn(denoBinary(), [
        "run",
        "--quiet",
        "--no-prompt",
        "--no-check",
        "--allow-all",
        `--config=${join(folder, "deno.json")}`,
        join(root, "local", "function-host.ts"),
        String(port),
        pathToFileURL(join(folder, "index.ts")).href,
      ], {
        cwd: folder,
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, ...platform(url), ...environment },
      });
      let listening = false;
      let complaint = "";
      const said = (/** @type {Buffer} */ chunk) => {
        for (const line of chunk.toString("utf8").trimEnd().split("\n")) {
          if (line === "listening") {
            listening = true;
            resolve(port);
          } else {
            if (!listening) complaint += `${line}\n`;
            log(line);
          }
        }
      };
      child.stdout?.on("data", said);
      child.stderr?.on("data", said);
      child.on("error", reject);
      child.on("close", (code) => {
        if (!listening) reject(new Error(`the function did not start (code ${code}):\n${complaint.trim()}`));
        else if (!stopping) {
          log(`the function ended with code ${code}; starting it again`);
          setTimeout(() => run(port).catch((error) => log(error.message)), 500);
        }
      });
    });

  return {
    ready: freePort().then(run),
    stop: () => {
      stopping = true;
      child?.kill("SIGTERM");
    },
  };
}

/** The environment that the platform gives a function. */
function platform(/** @type {string} */ url) {
  return {
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
    SUPABASE_ANON_KEY: publishableKey,
    SUPABASE_SERVICE_ROLE_KEY: secretKey,
    SUPABASE_JWKS: JSON.stringify({ keys: [] }),
    SUPABASE_FUNCTION_SLUG: "ingest",
    AUDIENCE_GATE_ALERT_SECRET: alertSecret,
    // The embedded database has one connection, which the jobs use too, so it is better to delay a request than to
    // refuse it.
    AUDIENCE_GATE_STORE_TIMEOUT_MS: "30000",
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
  };
}
