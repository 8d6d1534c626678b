// Builds the tracker: the ES module, the one-line script, the contract, and the types.
import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { build } from "esbuild";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(here("../../package.json"), "utf8"));
/** @type {import("esbuild").BuildOptions} */
const common = {
  bundle: true,
  minify: true,
  target: "es2022",
  legalComments: "none",
  define: { VERSION: JSON.stringify(version) },
  logLevel: "warning",
};

/**
 * Builds beside the folder and then moves file by file: who is served from it meanwhile gets each file whole, as it was or as
 * it is now.
 *
 * @param {string} to the folder to build it in, which ends in a slash
 */
export default async function buildTracker(to = here("../dist/tracker/")) {
  await mkdir(to, { recursive: true });
  const out = `${await mkdtemp(`${to.slice(0, -1)}-`)}/`;
  try {
    await write(out);
    for (const name of await readdir(out)) await rename(out + name, to + name);
  } finally {
    await rm(out, { recursive: true });
  }
}

/** @param {string} out */
async function write(out) {
  await Promise.all([
    build({
      ...common,
      format: "esm",
      entryPoints: [here("index.ts")],
      outfile: `${out}tracker.js`,
    }),
    build({
      ...common,
      format: "iife",
      entryPoints: [here("script.ts")],
      outfile: `${out}audience-gate.js`,
    }),
    build({
      ...common,
      format: "esm",
      entryPoints: [here("contract.ts")],
      outfile: `${out}contract.js`,
      // What wasm-bindgen would say to callers of another age.
      drop: ["console"],
    }),
    copyFile(
      here("../../pkg/audience_gate_bg.wasm"),
      `${out}audience_gate_bg.wasm`,
    ),
    copyFile(here("../../LICENSE"), `${out}LICENSE.txt`),
    writeTypes(out),
  ]);
}

/** @param {string} out */
async function writeTypes(out) {
  const types = await readFile(here("types.ts"), "utf8");
  await writeFile(
    `${out}tracker.d.ts`,
    `${types}\nexport declare function createTracker(options: TrackerOptions): Tracker;\n`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildTracker();
