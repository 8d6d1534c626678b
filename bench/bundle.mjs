/** One bundle per contender, so that contenders share no closures and the size of each as shipped can be measured. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const bundles = join(root, "target/bench");

/** Every contender by its file; the first is the one that the others are measured against. */
export const CONTENDERS = {
  wasm: "audience-gate (WebAssembly)",
  handwritten: "hand-written TypeScript",
  ajv: "Ajv 8",
  typebox: "TypeBox 1",
  arktype: "ArkType 2",
  valibot: "Valibot",
  zod: "Zod 4, compiled",
  ata: "ata-validator",
};

/** Bundles them all, and returns how many bytes each has as shipped, and its library without the contract around it. */
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
      // No addon of ata-validator: an Edge Function could not load one.
      define: { "process.env": '{"ATA_NO_NATIVE":"1"}' },
      external: ["node:*"],
      absWorkingDir: root,
      logLevel: "error",
    });
    shipped[name] = brotliCompressSync(readFileSync(outfile)).length;
  }
  return shipped;
}
