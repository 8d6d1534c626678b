/**
 * The texts of the page in other languages, for whatever builds it. A row of a file beside this one is a text in English and
 * the same in German, French and Spanish; `{word}` stands for a value, and ` | ` is between what is said of one and of many.
 */
import { readdirSync, readFileSync } from "node:fs";
import { keyOf } from "./key.mjs";

/** The languages of a row, in its order. */
export const LANGUAGES = ["de", "fr", "es"];

/** Every row, by its file. @returns {Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>} */
export function rows() {
  const folder = new URL("./", import.meta.url);
  return Object.fromEntries(
    readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => [
      name,
      JSON.parse(readFileSync(new URL(name, folder), "utf8")),
    ]),
  );
}

/** The texts of one language by the keys of the English ones. @param {string} language @returns {Record<string, string>} */
export function tableOf(language) {
  const at = LANGUAGES.indexOf(language);
  /** @type {Record<string, string>} */
  const table = {};
  for (const [english, others] of Object.values(rows()).flatMap((file) => Object.entries(file))) {
    const key = keyOf(english);
    if (key in table) throw new Error(`two texts share a key, or one is there twice: ${english}`);
    table[key] = others[at] ?? english;
  }
  return table;
}

const PREFIX = "texts:";
const source = (/** @type {string} */ id) => `export default ${JSON.stringify(tableOf(id.slice(PREFIX.length)))}`;

/** For Vite: `texts:de` is the table of German. @type {import("vite").Plugin} */
export const textsPlugin = {
  name: "texts",
  resolveId: (id) => (id.startsWith(PREFIX) ? id : undefined),
  load: (id) => (id.startsWith(PREFIX) ? source(id) : undefined),
};

/** The same for esbuild, by which tests load parts of the page. @type {import("esbuild").Plugin} */
export const textsForEsbuild = {
  name: "texts",
  setup(build) {
    build.onResolve({ filter: /^texts:/ }, ({ path }) => ({ path, namespace: "texts" }));
    build.onLoad({ filter: /.*/, namespace: "texts" }, ({ path }) => ({ contents: source(path), loader: "js" }));
  },
};
