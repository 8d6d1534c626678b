/** The fingerprint of everything that `pkg/` is built from; a test compares it with the one written at build time. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Every file that decides what the package is, as paths from the root with forward slashes, sorted. */
export function sources() {
  const inFolders = ["src", "build", "crates/js"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
      // What is only put beside it for npm.
      .filter((path) => !/^build\/(npm|install)\b/.test(path))
  );
  return [...inFolders, ".cargo/config.toml", "build.rs", "Cargo.toml", "contract.json", "contract.d.ts"].sort();
}

/** SHA-256 over the name, length and bytes of every source, and over the versions that it is compiled with. */
export function fingerprint() {
  const hash = createHash("sha256");
  const add = (/** @type {string} */ path, /** @type {string | Buffer} */ bytes) =>
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  for (const path of sources()) add(path, readFileSync(join(root, path)));
  const read = (/** @type {string} */ path) => readFileSync(join(root, path), "utf8");
  add("Cargo.lock", locked(read("Cargo.toml"), read("Cargo.lock")));
  return hash.digest("hex");
}

/**
 * Of the lock file, what the module is compiled with: the command line's libraries change it far more often.
 *
 * @param {string} manifest
 * @param {string} lock
 */
function locked(manifest, lock) {
  const tables = manifest.split(/^(?=\[)/m)
    .filter((table) => /^\[((target\.'cfg\(target_arch = "wasm32"\)'|build-)\.?)?dependencies\]/.test(table));
  const packages = lock.split("[[package]]\n").slice(1).map((text) => ({
    name: /^name = "(.+)"$/m.exec(text)?.[1] ?? "",
    needs: [...text.matchAll(/^ "([^" ]+)/gm)].map(([, name]) => name),
    text,
  }));
  const reached = new Set(tables.flatMap((table) => [...table.matchAll(/^([\w-]+)[ .]/gm)].map(([, name]) => name)));
  // A set also walks what is added on the way.
  for (const name of reached) {
    packages.filter((one) => one.name === name).forEach((one) => one.needs.forEach((need) => reached.add(need)));
  }
  return packages.filter(({ name }) => reached.has(name)).map(({ text }) => text).join("");
}
