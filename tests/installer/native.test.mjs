/** The native command line as npm installs it beside the package: where it is, where it is not, and for whom. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { nativePackage, optionalDependencies, PLATFORMS } from "../../build/native.mjs";
import { NATIVE } from "../../installer/native.mjs";
import { commandLine } from "../command_line.mjs";
import { root } from "../runner/paths.mjs";
import { project } from "../package/install.mjs";

const { folder } = await project();
const command = join(folder, "node_modules/audience-gate/installer/main.mjs");
const run = (/** @type {string[]} */ args, input = "") => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd: folder,
    encoding: "utf8",
    input,
  });
  return { status, stdout, stderr };
};
const EVENT = JSON.stringify({
  session_id: "session-0001",
  event_type: "content_view",
  event_category: "engagement",
  event_source: "web",
  metadata: { content_id: "guide-7", duration_seconds: 5 },
});
writeFileSync(join(folder, "one.ndjson"), `${EVENT}\n`);
writeFileSync(join(folder, "two.ndjson"), `${EVENT}\n`);

test("the package names one for each platform that the release builds, in its own version", () => {
  const manifest = JSON.parse(readFileSync(join(folder, "node_modules/audience-gate/package.json"), "utf8"));
  assert.deepEqual(manifest.optionalDependencies, optionalDependencies());
  assert.deepEqual([...new Set(Object.values(manifest.optionalDependencies))], [manifest.version]);
  const workflow = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");
  const built = [...workflow.matchAll(/^ +- platform: (\S+)$/gm)].map(([, platform]) => platform);
  assert.deepEqual(built.sort(), Object.keys(PLATFORMS).sort());
});

test("without it, lines are judged by WebAssembly, and all else says what is missing", () => {
  const judged = run(["check", "one.ndjson", "--registry", "shipped"]);
  assert.deepEqual([judged.status, /engagement\.content_view_threshold/.test(judged.stdout)], [1, true]);
  for (
    const args of [["legacy", "report"], ["check", "one.ndjson", "two.ndjson"], ["check", "-", "--accepted", "out"]]
  ) {
    const { status, stderr } = run(args);
    assert.equal(status, 1);
    assert.match(stderr, /needs the native command line, and @audience-gate\/cli-[\w-]+ is not installed; install it/);
  }
});

test("with it, the command does what only it can, and ends as it does", () => {
  const platform = here();
  const published = join(folder, "native");
  nativePackage(platform, commandLine(), published);
  // npm itself refuses a package that is for another system.
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", "--no-save", published], { cwd: folder });
  try {
    const hashed = run(["hash"], "ada@example.com\nnobody\n");
    assert.equal(hashed.stdout.split("\n")[0], "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72");
    assert.equal(hashed.status, 1);
    assert.match(hashed.stderr, /address 2 is not a valid e-mail address/);
    const both = run(["check", "one.ndjson", "two.ndjson", "--format", "json"]);
    assert.deepEqual([both.status, JSON.parse(both.stdout).rejected], [1, 2]);
    assert.match(run(["explain", "advocacy.not_like"]).stdout, /advocacy\.not_like/);
    assert.equal(run(["legacy", "nothing"]).status, 2);
    const [, listed = ""] = /^Commands:\n([\s\S]*?)\n\n/m.exec(
      spawnSync(join(published, "bin/audience-gate"), ["--help"], { encoding: "utf8" }).stdout,
    ) ?? [];
    const commands = [...listed.matchAll(/^ {2}([\w-]+)/gm)].map(([, name]) => name).filter((name) => name !== "help");
    assert.deepEqual(commands.sort(), ["check", ...Object.keys(NATIVE)].sort());
  } finally {
    rmSync(published, { recursive: true });
  }
});

test("each is for its own systems, and holds a program that may be run, a licence and no more", () => {
  const program = join(folder, "program");
  writeFileSync(program, "");
  for (const [platform, systems] of Object.entries(PLATFORMS)) {
    const at = join(folder, platform);
    nativePackage(platform, program, at);
    const { os, cpu, libc, license, version, name } = JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
    assert.deepEqual({ os, cpu, ...(libc && { libc }) }, systems);
    assert.deepEqual([name, license], [`@audience-gate/cli-${platform}`, "Apache-2.0"]);
    const [{ files, version: packed }] = JSON.parse(
      execFileSync("npm", ["pack", "--dry-run", "--json", at], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    );
    const binary = `bin/audience-gate${platform.startsWith("win32") ? ".exe" : ""}`;
    const paths = files.map((/** @type {{ path: string }} */ { path }) => path).sort();
    assert.deepEqual(paths, ["LICENSE", "README.md", binary, "package.json"]);
    assert.equal(statSync(join(at, binary)).mode & 0o111, 0o111);
    assert.equal(packed, version);
  }
  assert.throws(() => nativePackage("plan9-mips", program, join(folder, "none")), /there is no platform plan9-mips/);
});

/** The platform of this machine, among those that there are. */
function here() {
  const found = Object.entries(PLATFORMS).find(([name, { os, cpu }]) =>
    os.includes(process.platform) && cpu.includes(process.arch) && !name.endsWith("musl")
  );
  assert.ok(found, `there is no package for ${process.platform} on ${process.arch}`);
  return found[0];
}
