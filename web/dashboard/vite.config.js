/** How the dashboard becomes static files for any project, by two variables, or for the local stack, by none. */
import process from "node:process";
import { fileURLToPath } from "node:url";

import { licencesPlugin } from "../licences.mjs";
import { demoUser, publishableKey } from "../../local/settings.mjs";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const named = Boolean(process.env.VITE_SUPABASE_URL);

/** What Plot has and no chart here uses, by the end of the module's path, and what stands in for it. */
const UNUSED = {
  "projection.js": here("plot/no_projection.ts"),
  "schemes.js": here("plot/no_schemes.ts"),
};
/** @type {import("vite").Plugin} */
const withoutUnused = {
  name: "without-unused",
  enforce: "pre",
  resolveId: (source, importer = "") =>
    importer.includes("/@observablehq/plot/src/")
      ? Object.entries(UNUSED).find(([name]) => source.endsWith(`/${name}`))?.[1]
      : undefined,
};

/** @type {import("vite").InlineConfig} */
export default {
  root: here("."),
  base: "./",
  configFile: false,
  logLevel: "warn",
  plugins: [withoutUnused, licencesPlugin()],
  define: { LOCAL: named ? "undefined" : JSON.stringify({ key: publishableKey, demo: demoUser }) },
  build: {
    outDir: here("../dist/dashboard"),
    emptyOutDir: true,
    target: "es2023",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
  },
};
