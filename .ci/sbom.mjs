#!/usr/bin/env node
/**
 * `node .ci/sbom.mjs`: the bill of materials of this checkout, from its lock files, as CycloneDX 1.6. The same lock files
 * give the same text, so anybody can make it again and compare. `-- --write` writes it to `sbom.cdx.json`, as
 * `npm run release` does.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { locked } from "./locked.mjs";

export const SBOM = "sbom.cdx.json";

const TYPES = { "crates.io": "cargo", "npm": "npm", "PyPI": "pypi" };

/**
 * @param {string} root
 * @param {Map<string, string>} licences of crates, by name and version
 */
export function sbom(root, licences) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const gate = `pkg:generic/audience-gate@${version}`;
  /** @type {Map<string, object>} */
  const components = new Map();
  for (const one of locked(root)) {
    const purl = `pkg:${TYPES[one.ecosystem]}/${one.name.replace("@", "%40")}@${one.version}`;
    const licence = one.licence ?? licences.get(`${one.name}@${one.version}`)?.replace(/ ?\/ ?/g, " OR ");
    // One package may stand in two lock files, or twice in one.
    if (components.has(purl)) continue;
    components.set(purl, {
      "type": "library",
      "bom-ref": purl,
      "name": one.name,
      "version": one.version,
      "purl": purl,
      ...(one.hash ? { hashes: [{ alg: one.hash.algorithm, content: one.hash.hex }] } : {}),
      ...(licence ? { licenses: [{ expression: licence }] } : {}),
      "properties": [{ name: "audience-gate:lock-file", value: one.by }],
    });
  }
  const sorted = [...components].sort(([a], [b]) => a < b ? -1 : 1).map(([, component]) => component);
  const digest = createHash("sha256").update(JSON.stringify([gate, sorted])).digest("hex");
  const uuid = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  return {
    "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": `urn:uuid:${[...uuid, digest.slice(20, 32)].join("-")}`,
    "version": 1,
    "metadata": {
      component: {
        "type": "application",
        "bom-ref": gate,
        "name": "audience-gate",
        version,
        "licenses": [{ expression: "Apache-2.0" }],
      },
    },
    "components": sorted,
    "dependencies": [{ ref: gate, dependsOn: [...components.keys()].sort() }],
  };
}

/** What the manifests of the crates say: Cargo's lock file does not. @param {string} root */
export function crateLicences(root) {
  /** @type {{ packages: { name: string, version: string, license: string | null }[] }} */
  const { packages } = JSON.parse(execFileSync("cargo", ["metadata", "--format-version=1", "--locked"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "inherit"],
  }));
  return new Map(packages.flatMap(({ name, version, license }) => license ? [[`${name}@${version}`, license]] : []));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const text = `${JSON.stringify(sbom(root, crateLicences(root)), null, 1)}\n`;
  if (process.argv.includes("--write")) writeFileSync(join(root, SBOM), text);
  else process.stdout.write(text);
}
