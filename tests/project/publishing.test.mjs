/**
 * The workflow that publishes a release runs at a tag, on machines that are not here. What it says is tried here as far as it
 * can be: its commands on this checkout, with nothing built and nothing sent.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { parse } from "yaml";
import { plan } from "../../.ci/release.mjs";
import { optionalDependencies, PLATFORMS } from "../../build/native.mjs";
import { root } from "../runner/paths.mjs";

/**
 * @typedef {{ name?: string, run?: string, uses?: string, with?: Record<string, unknown>, env?: Record<string, string> }} Step
 * @typedef {{ platform: string, runner: string, target?: string }} Machine
 * @typedef {{ steps: Step[], needs?: string, permissions?: Record<string, string>, strategy?: { matrix: { include: Machine[] } } }} Job
 */

const read = (/** @type {string} */ path) => readFileSync(join(root, path), "utf8");
/** @type {{ on: object, permissions: object, jobs: Record<string, Job> }} */
const workflow = parse(read(".github/workflows/release.yml"));
const { native, release } = workflow.jobs;
const machines = native.strategy?.matrix.include ?? [];
const steps = [...native.steps, ...release.steps];
const { version } = JSON.parse(read("package.json"));
const TAG = `v${version}`;

/** This checkout as the workflow finds it, with room for what it makes. */
const checkout = mkdtempSync(join(tmpdir(), "audience-gate-publishing-"));
after(() => rmSync(checkout, { recursive: true, force: true }));
const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
});
for (const path of listed.trim().split("\n").filter((path) => existsSync(join(root, path)))) {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  copyFileSync(join(root, path), join(checkout, path));
}
symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));

/** Programs that would reach out, in place of the real ones: they note what they were asked. */
const stubs = join(checkout, ".stubs");
const noted = join(checkout, ".noted");
mkdirSync(stubs);
writeFileSync(
  join(stubs, "npm"),
  `#!/bin/sh\nif [ "$1" = publish ]; then echo "$@" >> "${noted}"; else exec "$NPM" "$@"; fi\n`,
);
writeFileSync(join(stubs, "gh"), `#!/bin/sh\necho gh "$@" >> "${noted}"\n`);
for (const name of readdirSync(stubs)) chmodSync(join(stubs, name), 0o755);
const NPM = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();

/** What stands for an expression of the workflow; one that is not named here is not known. @param {string} text @param {Record<string, string>} values */
const filled = (text, values) =>
  text.replaceAll(/\$\{\{ (.*?) \}\}/g, (_, expression) => {
    assert.ok(Object.hasOwn(values, expression), `what is ${expression}?`);
    return values[expression];
  });

/** Runs a step as its shell would. @param {RegExp} named @param {Record<string, string>} [values] @param {string} [tag] */
function runs(named, values = {}, tag = TAG) {
  const step = steps.find(({ name }) => named.test(name ?? ""));
  assert.ok(step?.run, `there is no step ${named}`);
  const { status, stdout, stderr } = spawnSync("bash", [
    "--noprofile",
    "--norc",
    "-eo",
    "pipefail",
    "-c",
    filled(step.run, values),
  ], {
    cwd: checkout,
    encoding: "utf8",
    env: { ...process.env, NPM, PATH: [stubs, process.env.PATH].join(delimiter), GITHUB_REF_NAME: tag },
  });
  return { status, said: stdout + stderr };
}

test("the workflow begins with a tag, and no job may do more than it has to", () => {
  assert.deepEqual(workflow.on, { push: { tags: ["v*.*.*"] } });
  assert.deepEqual([workflow.permissions, native.permissions], [{ contents: "read" }, undefined]);
  assert.deepEqual(release.permissions, { contents: "write", "id-token": "write", attestations: "write" });
  assert.equal(release.needs, "native");
  for (const { uses = "", with: given } of steps) {
    if (uses) assert.match(uses, /^[\w-]+\/[\w-]+@(v\d+|release\/v\d+)$/);
    if (uses.startsWith("actions/checkout@")) assert.equal(given?.["persist-credentials"], false);
  }
});

/** Where npm publishes to if nobody has told it otherwise. */
function usualRegistry() {
  const { HOME, PATH } = process.env;
  const unset = ["--userconfig", join(tmpdir(), "no-user"), "--globalconfig", join(tmpdir(), "no-machine")];
  const said = execFileSync("npm", ["config", "get", "registry", ...unset], { cwd: tmpdir(), env: { HOME, PATH } });
  return said.toString().trim();
}

test("npm is one that can publish by the identity of a workflow, and no token of npm is in it", () => {
  const setup = release.steps.find(({ uses }) => uses?.startsWith("actions/setup-node@"));
  // It takes npm 11.5, which came with Node 24.
  assert.ok(Number(setup?.with?.["node-version"]) >= 24, `Node ${setup?.with?.["node-version"]}`);
  assert.equal(`${setup?.with?.["registry-url"]}/`, usualRegistry());
  assert.doesNotMatch(read(".github/workflows/release.yml"), /NODE_AUTH_TOKEN|NPM_TOKEN/);
});

