// Builds every page and the tracker into web/dist/<name>/. Name some to build only those: `node web/build.mjs tracker demo`.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import process from "node:process";

const PARTS = ["tracker", "demo", "playground", "dashboard"];

const named = process.argv.slice(2);
for (const part of named.length > 0 ? named : PARTS) {
  const builder = new URL(`./${part}/build.mjs`, import.meta.url);
  if (!existsSync(builder)) throw new Error(`web/${part}/build.mjs is missing`);
  const started = performance.now();
  const { default: build } = await import(builder.href);
  await build();
  console.log(
    `web/dist/${part}/ built in ${Math.round(performance.now() - started)} ms (${fileURLToPath(builder)})`,
  );
}
