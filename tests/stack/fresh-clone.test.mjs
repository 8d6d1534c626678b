import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { freePort, ingest, launch, root, temporaryFolder, view } from "./launch.mjs";

test("npm start is all that a fresh clone needs", async (t) => {
  const folder = join(temporaryFolder(t), "clone");
  execFileSync("git", ["clone", "--quiet", "--depth=1", `file://${root}`, folder]);
  const stack = await launch(t, ["--port", String(await freePort())], {
    command: ["npm", "start", "--"],
    cwd: folder,
  });
  const { status } = await ingest(stack.url, view());
  assert.equal(status, 200);
  t.diagnostic(`from clone to greeting ${stack.seconds.toFixed(1)} s, installation included`);
  await stack.end("SIGINT");
});