test("every command is one that a shell can read, and names files, scripts and crates that are there", () => {
  const { scripts } = JSON.parse(read("package.json"));
  const crates = readdirSync(join(root, "crates")).map((name) => read(`crates/${name}/Cargo.toml`));
  for (const { run = "" } of steps) {
    const text = run.replaceAll(/\$\{\{.*?\}\}/g, "word");
    const { status, stderr } = spawnSync("bash", ["-n", "-c", text], { encoding: "utf8" });
    assert.equal(status, 0, `${run}\n${stderr}`);
    for (const [, name] of text.matchAll(/\bnpm run ([\w:]+)/g)) assert.ok(name in scripts, name);
    for (const [, path] of text.matchAll(/\b(?:node|--requirement|--prefix|--outdir out\/\w+) ([\w./-]+\/[\w.-]+)/g)) {
      assert.ok(existsSync(join(root, path)), path);
    }
    for (const [, crate] of text.matchAll(/ -p ([\w-]+)/g)) {
      const manifest = crates.find((one) => one.includes(`name = "${crate}"`)) ?? "";
      assert.match(manifest, /^\[\[bin\]\]\nname = "audience-gate"$/m, crate);
    }
  }
});

test("each platform is built on its own system, for the library of C that it says", () => {
  const systems = { macos: "darwin", ubuntu: "linux", windows: "win32" };
  assert.deepEqual(machines.map(({ platform }) => platform).sort(), Object.keys(PLATFORMS).sort());
  for (const { platform, runner, target } of machines) {
    const { os: [os], cpu: [cpu], libc: [libc] = ["glibc"] } = PLATFORMS[platform];
    const [system] = runner.split("-");
    assert.equal(systems[/** @type {keyof typeof systems} */ (system)], os, runner);
    const arm = /-arm$|^macos-14$/.test(runner);
    assert.equal(arm ? "arm64" : "x64", cpu, runner);
    assert.equal(target, libc === "musl" ? "x86_64-unknown-linux-musl" : undefined, platform);
  }
});

test("the version is one, everywhere", () => {
  const { changes } = plan(root, version, "2027-01-31");
  assert.deepEqual(changes.filter(({ path }) => path !== "CHANGELOG.md"), []);
  assert.equal(runs(/^The tag is the version/).status, 0);
  assert.notEqual(runs(/^The tag is the version/, {}, "v0.0.1").status, 0);
});

test("the packages are made of each platform's program and of this checkout, and the one that names the others is sent last", () => {
  for (const { platform, target = "" } of machines) {
    const windows = platform.startsWith("win32");
    const built = join(checkout, "target", target, "release");
    mkdirSync(built, { recursive: true });
    const program = join(built, `audience-gate${windows ? ".exe" : ""}`);
    writeFileSync(program, '#!/bin/sh\necho "$@"\n');
    chmodSync(program, 0o755);
    const { status, said } = runs(/^Its package/, {
      "matrix.target && format('{0}/', matrix.target)": target && `${target}/`,
      "runner.os == 'Windows' && '.exe' || ''": windows ? ".exe" : "",
      "matrix.platform": platform,
    });
    assert.equal(status, 0, said);
    // What the one job uploads, the other downloads.
    const [made] = readdirSync(join(checkout, "out"));
    mkdirSync(join(checkout, "uploaded"), { recursive: true });
    execFileSync("mv", [join(checkout, "out", made), join(checkout, "uploaded", made)]);
    rmSync(join(checkout, "out"), { recursive: true });
  }
  const said = runs(/^The npm package/);
  assert.equal(said.status, 0, said.said);
  execFileSync("mv", [join(checkout, "uploaded"), join(checkout, "out/native")]);

  assert.equal(runs(/^To npm/).status, 0);
  const sent = readFileSync(noted, "utf8").trim().split("\n");
  for (const line of sent) assert.match(line, /^publish out\/\S+\.tgz --provenance --access public$/);
  const described = sent.map((line) => {
    const text = execFileSync("tar", ["-xzOf", join(checkout, line.split(" ")[1]), "package/package.json"], {
      encoding: "utf8",
    });
    return JSON.parse(text);
  });
  assert.deepEqual(described.map((one) => one.version), sent.map(() => version));
  const names = described.map(({ name }) => name);
  assert.equal(names.at(-1), "audience-gate");
  assert.deepEqual(names.slice(0, -1).sort(), Object.keys(optionalDependencies()).sort());
  assert.deepEqual(described.at(-1).optionalDependencies, optionalDependencies());
});

test("a release says on GitHub what the changelog says of it", () => {
  rmSync(noted, { force: true });
  mkdirSync(join(checkout, "out/native"), { recursive: true });
  const [, last] = /^## (\d+\.\d+\.\d+) · \d{4}/m.exec(read("CHANGELOG.md")) ?? [];
  const { status, said } = runs(/^To GitHub/, {}, `v${last}`);
  assert.equal(status, 0, said);
  const notes = readFileSync(join(checkout, "out/notes.md"), "utf8");
  assert.match(notes, new RegExp(`^## ${last} · .*\\n\\n[\\s\\S]*- `));
  assert.equal(notes.match(/^## /gm)?.length, 1);
  assert.match(
    readFileSync(noted, "utf8"),
    new RegExp(`^gh release create v${last} --verify-tag --notes-file out/notes\\.md .* sbom\\.cdx\\.json\\n$`),
  );
});
