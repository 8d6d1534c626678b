import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const base = mkdtempSync(join(tmpdir(), "audience-gate-scratch-"));
after(() => rmSync(base, { recursive: true, force: true }));

/** What a process of its own says of the module. @param {string} script @param {Record<string, string>} [env] */
function said(script, env = {}) {
  const module = fileURLToPath(new URL("scratch.mjs", import.meta.url));
  const { stdout, stderr, pid } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", `import * as s from ${JSON.stringify(module)}; ${script}`],
    { encoding: "utf8", env: { ...process.env, ...env } },
  );
  assert.equal(stderr, "");
  return { text: stdout.trim(), pid };
}

test("a folder goes with its process, and takes along what killed ones have left", () => {
  const dead = said("").pid;
  for (const pid of [dead, process.pid]) {
    mkdirSync(join(base, `audience-gate-tests-${pid}`, "data"), { recursive: true });
  }
  mkdirSync(join(base, "another's"));
  const { text, pid } = said(`
    const folder = s.within(${JSON.stringify(base)});
    (await import("node:fs")).mkdirSync(folder + "/data");
    console.log(folder)`);
  assert.equal(text, join(base, `audience-gate-tests-${pid}`));
  assert.deepEqual(readdirSync(base).sort(), ["another's", `audience-gate-tests-${process.pid}`]);
});

test("TMPDIR chooses the folder, and nothing is left elsewhere", () => {
  assert.equal(said("console.log(s.scratch())", { TMPDIR: base }).text, base);
  const { text } = said("console.log(s.scratch())", { TMPDIR: "" });
  assert.ok(text === "/tmp" ? existsSync(text) : !existsSync(text), text);
});
