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
