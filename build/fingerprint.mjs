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
  );
  return [...inFolders, ".cargo/config.toml", "build.rs", "Cargo.toml", "Cargo.lock", "contract.json", "contract.d.ts"]
    .sort();
}

/** SHA-256 over the name, length and bytes of every source. */
export function fingerprint() {
  const hash = createHash("sha256");
  for (const path of sources()) {
    const bytes = readFileSync(join(root, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}
