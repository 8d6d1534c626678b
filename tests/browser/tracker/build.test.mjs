// The tracker's build, beside somebody who is served from its folder.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import buildTracker from "../../../web/tracker/build.mjs";

const base = mkdtempSync(join(tmpdir(), "audience-gate-build-"));
after(() => rmSync(base, { recursive: true, force: true }));

test("who reads the tracker's files while it is built anew gets each file whole", async () => {
  const folder = `${join(base, "tracker")}/`;
  await buildTracker(folder);
  const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(folder + name)]));
  const builder = fileURLToPath(new URL("../../../web/tracker/build.mjs", import.meta.url));
  const script = `const { default: build } = await import(${JSON.stringify(builder)});
    for (let n = 0; n < 10; n++) await build(${JSON.stringify(folder)});`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "inherit" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const broken = new Set();
  while (child.exitCode === null) {
    for (const [name, whole] of files) if (!readFileSync(folder + name).equals(whole)) broken.add(name);
    await new Promise(setImmediate);
  }
  assert.equal(await ended, 0);
  assert.deepEqual([...broken], []);
  assert.deepEqual(readdirSync(base), ["tracker"]);
});
