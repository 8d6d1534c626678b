/** The function in a project of somebody's own, deployed by the real CLI: it is whole, it is alone, and it answers. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { startPlatform, unpack } from "../function/platform.mjs";
import { serveFunction } from "../function/serve.mjs";
import { size } from "../long.mjs";
import { root } from "../runner/paths.mjs";
import { SHAPES as RESET } from "./reset_shapes.mjs";
import { project } from "./scene.mjs";
import { SHAPES } from "./shapes.mjs";

const FUNCTION = "supabase/functions/ingest";
const { fingerprint } = JSON.parse(readFileSync(join(root, "contract.json"), "utf8"));

/** The files of each project, by its name; those of the CLI's own making have its shortest settings here. */
const all = [...SHAPES, ...RESET].map(({ name, files }) => ({
  name,
  /** @type {Record<string, string>} */
  files: { "config.toml": 'project_id = "deployed"\n', ...files },
}));
/** The short form deploys from one that has functions of its own with an import map, and from one whose settings are old. */
const projects = size({ short: 0, long: 1 }) ? all : all.filter(({ name }) => /import map, and|Windows/.test(name));

const folder = mkdtempSync(join(tmpdir(), "audience-gate-deployed-"));
/** @type {Awaited<ReturnType<typeof startPlatform>>} */
let platform;
before(async () => {
  platform = await startPlatform(folder);
});
after(() => {
  platform.close();
  rmSync(folder, { recursive: true, force: true });
});

for (const { name, files } of projects) {
  test(`${name}: the function is deployed, and answers`, async () => {
    const scene = project(`deployed ${name}`, files);
    const { code, said } = scene.gate(["init"]);
    assert.equal(code, 0, said);
    const deployed = await platform.supabase(scene.folder, "functions", "deploy", "ingest", "--use-api");
    assert.equal(deployed.code, 0, deployed.said);
    const upload = platform.uploads.splice(0)[0];
    assert.deepEqual([upload.metadata.verify_jwt, upload.metadata.entrypoint_path], [false, `${FUNCTION}/index.ts`]);

    // What has only types is not asked for.
    const written = Object.keys(scene.files()).filter((path) =>
      path.startsWith(`${FUNCTION}/`) && !path.endsWith(".d.ts")
    );
    assert.deepEqual([...upload.files.keys()].sort(), written.sort());

    const at = join(folder, relative("/", scene.folder).replaceAll("/", "-"));
    unpack(upload, at);
    const served = await serveFunction({ deno: "deno-hosted", entry: join(at, FUNCTION, "index.ts") });
    try {
      assert.equal((await (await fetch(`${served.url}/contract`)).json()).fingerprint, fingerprint);
      const refused = await fetch(served.url, { method: "POST", body: "{}" });
      assert.equal(refused.status, 401);
      await refused.body?.cancel();
    } finally {
      await served.stop();
    }
  });
}
