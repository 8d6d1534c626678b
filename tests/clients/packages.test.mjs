/** The clients as PyPI and Packagist would have them: built, installed and used without a network. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import satisfies from "spdx-satisfies";
import { root } from "../runner/paths.mjs";
import { pythonOf } from "../runner/python.mjs";

const folder = mkdtempSync(join(tmpdir(), "audience-gate-packages-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const read = (/** @type {string} */ path) => readFileSync(join(root, path), "utf8");
// Nothing is asked of any network: what is missing fails.
const env = { ...process.env, PIP_NO_INDEX: "1", PYTHONDONTWRITEBYTECODE: "1" };
const run = (/** @type {string} */ program, /** @type {string[]} */ ...args) =>
  execFileSync(program, args, { cwd: folder, encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] });
const { version } = JSON.parse(read("package.json"));
const sources = "clients/python/src/audience_gate";

test("each has the licence of the whole", () => {
  for (const client of ["python", "php"]) assert.equal(read(`clients/${client}/LICENSE`), read("LICENSE"), client);
});

test("the package for PyPI is built from its own sources, says what it is, and works where it is installed", () => {
  const source = join(folder, "python");
  cpSync(join(root, "clients/python"), source, {
    recursive: true,
    filter: (path) => !/__pycache__|egg-info/.test(path),
  });
  // The source distribution first, and the wheel from what is in that.
  run(pythonOf("packaging"), "-m", "build", "--no-isolation", "--outdir", "dist", source);
  const [wheel, archive] = [`audience_gate-${version}-py3-none-any.whl`, `audience_gate-${version}.tar.gz`];
  assert.deepEqual(readdirSync(join(folder, "dist")).sort(), [wheel, archive]);
  const names = run("tar", "-tzf", join("dist", archive)).split("\n").map((name) => name.replace(/^[^/]+\//, ""));
  const modules = readdirSync(join(root, sources)).filter((name) => /\.py$|^py\.typed$/.test(name));
  for (
    const name of [
      "LICENSE",
      "README.md",
      "pyproject.toml",
      ...modules.map((name) => `src/audience_gate/${name}`),
    ]
  ) {
    assert.ok(names.includes(name), `${archive} lacks ${name}`);
  }

  run("python3", "-m", "venv", "installed");
  const python = join(folder, "installed/bin/python");
  run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", join("dist", wheel));
  const said = JSON.parse(
    run(
      python,
      "-c",
      `import json, importlib.metadata as m, importlib.resources as r, audience_gate as a
about = m.metadata("audience-gate")
print(json.dumps({
  "version": about["Version"], "license": about["License-Expression"], "file": about.get_all("License-File"),
  "python": about["Requires-Python"], "needs": m.requires("audience-gate"),
  "readme": about.get_payload().startswith("# audience-gate for Python"), "links": sorted(l.split(",")[0] for l in about.get_all("Project-URL")),
  "typed": r.files(a).joinpath("py.typed").is_file(), "hash": a.hash_email("ada@example.com"),
}))`,
    ),
  );
  assert.deepEqual(said, {
    version,
    license: "Apache-2.0",
    file: ["LICENSE"],
    python: ">=3.9",
    needs: null,
    readme: true,
    links: ["Changelog", "Documentation", "Repository"],
    typed: true,
    hash: "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72",
  });
});

test("the package for Packagist says what it is, and brings each class that it has", () => {
  const manifest = JSON.parse(read("clients/php/composer.json"));
  assert.match(manifest.name, /^[a-z0-9]+(-[a-z0-9]+)*\/[a-z0-9]+(-[a-z0-9]+)*$/);
  assert.ok(satisfies(manifest.license, ["Apache-2.0"]));
  // Packagist takes the version from the tag.
  assert.equal(manifest.version, undefined);
  assert.deepEqual(Object.keys(manifest.require).filter((name) => !/^(php|ext-\w+)$/.test(name)), []);
  for (const path of [manifest.readme, ...manifest.autoload.classmap]) {
    assert.ok(readdirSync(join(root, "clients/php")).includes(path.replace(/\/$/, "")), path);
  }
  const declared = readdirSync(join(root, "clients/php/src")).flatMap((file) => {
    const text = read(`clients/php/src/${file}`);
    const [, namespace] = /^namespace ([\w\\]+);$/m.exec(text) ?? [];
    return [...text.matchAll(/^(?:final |abstract |readonly )*(?:class|interface|enum|trait) (\w+)/gm)]
      .map(([, name]) => `${namespace}\\${name}`);
  });
  assert.ok(declared.includes("AudienceGate\\Client"));
  const script = `require $argv[1]; foreach (array_slice($argv, 2) as $name) {
    if (!class_exists($name) && !interface_exists($name) && !enum_exists($name) && !trait_exists($name)) echo $name, "\\n"; }`;
  assert.equal(run("php", "-r", script, "--", join(root, "clients/php/autoload.php"), ...declared), "");
});
