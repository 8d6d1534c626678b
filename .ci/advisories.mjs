#!/usr/bin/env node
/**
 * `npm run advisories`: known weaknesses of every crate, npm package and Python package that the lock files name, as the
 * Open Source Vulnerabilities database lists them (it holds RustSec's, GitHub's and PyPI's). It fails if it gets no
 * answer, because that proves nothing. `npm run check` asks with `--if-reachable`, which lets somebody without a network
 * go on and says so; the hosted workflow asks without.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { locked } from "./locked.mjs";

const AT_A_TIME = 500;

/** @typedef {Pick<import("./locked.mjs").Locked, "ecosystem" | "name" | "version">} Used */

/** Everything that the lock files of a checkout name, once. @param {string} root @returns {Used[]} */
export function used(root) {
  const all = locked(root).map(({ ecosystem, name, version }) => ({ ecosystem, name, version }));
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
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
    process.exitCode = process.argv.includes("--if-reachable") ? 0 : 2;
  }
}
