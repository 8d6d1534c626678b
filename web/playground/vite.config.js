/** How the playground becomes static files: two pages, relative addresses, the registry that ships inside. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const NAME = "virtual:default-registry";

export default defineConfig({
  root: here("."),
  base: "./",
  configFile: false,
  logLevel: "warn",
  plugins: [
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
});

/** From the taxonomy as it is written to the snapshot that the contract judges with. */
function snapshot(registry) {
  const active = (entry) => entry.active !== false;
  return {
    version: registry.version,
    default_site: registry.default_site.id,
    event_types: registry.event_types.filter(active).map(({ id, category, payload_schema }) => ({
      id,
      category,
      payload_schema,
    })),
    rules: registry.rules.filter(active).map(({ id }) => id),
    states: registry.states.map(({ id }) => id),
    blocked_jumps: registry.blocked_jumps.map(({ from_state, to_state }) => [from_state, to_state]),
    sites: [{ id: registry.default_site.id, origins: null }],
  };
}
