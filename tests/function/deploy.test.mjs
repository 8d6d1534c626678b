/**
 * A real deploy by the real Supabase CLI, received by a stand-in of its management API on this machine: what is
 * shipped is exactly what the function needs, and it runs from nothing but that.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../runner/paths.mjs";
import { PROJECT, startPlatform, unpack } from "./platform.mjs";
import { serveFunction } from "./serve.mjs";

const SERVER_SIDE_LIMIT = 5 * 1024 * 1024;
const source = join(root, "supabase", "functions", "ingest");

const folder = mkdtempSync(join(tmpdir(), "audience-gate-deploy-"));
const shipped = join(folder, "shipped");
/** @type {Awaited<ReturnType<typeof startPlatform>>} */
let platform;
/** @type {import("./platform.mjs").Upload} */
let upload;
/** @type {{ code: number | null, said: string }} */
let deploy;
/** @type {typeof deploy} */
let secrets;
/** @type {typeof deploy} */
let removal;

before(async () => {
  platform = await startPlatform(folder);
  deploy = await platform.supabase(root, "functions", "deploy", "ingest", "--use-api");
  secrets = await platform.supabase(root, "secrets", "set", "AUDIENCE_GATE_EMAIL_PEPPER=hush");
  removal = await platform.supabase(root, "functions", "delete", "ingest");
  platform.close();
  [upload] = platform.uploads;
  unpack(upload, shipped);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("the CLI deploys without Docker and without asking anything", () => {
  assert.equal(deploy.code, 0, deploy.said);
  assert.doesNotMatch(deploy.said, /warn|error/i);
  assert.ok(
    platform.calls.includes(`POST /v1/projects/${PROJECT}/functions/deploy`),
    platform.calls.join("\n"),
  );
});

test("one command sets the secrets, and one removes the function", () => {
  for (const { code, said } of [secrets, removal]) assert.equal(code, 0, said);
  assert.ok(
    platform.calls.includes(`POST /v1/projects/${PROJECT}/secrets`),
    platform.calls.join("\n"),
  );
  assert.ok(
    platform.calls.includes(`DELETE /v1/projects/${PROJECT}/functions/ingest`),
    platform.calls.join("\n"),
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
