import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join, normalize, relative, sep } from "node:path";
import { pageHeaders } from "../web/shared/headers.mjs";
import { writable } from "./command.mjs";
import { root } from "./settings.mjs";

/** Where each part of web/ is served; web/build.mjs builds it into web/dist. The last part takes every other address. */
const ADDRESSES = [
  { part: "dashboard", at: "/dashboard/" },
  { part: "demo", at: "/demo/" },
  { part: "tracker", at: "/tracker/" },
  { part: "playground", at: "/" },
];

/** What a page may be built from, in addition to its own folder. */
const SOURCES = ["web", "pkg", "taxonomy.json", "package-lock.json"];

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

const HEADERS = pageHeaders();

const dist = join(root, "web", "dist");

/**
 * Builds the pages whose sources have changed since they were last built; a second start builds nothing.
 *
 * @param {(message: string) => void} say
 */
export async function buildPages(say) {
  const parts = ADDRESSES.map(({ part }) => part)
    .filter((part) => existsSync(join(root, "web", part, "build.mjs")));
  const sources = fingerprint();
  const stamp = join(dist, "sources.txt");
  if (
    existsSync(stamp) && readFileSync(stamp, "utf8") === sources &&
    parts.every((part) => existsSync(join(dist, part)))
  ) return;
  if (!writable(dist)) {
    throw new Error(
      `the pages are built in ${dist}, which cannot be written to; run the stack in a copy of the checkout`,
    );
  }
  if (parts.length > 0) {
    say("building the pages");
    await build(parts);
  }
  mkdirSync(dist, { recursive: true });
  writeFileSync(stamp, sources);
}

/** Runs in a process of its own, so that it does not slow the database down. */
function build(/** @type {string[]} */ parts) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "web", "build.mjs"), ...parts], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    let said = "";
    child.stdout.on("data", (chunk) => said += chunk);
    child.stderr.on("data", (chunk) => said += chunk);
    child.on("error", reject);
    child.on(
      "close",
      (code) => code === 0 ? resolve(undefined) : reject(new Error(`the pages did not build:\n${said.trim()}`)),
    );
  });
}

/** A hash over every source's path and content. */
function fingerprint() {
  const hash = createHash("sha256");
  const add = (/** @type {string} */ path) => hash.update(`${relative(root, path)}\0`).update(readFileSync(path));
  const walk = (/** @type {string} */ folder) => {
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => a.name < b.name ? -1 : 1);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (path === dist || entry.name === "node_modules") continue;
      if (entry.isDirectory()) walk(path);
      else add(path);
    }
  };
  for (const source of SOURCES.map((name) => join(root, name)).filter(existsSync)) {
    if (extname(source)) add(source);
    else walk(source);
  }
  return hash.digest("hex");
}

/**
 * The file for an address, read on each request.
 *
 * @param {string} address path and query
 * @returns {import("./gateway.mjs").Page}
 */
export function page(address) {
  const path = decoded(address.split("?")[0]);
  if (path === undefined) return notFound();
  const bare = ADDRESSES.find(({ at }) => `${path}/` === at);
  if (bare) return { status: 308, headers: { location: bare.at }, body: "" };

  const owner = ADDRESSES.find(({ at }) => path.startsWith(at));
  if (!owner) return notFound();
  const folder = join(dist, owner.part);
  const rest = path.slice(owner.at.length);
  const file = normalize(join(folder, rest === "" || rest.endsWith("/") ? `${rest}index.html` : rest));
  if (!file.startsWith(folder + sep)) return notFound();
  try {
    const type = TYPES[/** @type {keyof typeof TYPES} */ (extname(file))] ?? "application/octet-stream";
    return {
      status: 200,
      // Vite puts a hash into the names under assets/, so those never change.
      headers: {
        ...HEADERS,
        "content-type": type,
        "cache-control": rest.includes("assets/") ? "max-age=31536000, immutable" : "no-cache",
      },
      body: readFileSync(file),
    };
  } catch {
    return notFound();
  }
}

function decoded(/** @type {string} */ path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** @returns {import("./gateway.mjs").Page} */
function notFound() {
  return { status: 404, headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" }, body: "not found\n" };
}
