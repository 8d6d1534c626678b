/**
 * What is used of others: under a licence that this project may pass on, named where it is used, and pinned by a hash.
 * Reads the lock files and the sources alone, and asks nobody; `npm run advisories` asks for known weaknesses.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import satisfies from "spdx-satisfies";
import { locked } from "../../.ci/locked.mjs";
import { root } from "./paths.mjs";

/** What Apache-2.0 software may use and ship, with its notice kept. */
const LICENCES = [
  ...["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "ISC", "MIT", "MIT-0", "Unlicense", "Zlib"],
  // Dedicated to the public, and the tables of Unicode.
  ...["CC0-1.0", "Unicode-3.0"],
  // Certificate authorities as data; fonts.
  ...["CDLA-Permissive-2.0", "OFL-1.1"],
];

/** Used unchanged to build and test, and no part of anything that is shipped: their licence asks no more. */
const TOOLS = {
  "MPL-2.0": /^(axe-core|lightningcss(-.+)?)$/,
  "BlueOak-1.0.0": /^(graceful-fs|lru-cache)$/,
  "CC-BY-3.0": /^spdx-exceptions$/,
  "CC-BY-4.0": /^caniuse-lite$/,
  "LGPL-3.0-or-later": /^@img\/sharp-libvips-/,
  "Apache-2.0 AND LGPL-3.0-or-later": /^@img\/sharp-win32-/,
  "Apache-2.0 AND LGPL-3.0-or-later AND MIT": /^@img\/sharp-wasm32$/,
  "(MIT AND CC-BY-3.0)": /^spdx-ranges$/,
};

/** @typedef {{ name: string, version: string, license: string | null, source: string | null, targets: { kind: string[], src_path: string }[], dependencies: { name: string, rename: string | null }[] }} Crate */
/** @typedef {{ version?: string, license?: string, link?: boolean, integrity?: string, bin?: Record<string, string> }} Locked */

const read = (/** @type {string} */ path) => readFileSync(join(root, path), "utf8");
const tracked = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");

const crates = /** @type {Crate[]} */ (JSON.parse(execFileSync(
  "cargo",
  ["metadata", "--format-version=1", "--locked"],
  { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] },
)).packages);

/** What a lock file of npm names. @param {string} lock */
const packagesOf = (lock) =>
  Object.entries(/** @type {Record<string, Locked>} */ (JSON.parse(read(lock)).packages))
    .filter(([path, { link }]) => path.includes("node_modules/") && !link)
    .map(([path, locked]) => ({ ...locked, name: path.split("node_modules/").at(-1) ?? path }));

const packages = packagesOf("package-lock.json");
/** What the package of this project is installed into by a test, and nothing else. */
const hosts = packagesOf("tests/package/hosts/package-lock.json");

/** @param {string} what @param {string} name @param {string | null | undefined} licence */
function licensed(what, name, licence) {
  // Older crates write `MIT/Apache-2.0`.
  const expression = licence?.replace(/ ?\/ ?/g, " OR ");
  if (expression && satisfies(expression, LICENCES)) return [];
  if (Object.entries(TOOLS).some(([tools, names]) => expression === tools && names.test(name))) return [];
  return [`${what} ${name}: its licence is ${licence ?? "not named"}`];
}

/** Files of Rust, and those that their `#[path]` attributes lead to: a file named mod.rs brings its folder with it. */
function withNamedPaths(/** @type {string[]} */ files) {
  const found = new Set(files);
  for (const file of found) {
    for (const [, path] of read(file).matchAll(/#\[path = "([^"]+)"\]/g)) {
      const named = normalize(join(dirname(file), path));
      found.add(named);
      if (named.endsWith("/mod.rs")) {
        for (const other of tracked.filter((one) => one.startsWith(`${dirname(named)}/`))) found.add(other);
      }
    }
  }
  return [...found];
}

/** Crates of this workspace whose dependencies no source file of theirs names. */
function unusedCrates() {
  return crates.filter(({ source }) => source === null).flatMap(({ name, dependencies, targets }) => {
    const files = targets.flatMap(({ kind, src_path }) => {
      const path = relative(root, src_path);
      return kind.includes("custom-build") ? [path] : tracked.filter((file) => file.startsWith(`${dirname(path)}/`));
    }).filter((file) => file.endsWith(".rs"));
    const sources = withNamedPaths(files).map(read).join("\n");
    return [...new Set(dependencies.map(({ name, rename }) => rename ?? name))]
      .filter((used) => !new RegExp(`\\b${used.replaceAll("-", "_")}\\b\\s*(::|!|;|\\{)`).test(sources))
      .map((unused) => `crate ${name} does not use ${unused}`);
  });
}

const commands = (/** @type {string} */ name) =>
  packages.filter((one) => one.name === name).flatMap(({ bin }) => Object.keys(bin ?? {}));

/** Packages that no script, test, page or configuration names. */
function unusedPackages() {
  const manifest = JSON.parse(read("package.json"));
  const sources = tracked
    .filter((file) => /\.(m?[jt]s|json|css)$/.test(file) && !/^package(-lock)?\.json$/.test(file))
    .map(read).join("\n");
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
    .filter((name) =>
      !name.startsWith("@types/") && !commands(name).some((command) => sources.includes(`.bin/${command}`))
    )
    .filter((name) => !new RegExp(`["'/:]${name}["'/@]|from "${name}`).test(sources))
    .map((name) => `package.json does not need ${name}`);
}

const faults = [
  ...crates.filter(({ source }) => source !== null).flatMap(({ name, license }) => licensed("crate", name, license)),
  ...[...packages, ...hosts].flatMap(({ name, license }) => licensed("package", name, license)),
  ...hosts.filter(({ integrity }) => !integrity).map(({ name }) =>
    `${name}: the lock file of the hosts has no hash of it`
  ),
  ...locked(root).filter(({ ecosystem, hash }) => ecosystem !== "PyPI" && !hash)
    .map(({ name, version, by }) => `${name} ${version}: ${by} has no hash of it`),
  ...unusedCrates(),
  ...unusedPackages(),
];
console.log(
  faults.length > 0
    ? faults.join("\n")
    : `${crates.length} crates and ${packages.length + hosts.length} packages: no fault`,
);
process.exitCode = faults.length > 0 ? 1 : 0;
