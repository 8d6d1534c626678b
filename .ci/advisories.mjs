#!/usr/bin/env node
/**
 * `npm run advisories`: known weaknesses of every crate, npm package and Python package that the lock files name, as the
 * Open Source Vulnerabilities database lists them (it holds RustSec's, GitHub's and PyPI's). It needs the network, so
 * it is not part of `npm run check`; the hosted workflow runs it. It fails if it gets no answer, because that proves
 * nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** @typedef {{ ecosystem: "crates.io" | "npm" | "PyPI", name: string, version: string }} Used */

const AT_A_TIME = 500;

/** Everything that the lock files of a checkout name. @param {string} root @returns {Used[]} */
export function used(root) {
  const read = (/** @type {string} */ path) => readFileSync(join(root, path), "utf8");
  const crates = [...read("Cargo.lock").matchAll(/^name = "(.+)"\nversion = "(.+)"\nsource = /gm)]
    .map(([, name, version]) => ({ ecosystem: /** @type {const} */ ("crates.io"), name, version }));
  const packages = Object.entries(
    /** @type {Record<string, { name?: string, version?: string }>} */ (JSON.parse(read("package-lock.json")).packages),
  ).flatMap(([path, { name, version }]) =>
    path.includes("node_modules/") && version
      ? [{ ecosystem: /** @type {const} */ ("npm"), name: name ?? path.split("node_modules/").at(-1) ?? path, version }]
      : []
  );
  const wheels = ["spark/requirements.txt", "tests/scaling/requirements.txt"].flatMap((path) =>
    [...read(path).matchAll(/^([\w.-]+)==([\w.]+)/gm)]
      .map(([, name, version]) => ({ ecosystem: /** @type {const} */ ("PyPI"), name, version }))
  );
  return [...crates, ...packages, ...wheels];
}

/**
 * The known weaknesses of any of them, one per line.
 *
 * @param {Used[]} all
 * @param {string} database where the database answers
 */
export async function known(all, database) {
  /** @type {string[]} */
  const lines = [];
  for (let at = 0; at < all.length; at += AT_A_TIME) {
    const part = all.slice(at, at + AT_A_TIME);
    const response = await fetch(`${database}/v1/querybatch`, {
      method: "POST",
      body: JSON.stringify({ queries: part.map(({ version, ...of }) => ({ version, package: of })) }),
      signal: AbortSignal.timeout(60_000),
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const { results } = /** @type {{ results: { vulns?: { id: string }[] }[] }} */ (await response.json());
    if (results?.length !== part.length) throw new Error("it did not answer for each of them");
    for (const [index, { vulns = [] }] of results.entries()) {
      const { ecosystem, name, version } = part[index];
      for (const { id } of vulns) lines.push(`${name} ${version} (${ecosystem}): https://osv.dev/vulnerability/${id}`);
    }
  }
  return lines;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const all = used(fileURLToPath(new URL("..", import.meta.url)));
  try {
    const lines = await known(all, process.env.OSV_URL ?? "https://api.osv.dev");
    console.log(lines.length > 0 ? lines.join("\n") : `nothing is known against any of ${all.length} packages`);
    process.exitCode = lines.length > 0 ? 1 : 0;
  } catch (error) {
    const { message, cause } = /** @type {Error} */ (error);
    console.error(`${all.length} packages were not checked: ${message}${cause ? ` (${cause})` : ""}`);
    process.exitCode = 2;
  }
}
