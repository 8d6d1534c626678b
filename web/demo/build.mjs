// Builds the demo page. Without variables it talks to the local stack that serves it; with
// VITE_SUPABASE_URL and VITE_SUPABASE_PUBLISHABLE_KEY, as for the dashboard, to a project.
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { LICENCES, licences } from "../licences.mjs";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const out = here("../dist/demo/");

/** The well-known key of every local Supabase stack. */
const LOCAL_KEY = "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH";

export default async function buildDemo() {
  const { VITE_SUPABASE_URL: url = "", VITE_SUPABASE_PUBLISHABLE_KEY: key = LOCAL_KEY } = process.env;
  await mkdir(out, { recursive: true });
  const [{ metafile }] = await Promise.all([
    build({
      entryPoints: [here("demo.ts"), here("demo.css")],
      outdir: out,
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      logLevel: "warning",
      metafile: true,
      // The tracker is the file that every other page loads too.
      external: ["../tracker/tracker.js"],
      loader: { ".woff2": "file" },
      assetNames: "assets/[name]-[hash]",
      define: { PROJECT_URL: JSON.stringify(url.replace(/\/$/, "")), PUBLISHABLE_KEY: JSON.stringify(key) },
    }),
    copyFile(here("index.html"), `${out}index.html`),
    copyFile(here("../shared/mark.svg"), `${out}mark.svg`),
  ]);
  await writeFile(`${out}${LICENCES}`, await licences(Object.keys(metafile.inputs).map((path) => resolve(path))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDemo();
