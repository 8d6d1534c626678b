/** The bill of materials, from this repository's lock files. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { locked } from "../../.ci/locked.mjs";
import { sbom } from "../../.ci/sbom.mjs";
import { root } from "../runner/paths.mjs";

/** @typedef {{ name: string, version: string, purl: string, hashes?: { alg: string, content: string }[] }} Component */
const LICENCES = new Map([["serde", "MIT/Apache-2.0"]].map(([name, licence]) => {
  const version = locked(root).find((one) => one.name === name)?.version;
  return [`${name}@${version}`, licence];
}));

test("the bill of materials names everything that a lock file names, once, with the hash of it", () => {
  const components = /** @type {Component[]} */ (sbom(root, LICENCES).components);
  const said = new Set(components.map(({ name, version }) => `${name} ${version}`));
  const wanted = locked(root);
  assert.deepEqual(wanted.filter(({ name, version }) => !said.has(`${name} ${version}`)), []);
  assert.equal(new Set(components.map(({ purl }) => purl)).size, components.length);
  const wrong = components.filter(({ purl, hashes }) =>
    !/^pkg:(cargo|npm|pypi)\/(%40[\w.-]+\/)?[\w.-]+@[\w.+-]+$/.test(purl) ||
    (!purl.startsWith("pkg:pypi/") && !hashes?.every(({ content }) => /^([0-9a-f]{64}|[0-9a-f]{128})$/.test(content)))
  );
  assert.deepEqual(wrong, []);
  const ecosystems = new Set(wanted.map(({ by }) => by));
  assert.deepEqual([...ecosystems].slice(0, 3), ["Cargo.lock", "package-lock.json", "deno.lock"]);
});

test("the same lock files give the same text, and its number hangs on all of it", () => {
  const [once, again, other] = [LICENCES, LICENCES, new Map()].map((licences) => sbom(root, licences));
  assert.deepEqual(once, again);
  assert.notEqual(once.serialNumber, other.serialNumber);
  assert.match(once.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a release writes it, and the workflow proves it together with what it publishes", () => {
  const read = (/** @type {string} */ path) => readFileSync(join(root, path), "utf8");
  assert.match(read(".ci/release.mjs"), /\.ci\/sbom\.mjs", "--write"/);
  const workflow = read(".github/workflows/release.yml");
  for (
    const step of [/attest-build-provenance@/, /attest-sbom@/, /npm publish .* --provenance/, /diff - sbom\.cdx\.json/]
  ) {
    assert.match(workflow, step);
  }
  assert.match(workflow, /^ {2}contents: read$/m, "a job has only the rights that it names");
});
