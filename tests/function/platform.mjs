/** A stand-in of the platform's management API on this machine, which receives what the real Supabase CLI deploys. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import process from "node:process";
import { root } from "../runner/paths.mjs";

export const PROJECT = "abcdefghijklmnopqrst";

/** @typedef {{ files: Map<string, Buffer>, metadata: Record<string, unknown>, bytes: number }} Upload */

/** @param {string} folder for what the CLI notes for itself */
export async function startPlatform(folder) {
  /** @type {string[]} */
  const calls = [];
  /** @type {Upload[]} */
  const uploads = [];
  const api = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    calls.push(`${request.method} ${url.pathname}`);
    const body = Buffer.concat(await request.toArray());
    const deploying = url.pathname.endsWith("/functions/deploy");
    if (deploying) uploads.push(await received(body, request.headers["content-type"] ?? ""));
    response.writeHead(deploying ? 201 : 200, { "content-type": "application/json" });
    const slug = url.searchParams.get("slug") ?? "ingest";
    response.end(JSON.stringify(deploying ? { id: PROJECT, slug, name: slug, status: "ACTIVE", version: 1 } : {}));
  });
  api.listen(0, "127.0.0.1");
  await once(api, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (api.address());
  const address = `http://127.0.0.1:${port}`;
  const profile = join(folder, "profile.yaml");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    profile,
    `name: loopback\napi_url: ${address}\ndashboard_url: ${address}\nproject_host: localhost\n`,
  );

  return {
    calls,
    uploads,
    close: () => api.close(),
    /** Runs the CLI in a project. @param {string} cwd @param {string[]} args @returns {Promise<{ code: number | null, said: string }>} */
    supabase: async (cwd, ...args) => {
      const cli = join(root, "node_modules", "supabase", "dist", "supabase.js");
      const child = spawn(
        process.execPath,
        [cli, ...args, "--yes", `--project-ref=${PROJECT}`, `--profile=${profile}`],
        {
          cwd,
          env: {
            ...process.env,
            SUPABASE_HOME: join(folder, "home"),
            SUPABASE_ACCESS_TOKEN: `sbp_${"0".repeat(40)}`,
            SUPABASE_TELEMETRY_DISABLED: "1",
            DO_NOT_TRACK: "1",
          },
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said += chunk);
      const [code] = await once(child, "close");
      return { code, said };
    },
  };
}

/** @param {Buffer} body @param {string} type @returns {Promise<Upload>} */
async function received(body, type) {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  for (const part of form.getAll("file")) {
    if (typeof part !== "string") files.set(part.name, Buffer.from(await part.arrayBuffer()));
  }
  const metadata = form.get("metadata");
  const text = typeof metadata === "string" ? metadata : await metadata?.text() ?? "{}";
  return { files, metadata: JSON.parse(text), bytes: body.byteLength };
}

/** Puts what was received where it can run, with nothing else beside it. @param {Upload} upload @param {string} folder */
export function unpack({ files }, folder) {
  for (const [name, content] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}
