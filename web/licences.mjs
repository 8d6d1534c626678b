// The licence texts of what a page is built from that is not ours, as `licences.txt` beside it.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export const LICENCES = "licences.txt";

/**
 * @param {Iterable<string>} files what was built in, as paths; only those of packages count
 * @returns {Promise<string>}
 */
export async function licences(files) {
  const folders = new Set([...files].map(packageOf).filter((folder) => folder !== undefined));
  const texts = await Promise.all([...folders].map(licenceOf));
  return texts.sort().join(`\n${"=".repeat(80)}\n\n`);
}

/** For Vite: writes the file into what it builds. @returns {import("vite").Plugin} */
export const licencesPlugin = () => ({
  name: "licences",
  async generateBundle(_options, bundle) {
    const files = Object.values(bundle).flatMap((part) =>
      part.type === "chunk"
        ? Object.keys(part.modules)
        // A font is an asset, and knows only the file it was.
        : part.originalFileNames.map((name) => join(/** @type {string} */ (this.environment.config.root), name))
    );
    this.emitFile({ type: "asset", fileName: LICENCES, source: await licences(files) });
  },
});

/** The folder of the package that a file belongs to. @param {string} file */
function packageOf(file) {
  const path = file.replace(/^\0/, "").split("?")[0];
  if (!path.includes("node_modules/")) return undefined;
  for (let folder = dirname(path); folder.includes("node_modules/"); folder = dirname(folder)) {
    // A package may have further files of that name, which only say how to read a folder.
    if (/node_modules\/(@[^/]+\/)?[^/]+$/.test(folder) && existsSync(join(folder, "package.json"))) return folder;
  }
  return undefined;
}

/** @param {string} folder */
async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} comes without the text of its licence (${license})`);
  return `${name} ${version} (${license})\n\n${(await readFile(join(folder, file), "utf8")).trim()}\n`;
}
