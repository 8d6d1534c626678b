/** What the lock files of a checkout name: crates, npm packages, the function's packages and Python packages. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @typedef {object} Locked
 * @property {"crates.io" | "npm" | "PyPI"} ecosystem
 * @property {string} name
 * @property {string} version
 * @property {string} by the lock file
 * @property {{ algorithm: "SHA-256" | "SHA-512", hex: string }} [hash] of what the registry serves
 * @property {string} [licence] where the lock file says it
 */

/** Most Python packages are pinned by version only: pip compares no hash that it is not given. */
const REQUIREMENTS = ["spark/requirements.txt", "tests/clients/requirements.txt", "tests/scaling/requirements.txt"];

/** @param {string} root @returns {Locked[]} */
export function locked(root) {
  const read = (/** @type {string} */ path) => readFileSync(join(root, path), "utf8");
  return [
    ...crates(read("Cargo.lock")),
    ...packages(read("package-lock.json")),
    ...functionPackages(read("supabase/functions/ingest/deno.lock")),
    ...REQUIREMENTS.flatMap((path) =>
      [...read(path).matchAll(/^([\w.-]+)==([\w.]+)/gm)]
        .map(([, name, version]) => ({ ecosystem: /** @type {const} */ ("PyPI"), name, version, by: path }))
    ),
  ];
}

/** @param {string} text @returns {Locked[]} */
function crates(text) {
  return [...text.matchAll(/^name = "(.+)"\nversion = "(.+)"\nsource = ".+"(?:\nchecksum = "([0-9a-f]{64})")?/gm)]
    .map(([, name, version, checksum]) => ({
      ecosystem: "crates.io",
      name,
      version,
      by: "Cargo.lock",
      ...(checksum ? { hash: { algorithm: "SHA-256", hex: checksum } } : {}),
    }));
}

/** @param {string} text @returns {Locked[]} */
function packages(text) {
  /** @type {Record<string, { name?: string, version?: string, license?: string, integrity?: string, link?: boolean }>} */
  const all = JSON.parse(text).packages;
  return Object.entries(all).flatMap(([path, { name, version, license, integrity, link }]) =>
    !path.includes("node_modules/") || link || !version ? [] : [{
      ecosystem: "npm",
      name: name ?? path.split("node_modules/").at(-1) ?? path,
      version,
      by: "package-lock.json",
      ...hashOf(integrity),
      ...(license ? { licence: license } : {}),
    }]
  );
}

/** @param {string} text @returns {Locked[]} */
function functionPackages(text) {
  /** @type {Record<string, { integrity?: string }>} */
  const all = JSON.parse(text).npm;
  return Object.entries(all).map(([specifier, { integrity }]) => {
    const at = specifier.lastIndexOf("@");
    return {
      ecosystem: "npm",
      name: specifier.slice(0, at),
      version: specifier.slice(at + 1),
      by: "deno.lock",
      ...hashOf(integrity),
    };
  });
}

/** @param {string | undefined} integrity as npm writes it @returns {Pick<Locked, "hash">} */
function hashOf(integrity) {
  const found = /^sha512-([\w+/]+=*)$/.exec(integrity ?? "");
  return found ? { hash: { algorithm: "SHA-512", hex: Buffer.from(found[1], "base64").toString("hex") } } : {};
}
