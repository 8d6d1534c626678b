/** How the playground becomes static files: two pages, relative addresses, the registry that ships inside. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { licencesPlugin } from "../licences.mjs";
import { snapshot } from "../shared/snapshot.mjs";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const NAME = "virtual:default-registry";

/** @type {import("vite").InlineConfig} */
export default {
  root: here("."),
  base: "./",
  configFile: false,
  logLevel: "warn",
  plugins: [
    licencesPlugin(),
    {
      name: "default-registry",
      resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
      async load(id) {
        if (id !== `\0${NAME}`) return undefined;
        const file = here("../../taxonomy.json");
        this.addWatchFile(file);
        return `export default ${JSON.stringify(snapshot(JSON.parse(await readFile(file, "utf8"))))}`;
      },
    },
  ],
  build: {
    outDir: here("../dist/playground"),
    emptyOutDir: true,
    target: "es2023",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    rollupOptions: { input: [here("index.html"), here("rules.html")] },
  },
};
