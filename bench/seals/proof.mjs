import { createServer } from "node:http";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { chromium } from "playwright-core";
import { chromiumPath } from "../../tests/runner/chromium.mjs";
import { root } from "../../tests/runner/paths.mjs";

const ROUNDS = 200;

/**
 * How long the dashboard's own module takes to check a proof in Chromium, and how large the proof is.
 * @param {unknown} proof @param {string} verifier
 */
export async function checkInBrowser(proof, verifier) {
  const { outputFiles: [script] } = buildSync({
    entryPoints: [join(root, "web/shared/proof.ts")],
    bundle: true,
    format: "iife",
    globalName: "proofs",
    write: false,
    logLevel: "error",
  });
  // A page of its own origin on this machine, because only such a one has WebCrypto.
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html>"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.addScriptTag({ content: script.text });
    const milliseconds = await page.evaluate(async ([proof, verifier, rounds]) => {
      const times = [];
      for (let round = 0; round < rounds; round++) {
        const start = performance.now();
        await /** @type {any} */ (globalThis).proofs.checkProof(proof, verifier);
        times.push(performance.now() - start);
      }
      return times.sort((a, b) => a - b)[rounds >> 1];
    }, /** @type {const} */ ([proof, verifier, ROUNDS]));
    const { path } = /** @type {{ path: string[] }} */ (proof);
    return { milliseconds, bytes: JSON.stringify(proof).length, hashes: path.length };
  } finally {
    await browser.close();
    server.close();
  }
}
