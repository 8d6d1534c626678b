/**
 * The native command line as packages for npm, one for each platform; the package of this repository names them as
 * optional, so npm installs the one that fits. `node build/native.mjs PLATFORM PROGRAM FOLDER`.
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { root } from "./fingerprint.mjs";

/**
 * What Node calls each platform, and whom npm lets install its package. The release workflow has one build for each.
 *
 * @type {Record<string, { os: string[], cpu: string[], libc?: string[] }>}
 */
export const PLATFORMS = {
  "darwin-arm64": { os: ["darwin"], cpu: ["arm64"] },
  "darwin-x64": { os: ["darwin"], cpu: ["x64"] },
  "linux-arm64-gnu": { os: ["linux"], cpu: ["arm64"], libc: ["glibc"] },
  "linux-x64-gnu": { os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
  "linux-x64-musl": { os: ["linux"], cpu: ["x64"], libc: ["musl"] },
  "win32-x64": { os: ["win32"], cpu: ["x64"] },
};

const read = (/** @type {string} */ path) => JSON.parse(readFileSync(join(root, path), "utf8"));

/** What the package says of them: each in the very version of its own. @returns {Record<string, string>} */
export const optionalDependencies = () =>
  Object.fromEntries(Object.keys(PLATFORMS).map((platform) => [nameOf(platform), read("package.json").version]));

const nameOf = (/** @type {string} */ platform) => `@audience-gate/cli-${platform}`;

/**
 * Assembles the package of a platform in a folder.
 *
 * @param {string} platform
 * @param {string} program
 * @param {string} folder
 */
export function nativePackage(platform, program, folder) {
  if (!Object.hasOwn(PLATFORMS, platform)) {
    throw new Error(`there is no platform ${platform}; there are ${Object.keys(PLATFORMS).join(", ")}`);
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "bin"), { recursive: true });
  const { license, repository, keywords } = read("build/npm/package.json");
  const manifest = {
    name: nameOf(platform),
    version: read("package.json").version,
    description: `The command line of audience-gate for ${platform}.`,
    license,
    keywords,
    repository,
    ...PLATFORMS[platform],
    // It is a program that is started, which nothing may keep inside an archive.
    preferUnplugged: true,
  };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(
    join(folder, "README.md"),
    `# ${manifest.name}\n\n${manifest.description} \`npm install audience-gate\` installs it where it fits.\n`,
  );
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  const to = join(folder, "bin", platform.startsWith("win32") ? "audience-gate.exe" : "audience-gate");
  copyFileSync(program, to);
  chmodSync(to, 0o755);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [platform = "", program = "", folder = ""] = process.argv.slice(2);
  nativePackage(platform, resolve(program), resolve(folder));
}
