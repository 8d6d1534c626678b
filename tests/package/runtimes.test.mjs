/** The packed tarball, installed in an empty project, gives the written verdicts in every runtime. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { denoBinary, root } from "../runner/paths.mjs";
import { expected } from "./cases.mjs";
import { project, run, SCRIPTS, write } from "./install.mjs";

const { folder, packed } = await project();
const agrees = (/** @type {string[]} */ found) => assert.equal(found.length, 0, `\n${found.join("\n")}`);

for (const [script, text] of Object.entries(SCRIPTS)) write(folder, script, text);

test("the tarball holds what it needs and nothing else", () => {
  const scripts = packed.filter((path) => path.startsWith("snippets/")).map((path) =>
    path.replace(/-[0-9a-f]{16}\//, "/")
  );
  assert.deepEqual(
    scripts,
    ["contract.js", "judge.js", "objects.js"].map((name) => `snippets/audience-gate-js/${name}`),
  );
  assert.deepEqual(packed.filter((path) => !/^(snippets|client|install|installer|tracker|wordpress)\//.test(path)), [
    "LICENSE",
    "README.md",
    "SKILL.md",
    "audience_gate.d.ts",
    "audience_gate.js",
    "audience_gate_bg.wasm",
    "audience_gate_bg.wasm.d.cts",
    "audience_gate_bg.wasm.d.ts",
    "build.json",
    "edge-light.js",
    "inline.cjs",
    "inline.d.cts",
    "inline.d.ts",
    "inline.js",
    "node.cjs",
    "node.d.cts",
    "node.js",
    "package.json",
    "workerd.js",
  ]);
});

test("there are cases for every rule", () => assert.ok(expected().cases.length >= 114));

for (const script of Object.keys(SCRIPTS)) {
  test(`Node, ${script}`, () => agrees(run(folder, process.execPath, [script])));
}

for (const deno of /** @type {const} */ (["deno-hosted", "deno"])) {
  for (const script of ["inline.mjs", "web.mjs", "fetched.mjs"]) {
    test(`${deno}, ${script}`, () => agrees(run(folder, denoBinary(deno), ["run", "--quiet", "--allow-read", script])));
  }

  test(`${deno} gives the inline entry no permission, and it needs none`, () => {
    write(
      folder,
      "bare.mjs",
      `import { hashEmail } from ${JSON.stringify(join(root, "pkg/inline.js"))};
      console.log(JSON.stringify([hashEmail("ada@example.com")]));`,
    );
    const found = run(folder, denoBinary(deno), ["run", "--quiet", "--no-prompt", "bare.mjs"]);
    assert.deepEqual(found, ["b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"]);
  });
}

test("bundled by esbuild, in Node", async () => {
  await build({
    entryPoints: [join(folder, "inline.mjs")],
    outfile: join(folder, "bundled.mjs"),
    absWorkingDir: folder,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
  agrees(run(folder, process.execPath, ["bundled.mjs"]));
});
