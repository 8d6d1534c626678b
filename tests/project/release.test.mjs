/** The release script, on a separate repository with this one's files. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { plan, write } from "../../.ci/release.mjs";
import { root } from "../runner/paths.mjs";

const PYTHON = "clients/python/pyproject.toml";
const WORDPRESS = "clients/wordpress/audience-gate.php";
const FILES = [
  "Cargo.toml",
  "Cargo.lock",
  "package.json",
  "package-lock.json",
  "openapi.yaml",
  "crates",
  PYTHON,
  WORDPRESS,
];
/** A crate of the workspace on which another depends; the dependency names its version too. */
const PART = 'audience-gate-part = { version = "0.1.0", path = "crates/part" }';
const OWN = /^name = "audience-gate/gm;
const DATE = "2027-01-31";
const CHANGELOG = "# Changelog\n\n## 7.0.0 · unreleased\n\n- A thing is new.\n\n## 6.0.0 · 2026-12-24\n\n- The rest.\n";

/** @param {import("node:test").TestContext} t */
function repository(t) {
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-release-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.test", ...args], {
      cwd: folder,
      encoding: "utf8",
    }).trim();
  for (const file of FILES) cpSync(join(root, file), join(folder, file), { recursive: true });
  writeFileSync(join(folder, "Cargo.toml"), `${readFileSync(join(folder, "Cargo.toml"), "utf8")}\n${PART}\n`);
  const put = (/** @type {string} */ name, /** @type {string} */ text) => writeFileSync(join(folder, name), text);
  put("CHANGELOG.md", CHANGELOG);
  git("init", "--quiet", "--initial-branch=main");
  git("config", "user.name", "Test");
  git("config", "user.email", "test@example.test");
  git("add", "--all");
  git("commit", "--quiet", "--message", "All");
  return { folder, git, put };
}

test("a release names its version everywhere, dates its changes, and is one commit with one tag", (t) => {
  const { folder, git } = repository(t);
  const { faults, changes } = plan(folder, "7.0.0", DATE);
  assert.deepEqual(faults, []);
  assert.equal(git("status", "--porcelain"), "", "a plan changes nothing");

  write(folder, "7.0.0", changes, []);
  assert.equal(git("log", "-1", "--format=%s"), "Release 7.0.0");
  assert.equal(git("describe"), "v7.0.0");
  assert.equal(git("status", "--porcelain"), "");
  const read = (/** @type {string} */ name) => readFileSync(join(folder, name), "utf8");
  assert.match(read("CHANGELOG.md"), /^## 7\.0\.0 · 2027-01-31$/m);
  assert.match(read("Cargo.toml"), /^\[workspace\.package\][^[]*^version = "7\.0\.0"$/m);
  assert.match(read("Cargo.toml"), /^audience-gate-part = \{ version = "7\.0\.0", /m);
  assert.equal(JSON.parse(read("package.json")).version, "7.0.0");
  assert.match(read(PYTHON), /^version = "7\.0\.0"$/m);
  assert.match(read(WORDPRESS), /^ \* Version: 7\.0\.0$/m);
  const lock = JSON.parse(read("package-lock.json"));
  assert.deepEqual([lock.version, lock.packages[""].version], ["7.0.0", "7.0.0"]);
  assert.equal(read("Cargo.lock").match(/^version = "7\.0\.0"$/gm)?.length, read("Cargo.lock").match(OWN)?.length);
});

/** @type {[says: string, version: string, spoil: (made: ReturnType<typeof repository>) => void, fault: RegExp][]} */
const IN_THE_WAY = [
  ["no version", "seven", () => {}, /is not a version/],
  ["a dirty tree", "7.0.0", ({ put }) => put("new.txt", ""), /not committed/],
  ["another branch", "7.0.0", ({ git }) => git("checkout", "--quiet", "-b", "work"), /made on main/],
  ["a tag of that name", "7.0.0", ({ git }) => git("tag", "v7.0.0"), /v7\.0\.0 exists/],
  ["a later release", "7.0.0", ({ git }) => git("tag", "v7.0.1"), /v7\.0\.1 is already released/],
  ["no section", "7.0.1", () => {}, /no section "## 7\.0\.1 · unreleased"/],
  [
    "a file that lost its version",
    "7.0.0",
    ({ put }) => put("openapi.yaml", "openapi: 3.1.0\n"),
    /openapi\.yaml names no version/,
  ],
];

test("anything in the way of a release gets a message", (t) => {
  const wrong = IN_THE_WAY.flatMap(([says, version, spoil, fault]) => {
    const made = repository(t);
    spoil(made);
    const { faults } = plan(made.folder, version, DATE);
    return faults.some((one) => fault.test(one)) ? [] : [`${says}: ${JSON.stringify(faults)}`];
  });
  assert.deepEqual(wrong, []);
});
