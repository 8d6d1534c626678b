/**
 * The package in frameworks and runtimes that people have, each with the packages that hosts/package-lock.json names. They
 * weigh most of a gigabyte, so the short form only looks at what does without them.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { size } from "../long.mjs";
import { chromiumPath } from "../runner/chromium.mjs";
import { until } from "../until.mjs";
import { EDGE_ROUTE, NEXT, REACT, SVELTEKIT, WORKER, WORKERD } from "./hosts.mjs";
import { hosts, inHosts, installHosts, NODES } from "./hosts_installed.mjs";
import { project, run, SCRIPTS, write } from "./install.mjs";

const long = size({ short: 0, long: 1 }) === 1;
const BUN = inHosts("@oven/bun-linux-x64/bin/bun");
const WORKERD_BINARY = inHosts("@cloudflare/workerd-linux-64/bin/workerd");
const VITE = inHosts("vite/bin/vite.js");

if (long) installHosts();
const { folder } = await project(long ? hosts : undefined);

/** @param {string} name @param {Record<string, string>} files */
function application(name, files) {
  const at = join(folder, name);
  for (const [path, text] of Object.entries({ "package.json": '{ "type": "module", "private": true }', ...files })) {
    mkdirSync(dirname(join(at, path)), { recursive: true });
    writeFileSync(join(at, path), text);
  }
  for (
    const [from, to] of [["verdicts.mjs", "."], ["expected.json", "."], ["expected.json", "public"], [
      "expected.json",
      "static",
    ]]
  ) {
    mkdirSync(join(at, to), { recursive: true });
    copyFileSync(join(folder, from), join(at, to, from));
  }
  return at;
}

const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", CI: "1" };

/** @param {string} program of Node @param {string} at @param {string[]} args */
function node(program, at, ...args) {
  try {
    return execFileSync(program, args, { cwd: at, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = /** @type {{ stdout: string, stderr: string }} */ (error);
    throw new Error(`${args.join(" ")}:\n${stdout}${stderr}`);
  }
}

/**
 * What page and server of an application say, once it is served.
 *
 * @param {string} program of Node @param {string} at @param {(port: number) => string[]} args
 * @param {string[]} answers what it answers beside the page
 */
async function said(program, at, args, answers) {
  const port = await freePort();
  const address = `http://localhost:${port}`;
  const server = spawn(program, args(port), { cwd: at, env, stdio: "ignore", detached: true });
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox", "--disable-gpu"] });
  try {
    await until(() => fetch(address).then(({ ok }) => ok, () => false), "the application is served", 60);
    const page = await browser.newPage();
    await page.goto(address);
    await page.waitForFunction(() => "found" in globalThis, undefined, { timeout: 60_000 });
    const found = [await page.evaluate(() => Reflect.get(globalThis, "found"))];
    for (const path of answers) found.push(await (await fetch(`${address}/${path}`)).json());
    return found;
  } finally {
    await browser.close();
    if (server.pid) process.kill(-server.pid, "SIGTERM");
  }
}

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });

const ENTRIES = ["audience-gate", "audience-gate/inline"];

/** The platforms that compile no module from bytes, and the conditions by which their bundlers look. */
const CONDITIONS = { workerd: ["workerd", "worker", "browser"], "edge-light": ["edge-light", "worker", "browser"] };

/** What a bundler for such a platform makes of an entry. @param {keyof typeof CONDITIONS} platform @param {string} entry */
async function worker(platform, entry) {
  const at = join(folder, platform, entry.replace("/", "-"));
  write(folder, "worker-source.mjs", WORKER(entry));
  await build({
    entryPoints: [join(folder, "worker-source.mjs")],
    outdir: at,
    bundle: true,
    format: "esm",
    conditions: CONDITIONS[platform],
    loader: { ".wasm": "copy" },
    logLevel: "error",
  });
  return { at, files: readdirSync(at).sort() };
}

for (const platform of /** @type {const} */ (["workerd", "edge-light"])) {
  for (const entry of ENTRIES) {
    test(`${entry} by ${platform} has its module beside it, and compiles none`, async () => {
      const { at, files } = await worker(platform, entry);
      assert.match(files.join(), /^audience_gate_bg-\w+\.wasm,worker-source\.js$/);
      // Next and Vercel give the module itself to whoever asks for it so.
      const named = /from "\.\/audience_gate_bg-\w+\.wasm(.*)"/.exec(readFileSync(join(at, files[1]), "utf8"))?.[1];
      assert.equal(named, platform === "edge-light" ? "?module" : "");
    });
  }
}

if (long) {
  for (const [name, text] of Object.entries(SCRIPTS)) {
    write(folder, name, text);
    for (const [version, node] of Object.entries(NODES)) {
      test(`Node ${version}, ${name}`, () => assert.deepEqual(run(folder, node, [name]), []));
    }
    test(`Bun, ${name}`, () => assert.deepEqual(run(folder, BUN, [name]), []));
  }

  for (const entry of ENTRIES) {
    test(`workerd, ${entry}`, async () => {
      const { at, files: [module, script] } = await worker("workerd", entry);
      writeFileSync(join(at, "worker.capnp"), WORKERD(script, module));
      execFileSync(WORKERD_BINARY, ["test", "worker.capnp"], { cwd: at, stdio: "pipe" });
    });
  }

  for (const [version, program] of Object.entries(NODES)) {
    const vite = (/** @type {number} */ port) => [VITE, "preview", "--port", `${port}`, "--strictPort"];

    test(`Vite with React, strictly typed, on Node ${version}`, async () => {
      const at = application(`react-${version}`, REACT);
      node(program, at, inHosts("typescript/bin/tsc"), "-p", ".");
      node(program, at, VITE, "build");
      assert.deepEqual(await said(program, at, vite, []), [[]]);
    });

    for (const [bundler, more] of /** @type {const} */ ([["turbopack", EDGE_ROUTE], ["webpack", {}]])) {
      test(`Next by ${bundler}, page, server, edge runtime and middleware, on Node ${version}`, async () => {
        const at = application(`next-${bundler}-${version}`, { ...NEXT, ...more });
        const next = inHosts("next/dist/bin/next");
        node(program, at, next, "build", `--${bundler}`);
        const answers = ["answer", "api/edge", "middleware", ...("app/edge/route.js" in more ? ["edge"] : [])];
        const found = await said(program, at, (port) => [next, "start", "--port", `${port}`], answers);
        assert.deepEqual(found, [[], ...answers.map(() => [])]);
      });
    }

    test(`SvelteKit, page and server, on Node ${version}`, async () => {
      const at = application(`sveltekit-${version}`, SVELTEKIT);
      node(program, at, VITE, "build");
      assert.deepEqual(await said(program, at, vite, ["answer"]), [[], []]);
    });

    test(`the package's command, on Node ${version}`, () => {
      const at = application(`command-${version}`, { "supabase/config.toml": 'project_id = "hosts"\n' });
      const command = join(folder, "node_modules/audience-gate/installer/main.mjs");
      assert.match(node(program, at, command, "init"), /^Written:$/m);
      assert.match(node(program, at, command, "init"), /nothing was changed/);
      assert.match(node(program, at, command, "uninstall"), /functions delete ingest/);
    });
  }
}
