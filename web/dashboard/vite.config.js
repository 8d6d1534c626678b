/** How the dashboard becomes static files for any project, by two variables, or for the local stack, by none. */
import process from "node:process";
import { fileURLToPath } from "node:url";

import { licencesPlugin } from "../licences.mjs";
import { demoUser, publishableKey } from "../../local/settings.mjs";
import { textsPlugin } from "./texts/tables.mjs";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const named = Boolean(process.env.VITE_SUPABASE_URL);

/** What a package has and this page does not use: the package, the end of the module's path, and what stands in for it. */
const UNUSED = [
  ["/@supabase/auth-js/", "/GoTrueAdminApi", here("auth/no_admin.ts")],
  ["/@supabase/auth-js/", "/lib/webauthn", here("auth/no_passkeys.ts")],
  ["/@supabase/auth-js/", "/lib/web3/ethereum", here("auth/no_wallets.ts")],
];
/** @type {import("vite").Plugin} */
const withoutUnused = {
  name: "without-unused",
  enforce: "pre",
  resolveId: (source, importer = "") =>
    UNUSED.find(([name = "", end = ""]) => importer.includes(name) && source.endsWith(end))?.[2],
};

/** @type {import("vite").InlineConfig} */
export default {
  root: here("."),
  base: "./",
  configFile: false,
  logLevel: "warn",
  plugins: [withoutUnused, textsPlugin, licencesPlugin()],
  define: { LOCAL: named ? "undefined" : JSON.stringify({ key: publishableKey, demo: demoUser }) },
  build: {
    outDir: here("../dist/dashboard"),
    emptyOutDir: true,
    target: "es2023",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
  },
};
