/** The function in a process of its own, as the local stack serves it, with any store. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { freePort } from "../../local/ports.mjs";
import { publishableKey, secretKey } from "../../local/settings.mjs";
import { denoBinary, root } from "../runner/paths.mjs";

const ingest = join(root, "supabase", "functions", "ingest", "index.ts");

/**
 * @param {{ deno?: "deno" | "deno-hosted", store?: string, entry?: string, environment?: Record<string, string> }} options
 * @returns {Promise<{ url: string, pid: number, lines: Record<string, unknown>[], stop: () => Promise<void> }>}
 *   `lines` is what the function has logged
 */
export async function serveFunction(
  {
    deno = "deno",
    store = "http://127.0.0.1:9",
    entry = ingest,
    environment = {},
  } = {},
) {
  const port = await freePort();
  const child = spawn(denoBinary(deno), [
    ...["run", "--quiet", "--no-prompt", "--no-check", "--allow-all"],
    `--config=${join(dirname(entry), "deno.json")}`,
    join(root, "local", "function-host.ts"),
    String(port),
    pathToFileURL(entry).href,
  ], {
    cwd: dirname(entry),
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      DENO_NO_UPDATE_CHECK: "1",
      DENO_TLS_CA_STORE: "system",
      SUPABASE_URL: store,
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
      ...environment,
    },
  });
  /** @type {Record<string, unknown>[]} */
  const lines = [];
  let rest = "";
  await new Promise((resolve, reject) => {
    child.stdout.setEncoding("utf8").on(
      "data",
      (/** @type {string} */ chunk) => {
        const complete = (rest + chunk).split("\n");
        rest = complete.pop() ?? "";
        for (const line of complete) {
          if (line === "listening") resolve(undefined);
          else lines.push(JSON.parse(line));
        }
      },
    );
    child.once(
      "exit",
      (code) => reject(new Error(`the function ended with code ${code}`)),
    );
  });
  return {
    url: `http://127.0.0.1:${port}/ingest`,
    pid: /** @type {number} */ (child.pid),
    lines,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
