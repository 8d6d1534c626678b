/**
 * A real deploy by the real Supabase CLI, received by a stand-in of its management API on this machine: what is
 * shipped is exactly what the function needs, and it runs from nothing but that.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../runner/paths.mjs";
import { serveFunction } from "./serve.mjs";

const PROJECT = "abcdefghijklmnopqrst";
const SERVER_SIDE_LIMIT = 5 * 1024 * 1024;
const source = join(root, "supabase", "functions", "ingest");

const folder = mkdtempSync(join(tmpdir(), "audience-gate-deploy-"));
const shipped = join(folder, "shipped");
const profile = join(folder, "profile.yaml");
/** @type {{ files: Map<string, Buffer>, metadata: Record<string, unknown>, bytes: number }} */
let upload;
/** @type {string[]} */
const calls = [];
/** @type {{ code: number | null, said: string }} */
let deploy;
/** @type {typeof deploy} */
let secrets;
/** @type {typeof deploy} */
let removal;

before(async () => {
  const api = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    calls.push(`${request.method} ${url.pathname}`);
    const body = Buffer.concat(await request.toArray());
    const deploying = url.pathname.endsWith("/functions/deploy");
    if (deploying) {
      upload = await unpack(body, request.headers["content-type"] ?? "");
    }
    response.writeHead(deploying ? 201 : 200, {
      "content-type": "application/json",
    });
    response.end(
      JSON.stringify(
        deploying
          ? {
            id: PROJECT,
            slug: "ingest",
            name: "ingest",
            status: "ACTIVE",
            version: 1,
          }
          : {},
      ),
    );
  });
  api.listen(0, "127.0.0.1");
  await once(api, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (api.address());
  writeFileSync(
    profile,
    [
      "name: loopback",
      `api_url: http://127.0.0.1:${port}`,
      `dashboard_url: http://127.0.0.1:${port}`,
      "project_host: localhost",
      "",
    ].join("\n"),
  );
  deploy = await supabase("functions", "deploy", "ingest", "--use-api");
  secrets = await supabase("secrets", "set", "AUDIENCE_GATE_EMAIL_PEPPER=hush");
  removal = await supabase("functions", "delete", "ingest");
  api.close();
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("the CLI deploys without Docker and without asking anything", () => {
  assert.equal(deploy.code, 0, deploy.said);
  assert.doesNotMatch(deploy.said, /warn|error/i);
  assert.ok(
    calls.includes(`POST /v1/projects/${PROJECT}/functions/deploy`),
    calls.join("\n"),
  );
});

test("one command sets the secrets, and one removes the function", () => {
  for (const { code, said } of [secrets, removal]) assert.equal(code, 0, said);
  assert.ok(
    calls.includes(`POST /v1/projects/${PROJECT}/secrets`),
    calls.join("\n"),
  );
  assert.ok(
    calls.includes(`DELETE /v1/projects/${PROJECT}/functions/ingest`),
    calls.join("\n"),
  );
});

test("keys are checked in the function, not by the platform", () => {
  assert.equal(upload.metadata.verify_jwt, false);
  assert.equal(
    upload.metadata.entrypoint_path,
    "supabase/functions/ingest/index.ts",
  );
  assert.equal(
    upload.metadata.import_map_path,
    "supabase/functions/ingest/deno.json",
  );
});

test("every module and the lock are shipped, byte for byte, and nothing else", () => {
  const modules = readdirSync(source).filter((name) => name.endsWith(".ts") && !name.endsWith("_test.ts"));
  const expected = [
    ...modules.map((name) => `supabase/functions/ingest/${name}`),
    "supabase/functions/ingest/deno.json",
    "supabase/functions/ingest/deno.lock",
    "pkg/inline.js",
  ];
  assert.deepEqual([...upload.files.keys()].sort(), expected.sort());
  for (const [name, content] of upload.files) {
    assert.ok(
      content.equals(readFileSync(join(root, name))),
      `${name} was changed on the way`,
    );
  }
});

test("the upload is far below the platform's limit", () => {
  assert.ok(upload.bytes < SERVER_SIDE_LIMIT / 10, `${upload.bytes} bytes`);
});

test("a package that the lock does not name stops the function before it runs", async () => {
  const lock = join(shipped, "supabase/functions/ingest/deno.lock");
  const shippedLock = readFileSync(lock);
  writeFileSync(lock, JSON.stringify({ version: "4" }));
  try {
    for (const deno of /** @type {const} */ (["deno-hosted", "deno"])) {
      const entry = join(shipped, "supabase/functions/ingest/index.ts");
      await assert.rejects(serveFunction({ deno, entry }), /ended with code/, deno);
    }
  } finally {
    writeFileSync(lock, shippedLock);
  }
});

for (const deno of /** @type {const} */ (["deno-hosted", "deno"])) {
  test(`what was shipped runs by itself on ${deno}`, async () => {
    const served = await serveFunction({
      deno,
      entry: join(shipped, "supabase/functions/ingest/index.ts"),
    });
    try {
      const contract = await fetch(`${served.url}/contract`);
      assert.equal(contract.status, 200);
      assert.match((await contract.json()).fingerprint, /^[0-9a-f]{8,}$/);
      const refused = await fetch(served.url, { method: "POST", body: "{}" });
      assert.equal(refused.status, 401);
      await refused.body?.cancel();
    } finally {
      await served.stop();
    }
  });
}

/** @param {Buffer} body @param {string} type */
async function unpack(body, type) {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } })
    .formData();
  const files = new Map();
  for (const part of form.getAll("file")) {
    if (typeof part === "string") continue;
    const content = Buffer.from(await part.arrayBuffer());
    files.set(part.name, content);
    mkdirSync(dirname(join(shipped, part.name)), { recursive: true });
    writeFileSync(join(shipped, part.name), content);
  }
  const metadata = form.get("metadata");
  const text = typeof metadata === "string" ? metadata : await metadata?.text() ?? "{}";
  return { files, metadata: JSON.parse(text), bytes: body.byteLength };
}

/** @param {string[]} args @returns {Promise<{ code: number | null, said: string }>} */
async function supabase(...args) {
  const child = spawn(process.execPath, [
    join(root, "node_modules", "supabase", "dist", "supabase.js"),
    ...args,
    "--yes",
    `--project-ref=${PROJECT}`,
    `--profile=${profile}`,
  ], {
    cwd: root,
    env: {
      ...process.env,
      SUPABASE_HOME: join(folder, "home"),
      SUPABASE_ACCESS_TOKEN: `sbp_${"0".repeat(40)}`,
      SUPABASE_TELEMETRY_DISABLED: "1",
      DO_NOT_TRACK: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => said += chunk);
  }
  const [code] = await once(child, "close");
  return { code, said };
}
