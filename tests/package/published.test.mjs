/** What is published resolves for everybody: under each way of TypeScript and of Node to look for a module. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { project } from "./install.mjs";

const { folder, tarball } = await project();
const packed = new Uint8Array(readFileSync(tarball));

test("attw finds nothing wrong in its types", async () => {
  const found = await checkPackage(createPackageFromTarballData(packed));
  assert.ok(found.types, "it found no types");
  assert.deepEqual(found.problems, []);
  const { exports } = JSON.parse(readFileSync(join(folder, "node_modules/audience-gate/package.json"), "utf8"));
  assert.deepEqual(Object.keys(found.entrypoints).sort(), Object.keys(exports).sort());
});

test("publint finds nothing wrong in its package.json", async () => {
  const { messages, pkg } = await publint({ pack: { tarball: packed.buffer }, level: "suggestion", strict: true });
  assert.ok(pkg, "it read no package.json");
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
});

/** How the entries are found: by which conditions, and to which file each leads. @type {[by: string, conditions: string[], main: string, inline: string][]} */
const FOUND = [
  ["Node, Bun and Deno, imported", ["node", "import"], "node.js", "inline.js"],
  ["Node and Bun, required", ["node", "require"], "node.cjs", "inline.cjs"],
  ["a page", ["browser", "import"], "audience_gate.js", "inline.js"],
  ["a worker of a page", ["worker", "browser", "import"], "audience_gate.js", "inline.js"],
  ["workerd", ["workerd", "worker", "browser", "import"], "workerd.js", "workerd.js"],
  ["workerd with what Node has", ["workerd", "worker", "node", "import"], "workerd.js", "workerd.js"],
  [
    "the edge runtime of Next and Vercel",
    ["edge-light", "worker", "browser", "import"],
    "edge-light.js",
    "edge-light.js",
  ],
  ["a component of Next's server", ["react-server", "node", "import"], "node.js", "inline.js"],
];

test("each platform is led to the entry that works there, and no bundler drops one whose import does something", () => {
  const manifest = JSON.parse(readFileSync(join(folder, "node_modules/audience-gate/package.json"), "utf8"));
  /** @typedef {string | { [condition: string]: Leads }} Leads */
  /** @param {Leads} leads @param {string[]} conditions @returns {string | undefined} as Node looks: the first that fits */
  const led = (leads, conditions) => {
    if (typeof leads === "string") return leads;
    const fitting = Object.keys(leads).filter((name) => name === "default" || conditions.includes(name));
    for (const name of fitting) {
      const found = led(leads[name], conditions);
      if (found) return found;
    }
  };
  for (const [by, conditions, ...files] of FOUND) {
    const found = [".", "./inline"].map((entry) => led(manifest.exports[entry], conditions));
    assert.deepEqual(found, files.map((file) => `./${file}`), by);
    const effective = files.filter((file) => !["node.js", "audience_gate.js"].includes(file));
    for (const file of effective) assert.ok(manifest.sideEffects.includes(`./${file}`), file);
  }
});
