/** One bundle per contender, so that no closure is shared and what ships can be weighed. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const bundles = join(root, "target/bench");

/** Every contender by its file, the one that is measured against first. */
export const CONTENDERS = {
  wasm: "audience-gate (WebAssembly)",
  handwritten: "hand-written TypeScript",
  ajv: "Ajv 8",
  typebox: "TypeBox 1",
  arktype: "ArkType 2",
  valibot: "Valibot",
  zod: "Zod 4",
};

/** Bundles them all; the bytes of each as shipped, and of its library without the contract around it. */
export async function bundle() {
  mkdirSync(bundles, { recursive: true });
  /** @type {Record<string, number>} */
  const shipped = {};
  for (const name of Object.keys(CONTENDERS)) {
    const outfile = join(bundles, `${name}.mjs`);
    await build({
      entryPoints: [join(root, `bench/contenders/${name}.ts`)],
      outfile,
      bundle: true,
      minify: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["import"],
      external: ["node:*"],
      absWorkingDir: root,
      logLevel: "error",
    });
    shipped[name] = brotliCompressSync(readFileSync(outfile)).length;
  }
  return shipped;
}
