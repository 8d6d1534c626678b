import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { npmPackage } from "../../build/npm.mjs";
import { root } from "../runner/paths.mjs";
import { expected } from "./cases.mjs";

/** @type {import("node:child_process").ExecFileSyncOptionsWithStringEncoding} */
const quiet = { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };

/**
 * An empty project that has installed the package as it is published, and nothing from any registry.
 *
 * @param {string} [parent] the folder that it is made in, whose packages it then finds
 */
export async function project(parent = tmpdir()) {
  const folder = mkdtempSync(join(parent, "audience-gate-package-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const published = join(folder, "published");
  await npmPackage(join(root, "pkg"), published);
  const pack = ["pack", "--json", "--pack-destination", folder, published];
  const [{ filename, files }] = JSON.parse(execFileSync("npm", pack, quiet));
  write(folder, "package.json", JSON.stringify({ name: "consumer", private: true, type: "module" }));
  const tarball = join(folder, filename);
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { ...quiet, cwd: folder });
  write(folder, "expected.json", JSON.stringify(expected()));
  copyFileSync(join(root, "tests/package/verdicts.mjs"), join(folder, "verdicts.mjs"));
  return { folder, tarball, packed: /** @type {{ path: string }[]} */ (files).map(({ path }) => path).sort() };
}

export function write(/** @type {string} */ folder, /** @type {string} */ name, /** @type {string} */ text) {
  writeFileSync(join(folder, name), text);
}

/** Runs a script of the project, which prints every disagreement it found, as JSON. @returns {string[]} */
export function run(
  /** @type {string} */ folder,
  /** @type {string} */ command,
  /** @type {string[]} */ args,
) {
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1" };
  return JSON.parse(execFileSync(command, args, { ...quiet, cwd: folder, env }));
}

const REPORT = `
  const expected = JSON.parse(readFileSync("expected.json", "utf8"));
  console.log(JSON.stringify(disagreements(gate, expected)));
`;
const AS_MODULE = `import { readFileSync } from "node:fs";
  import { disagreements } from "./verdicts.mjs";`;

/** For `require`, which finds files of its own, because Node loads a module that way only since 20.19. */
const asCommonJs = (/** @type {string} */ entry, /** @type {string} */ open) =>
  `const { readFileSync } = require("node:fs");
  const gate = require("${entry}");
  import("./verdicts.mjs").then(async ({ disagreements }) => {
    ${open}
    ${REPORT}
  });`;

/** The client refuses what is no event, by the class that it exports. */
const REFUSES = `
  new AudienceGate({ queue: "queue" }).track([]).catch((error) => {
    if (!(error instanceof BadEvent)) found.push("the client says " + error);
    console.log(JSON.stringify(found));
  });`;

/** What the tracker says where it was required: a script that was bundled does not know where the contract is. */
const NAMED = "contract is missing: name the address of contract.js, or false for no check in the page";

/**
 * Each entry has its own script, which uses it as its README says. JSON imports would need another syntax in each runtime.
 *
 * @type {Record<string, string>}
 */
export const SCRIPTS = {
  "inline.mjs": `${AS_MODULE}
    import * as gate from "audience-gate/inline";
    ${REPORT}`,
  "web.mjs": `${AS_MODULE}
    import { fileURLToPath } from "node:url";
    import * as gate from "audience-gate";
    const file = fileURLToPath(import.meta.resolve("audience-gate/audience_gate_bg.wasm"));
    gate.initSync({ module: readFileSync(file) });
    ${REPORT}`,
  "fetched.mjs": `${AS_MODULE}
    import * as gate from "audience-gate";
    await gate.default();
    ${REPORT}`,
  "inline.cjs": asCommonJs("audience-gate/inline", ""),
  "web.cjs": asCommonJs("audience-gate", "await gate.default();"),
  "others.mjs": `import { AudienceGate, BadEvent } from "audience-gate/client";
    import { createTracker } from "audience-gate/tracker";
    const found = typeof createTracker === "function" ? [] : ["there is no tracker"];
    ${REFUSES}`,
  "others.cjs": `const { AudienceGate, BadEvent } = require("audience-gate/client");
    const { createTracker } = require("audience-gate/tracker");
    const found = ["the tracker says nothing"];
    try { createTracker({ endpoint: "https://example.com", key: "sb_publishable_x" }); } catch ({ message }) {
      if (message === ${JSON.stringify(NAMED)}) found.pop();
    }
    ${REFUSES}`,
};
