// Two variables turn the dashboard into static files for any project, with nothing of the local stack in them.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { build } from "vite";

const PROJECT = "https://abcdefghijklmnopqrst.supabase.co";
const KEY = "sb_publishable_of_the_project";

/** @param {import("node:test").TestContext} t @param {Record<string, string>} variables */
async function built(t, variables) {
  const folder = await mkdtemp(join(tmpdir(), "audience-gate-deploy-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  Object.assign(process.env, variables);
  // The configuration reads the variables when it is loaded: each build loads its own.
  const { default: config } = await import(`../../web/dashboard/vite.config.js?${Object.keys(variables).length}`);
  await build({ ...config, build: { ...config.build, outDir: folder } });
  for (const name of Object.keys(variables)) delete process.env[name];
  const all = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const files = all.map(({ name, parentPath }) => join(parentPath, name));
  const sizes = await Promise.all(
    files.filter((name) => !name.endsWith(".woff2")).map(async (name) =>
      brotliCompressSync(await readFile(name)).length
    ),
  );
  return {
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    text: (await Promise.all(
      files.filter((name) => /\.(js|html)$/.test(name)).map((name) => readFile(name, "utf8")),
    )).join("\n"),
    page: await readFile(join(folder, "index.html"), "utf8"),
    licences: await readFile(join(folder, "licences.txt"), "utf8"),
  };
}

test("with the two variables set, it reads that project and knows no other", async (t) => {
  const { text, page } = await built(t, { VITE_SUPABASE_URL: PROJECT, VITE_SUPABASE_PUBLISHABLE_KEY: KEY });
  const facts = [PROJECT, KEY, "demo-password", "demo@example.test", "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH"]
    .map((part) => text.includes(part));
  assert.deepEqual(facts, [true, true, false, false, false]);
  assert.doesNotMatch(page, /(?:src|href)="\//, "addresses are relative, so any folder will do");
});

test("without them, it reads the stack that serves it", async (t) => {
  const { text } = await built(t, {});
  assert.deepEqual(
    ["demo-password", "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH"].map((part) => text.includes(part)),
    [true, true],
  );
});

test("all of it but the fonts is 220,000 bytes at most, as it is sent", async (t) => {
  const { bytes } = await built(t, {});
  t.diagnostic(`${bytes} bytes`);
  assert.ok(bytes <= 220_000, `${bytes} bytes`);
});

test("the licence of everything that is built in is beside it", async (t) => {
  const { licences } = await built(t, {});
  const heads = [...licences.matchAll(/^(\S+) [\d.]+ \((\S+)\)$/gm)].map(([, name]) => name);
  const expected = [
    "@fontsource-variable/atkinson-hyperlegible-mono",
    "@fontsource-variable/atkinson-hyperlegible-next",
    "@supabase/auth-js",
  ];
  assert.deepEqual(expected.filter((name) => !heads.includes(name)), []);
  assert.match(licences, /SIL OPEN FONT LICENSE[^]*Permission is hereby granted/i);
});
