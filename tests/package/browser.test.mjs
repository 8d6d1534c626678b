/** The installed package in Chromium: as plain files, as bundlers bundle it, and in a service worker. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { build as esbuild } from "esbuild";
import { build } from "vite";
import webpack from "webpack";
import { chromiumPath } from "../runner/chromium.mjs";
import { project, write } from "./install.mjs";

let origin = "";
/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

const { folder } = await project();
/** @type {import("playwright-core").Browser} */
let browser;
const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
  try {
    const body = await readFile(join(folder, path));
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});

before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  origin = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"],
  });
});
after(async () => {
  await browser?.close();
  server.close();
});

/** What the page reports once it has compared every case. */
async function reported(/** @type {string} */ path) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  try {
    await page.goto(`${origin}/${path}`);
    await page.waitForFunction(() => "found" in globalThis, undefined, { timeout: 30_000 }).catch(() => {
      throw new Error(`the page reported nothing: ${errors.join("; ")}`);
    });
    return await page.evaluate(() => Reflect.get(globalThis, "found"));
  } finally {
    await page.close();
  }
}

const script = (/** @type {string} */ entry, /** @type {string} */ open) => `
  import * as gate from "${entry}";
  import { disagreements } from "./verdicts.mjs";
  ${open}
  globalThis.found = disagreements(gate, await (await fetch("/expected.json")).json());
`;
const page = (/** @type {string} */ file) =>
  `<!doctype html><title>package</title><script type="module" src="./${file}"></script>`;

const ENTRIES = [
  { name: "web", entry: "audience-gate", file: "audience_gate.js", open: "await gate.default();" },
  { name: "inline", entry: "audience-gate/inline", file: "inline.js", open: "" },
];

for (const { name, entry, file, open } of ENTRIES) {
  test(`Chromium, the ${name} entry as it is`, async () => {
    write(folder, `plain-${name}.js`, script(`./node_modules/audience-gate/${file}`, open));
    write(folder, `plain-${name}.html`, page(`plain-${name}.js`));
    assert.deepEqual(await reported(`plain-${name}.html`), []);
  });

  test(`Chromium, the ${name} entry bundled by vite`, async () => {
    write(folder, `vite-${name}.js`, script(entry, open));
    write(folder, `vite-${name}.html`, page(`vite-${name}.js`));
    await build({
      root: folder,
      base: `/dist-${name}/`,
      logLevel: "error",
      build: { outDir: `dist-${name}`, rollupOptions: { input: join(folder, `vite-${name}.html`) }, target: "es2022" },
    });
    assert.deepEqual(await reported(`dist-${name}/vite-${name}.html`), []);
  });

  test(`Chromium, the ${name} entry bundled by webpack`, async () => {
    write(folder, `webpack-${name}.js`, script(entry, open));
    await packed(name);
    write(folder, `webpack-${name}.html`, page(`webpack-${name}/main.js`));
    assert.deepEqual(await reported(`webpack-${name}.html`), []);
  });
}

/** What webpack makes of a script, without a word of configuration about the package. */
const packed = (/** @type {string} */ name) =>
  new Promise((resolve, reject) => {
    webpack({
      mode: "production",
      context: folder,
      entry: `./webpack-${name}.js`,
      output: { path: join(folder, `webpack-${name}`), filename: "main.js" },
      experiments: { topLevelAwait: true },
      performance: false,
    }, (error, stats) => {
      const complaints = error?.message ?? stats?.toString({ all: false, errors: true, warnings: true });
      if (complaints) reject(new Error(complaints));
      else resolve(undefined);
    });
  });

test("Chromium, a service worker", async () => {
  write(
    folder,
    "worker-source.js",
    `import * as gate from "audience-gate/inline";
    import { disagreements } from "./verdicts.mjs";
    addEventListener("message", async ({ source }) =>
      source.postMessage(disagreements(gate, await (await fetch("/expected.json")).json())));`,
  );
  await esbuild({
    entryPoints: [join(folder, "worker-source.js")],
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "iife",
    logLevel: "error",
  });
  write(
    folder,
    "registers.js",
    `navigator.serviceWorker.onmessage = ({ data }) => globalThis.found = data;
    await navigator.serviceWorker.register("/worker.js");
    (await navigator.serviceWorker.ready).active.postMessage("judge");`,
  );
  write(folder, "registers.html", page("registers.js"));
  assert.deepEqual(await reported("registers.html"), []);
});
