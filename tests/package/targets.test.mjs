/**
 * Every target of wasm-pack makes a package that works, and whose exports are those of its types.
 *
 * Nobody needs wasm-pack to use or to test what is committed, so the short form looks at that. The long form builds all
 * four, and needs `wasm-pack` and `wasm-bindgen` on PATH: `cargo install wasm-pack`, and `wasm-bindgen-cli` in the version
 * that Cargo.lock names.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { size } from "../long.mjs";
import { denoBinary, root } from "../runner/paths.mjs";

const SURFACE = ["check", "contract", "hashEmail", "judge", "loadRegistry", "redact"];
const read = (/** @type {string} */ path) => readFileSync(path, "utf8");

/** The names of the functions that a package says it exports. */
const declared = (/** @type {string} */ types) =>
  [...types.matchAll(/^export function (\w+)/gm)].map(([, name]) => name).sort();

/** Prints what a package exports and what it does; `gate` is the package once it is initialised. */
const REPORT = `
  const names = Object.keys(gate).filter((name) => typeof gate[name] === "function" && name !== "default").sort();
  const event = {
    session_id: "session-0001", event_type: "content_view", event_category: "engagement", event_source: "web",
    metadata: { content_id: "guide-7", duration_seconds: 5 },
  };
  const body = new TextEncoder().encode(JSON.stringify([event, { ...event, metadata: { content_id: "a", duration_seconds: 42 } }]));
  const { total, accepted } = gate.judge(body, { caller: "trusted", receivedAt: 0, seed: new Uint8Array(16) });
  let error;
  try { gate.check({ ...event, metadata: new Map() }); } catch (thrown) { error = thrown.message; }
  console.log(JSON.stringify({
    names, total, accepted, error,
    violations: gate.check(event).violations.map(({ rule_id }) => rule_id),
    hash: gate.hashEmail("ada@example.com"),
    redacted: gate.redact("ada@example.com"),
    rules: gate.contract().rules.length,
  }));`;

const WORKS = {
  total: 2,
  accepted: 1,
  error: "event.metadata is a Map, which JSON does not have: send a plain object or a list",
  violations: ["engagement.content_view_threshold"],
  hash: "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72",
  redacted: "[redacted:email]",
  rules: JSON.parse(read(join(root, "contract.json"))).rules.length,
};

/** What each target is loaded by. @type {Record<string, { names: string[], script: string, run: string[] }>} */
const TARGETS = {
  web: {
    names: ["initSync"],
    script: `import { readFileSync } from "node:fs"; import * as gate from "./audience_gate.js";
      gate.initSync({ module: readFileSync("./audience_gate_bg.wasm") }); ${REPORT}`,
    run: [process.execPath],
  },
  bundler: {
    names: [],
    script: `import * as gate from "./audience_gate.js"; ${REPORT}`,
    run: [process.execPath, "--no-warnings", "--experimental-wasm-modules"],
  },
  nodejs: {
    names: [],
    script:
      `import { createRequire } from "node:module"; const gate = createRequire(import.meta.url)("./audience_gate.js"); ${REPORT}`,
    run: [process.execPath, "--no-warnings"],
  },
  deno: {
    names: [],
    script: `import * as gate from "./audience_gate.js"; ${REPORT}`,
    run: [denoBinary("deno"), "run", "--quiet", "--allow-read"],
  },
};

/** Holds a package in a folder to its types and to what it should do. */
function assertWorks(/** @type {string} */ folder, /** @type {string} */ target, /** @type {string} */ at = folder) {
  const { names, script, run: [command, ...args] } = TARGETS[target];
  const file = join(at, "report.mjs");
  writeFileSync(file, script.replaceAll('"./', `"${folder}/`));
  const found = JSON.parse(execFileSync(command, [...args, file], { encoding: "utf8" }));
  assert.deepEqual(found, { ...WORKS, names: [...SURFACE, ...names].sort() });
  assert.deepEqual(declared(read(join(folder, "audience_gate.d.ts"))), found.names);
}

const temporary = () => {
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-target-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

test("what is committed works, and exports what its types say", () =>
  assertWorks(join(root, "pkg"), "web", temporary()));

for (const target of Object.keys(TARGETS).slice(0, size({ short: 0, long: 4 }))) {
  test(`wasm-pack build --target ${target}`, () => {
    const folder = temporary();
    const path = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
    const { status, stderr, error } = spawnSync("wasm-pack", ["build", root, "--target", target, "--out-dir", folder], {
      encoding: "utf8",
      env: { ...process.env, PATH: path },
    });
    assert.equal(status, 0, error ? `wasm-pack is not on PATH: cargo install wasm-pack (${error.message})` : stderr);
    assertWorks(folder, target);
    const described = join(folder, "package.json");
    if (existsSync(described)) assert.equal(JSON.parse(read(described)).dependencies, undefined);
    if (target === "web") {
      const snippets = /** @type {string[]} */ (readdirSync(join(folder, "snippets"), { recursive: true }));
      const scripts = snippets.filter((name) => name.endsWith(".js")).map((name) => join("snippets", name));
      for (const name of ["audience_gate.js", "audience_gate.d.ts", ...scripts]) {
        assert.equal(read(join(folder, name)), read(join(root, "pkg", name)), `${name} is not the committed one`);
      }
    }
  });
}
