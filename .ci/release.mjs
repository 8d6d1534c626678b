#!/usr/bin/env node
/**
 * `npm run release -- 1.2.0` says what a release of that version would change and what is in its way. With `--write` it
 * makes the release: versions, date, generated files, the package and the bill of materials, one commit, one
 * tag. A person publishes it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The commands that rebuild what names the version, and freeze the migrations under it. */
const remade = (/** @type {string} */ version) => [
  ["npm", "run", "emit", "--", "--release", version],
  ["npm", "run", "build"],
  ["node", ".ci/sbom.mjs", "--write"],
  ["npm", "run", "check"],
];

/** Where the version is written, and how: the only group of each pattern is the version. @type {[path: string, pattern: RegExp][]} */
const PLACES = [
  ["Cargo.toml", /^\[workspace\.package\][^[]*?^version = "(.+?)"$/gms],
  ["Cargo.lock", /^name = "audience-gate(?:-\w+)?"\nversion = "(.+?)"$/gm],
  ["package.json", /^ {2}"version": "(.+?)",$/gm],
  ["package-lock.json", /"name": "audience-gate-workspace",\n *"version": "(.+?)"/g],
  ["openapi.yaml", /^ {2}version: (.+)$/gm],
  ["clients/python/pyproject.toml", /^version = "(.+?)"$/gm],
  ["clients/wordpress/audience-gate.php", /^ \* Version: (.+)$/gm],
];

/**
 * What a release changes, and what is in its way.
 *
 * @param {string} root
 * @param {string} version
 * @param {string} date as in the changelog, YYYY-MM-DD
 */
export function plan(root, version, date) {
  /** @type {string[]} */
  const faults = [];
  /** @type {{ path: string, text: string, what: string }[]} */
  const changes = [];
  const read = (/** @type {string} */ path) =>
    existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "";
  const git = (/** @type {string[]} */ ...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();

  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    return { faults: [`"${version}" is not a version: send three numbers, as in 1.2.0`], changes };
  }
  if (git("status", "--porcelain") !== "") faults.push("the tree has changes that are not committed");
  if (git("branch", "--show-current") !== "main") faults.push("releases are made on main");
  if (git("tag", "--list", `v${version}`) !== "") faults.push(`the tag v${version} exists`);
  for (const tag of git("tag", "--list", "v*").split("\n").filter(Boolean)) {
    if (tag !== `v${version}` && !later(version, tag.slice(1))) {
      faults.push(`${tag} is already released: choose a later version`);
    }
  }

  for (const [path, pattern] of places(root)) {
    // One file may name the version in two ways.
    const before = changes.find((change) => change.path === path);
    const text = before?.text ?? read(path);
    const found = [...text.matchAll(pattern)].map(([, old]) => old);
    if (found.length === 0) faults.push(`${path} names no version where it should`);
    const changed = text.replace(pattern, (all, /** @type {string} */ old) => all.replace(old, version));
    if (before) before.text = changed;
    else if (changed !== text) {
      changes.push({ path, text: changed, what: `${[...new Set(found)].join(", ")} → ${version}` });
    }
  }

  const changelog = read("CHANGELOG.md");
  const heading = `## ${version} · unreleased`;
  const section = changelog.split(/^(?=## )/m).find((part) => part.startsWith(`${heading}\n`));
  if (!section) faults.push(`CHANGELOG.md has no section "${heading}"`);
  else if (!/^- /m.test(section)) faults.push(`the section "${heading}" of CHANGELOG.md is empty`);
  else changes.push({ path: "CHANGELOG.md", text: changelog.replace(heading, `## ${version} · ${date}`), what: date });
  return { faults, changes };
}

/** The crates may name each other's versions too. @param {string} root */
function places(root) {
  const crates = existsSync(join(root, "crates")) ? readdirSync(join(root, "crates")) : [];
  const paths = ["Cargo.toml", ...crates.map((crate) => `crates/${crate}/Cargo.toml`)];
  /** @type {[string, RegExp][]} */
  const siblings = paths
    .map((path) => /** @type {[string, RegExp]} */ ([path, /^audience-gate[\w-]* = \{.*?\bversion = "=?(.+?)"/gm]))
    .filter(([path, pattern]) => existsSync(join(root, path)) && readFileSync(join(root, path), "utf8").match(pattern));
  return [...PLACES, ...siblings];
}

function later(/** @type {string} */ version, /** @type {string} */ other) {
  const [a, b] = [version, other].map((one) => one.split(".").map(Number));
  const at = a.findIndex((number, index) => number !== b[index]);
  return at !== -1 && a[at] > b[at];
}

/**
 * Carries a plan out.
 *
 * @param {string} root
 * @param {string} version
 * @param {ReturnType<typeof plan>["changes"]} changes
 * @param {string[][]} [commands]
 */
export function write(root, version, changes, commands = remade(version)) {
  const run = (/** @type {string[]} */ ...[command, ...args]) =>
    execFileSync(command, args, { cwd: root, stdio: "inherit" });
  for (const { path, text } of changes) writeFileSync(join(root, path), text);
  for (const command of commands) run(...command);
  // The tree was clean before, so the only new files are the record of the release and its migration.
  run("git", "add", "--all");
  run("git", "commit", "--quiet", "--message", `Release ${version}`);
  run("git", "tag", "--annotate", `v${version}`, "--message", `audience-gate ${version}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const [version = "", ...options] = process.argv.slice(2);
  const { faults, changes } = plan(root, version, new Date().toISOString().slice(0, 10));
  for (const { path, what } of changes) console.log(`${path}: ${what}`);
  for (const fault of faults) console.error(`in the way: ${fault}`);
  if (faults.length > 0) process.exit(1);
  if (options.includes("--write")) {
    write(root, version, changes);
    console.log(`\nv${version} is tagged; \`git push --follow-tags\` publishes it.`);
  } else console.log(`\nNothing was changed; \`npm run release -- ${version} --write\` does it.`);
}
