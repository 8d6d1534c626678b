/** The projects that the guides describe, made of nothing but what stands there. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import process from "node:process";
import { npmPackage } from "../../build/npm.mjs";
import { root } from "../runner/paths.mjs";
import { blocks } from "./documents.mjs";

export const base = mkdtempSync(join(tmpdir(), "audience-gate-guides-"));
process.on("exit", () => rmSync(base, { recursive: true, force: true }));
await npmPackage(join(root, "pkg"), join(base, "node_modules/audience-gate"));
symlinkSync(join(root, "node_modules/@types"), join(base, "node_modules/@types"));

/** The blocks of a guide that are a file, which the line before names, and the others. @param {string} guide */
export function filesOf(guide) {
  const path = `docs/guides/${guide}.md`;
  const lines = readFileSync(join(root, path), "utf8").split("\n");
  /** @type {Record<string, string>} */
  const files = {};
  const unnamed = blocks(path).filter(({ line, language, text }) => {
    const name = /^`([\w./+-]+)`$/.exec(lines[line - 3] ?? "")?.[1];
    if (name) files[name] = text;
    return !name && language !== "sh";
  });
  return { files, unnamed };
}

/** What stands for the frameworks, which are not here: the few names that the guides take from them. */
const STANDS_IN = {
  "next.ts": "export const after = (work: () => unknown): void => void work();\n",
  "env.ts": (/** @type {Install} */ { url, key }) =>
    `export const PUBLIC_AUDIENCE_GATE_URL = "${url}";\nexport const PUBLIC_AUDIENCE_GATE_KEY = "${key}";\n`,
  "jsx.d.ts": "declare namespace JSX { interface IntrinsicElements { p: object; button: { onClick(): void } } }\n",
};

const TSCONFIG = {
  compilerOptions: {
    target: "es2022",
    module: "esnext",
    moduleResolution: "bundler",
    lib: ["es2023", "dom", "dom.iterable"],
    types: ["node"],
    jsx: "preserve",
    strict: true,
    noEmit: true,
    paths: {
      "@/*": ["./*"],
      "$lib/*": ["./src/lib/*"],
      "$env/static/public": ["./stands-in/env.ts"],
      "next/server": ["./stands-in/next.ts"],
    },
  },
};

/** @typedef {{ queue: string, url: string, key: string }} Install what is put in place of the guides' own words */

/** A folder with the files of a guide. @param {string} guide @param {Install} install */
export function inProject(guide, install) {
  const folder = join(base, guide);
  const write = (/** @type {string} */ name, /** @type {string} */ text) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  for (const [name, text] of Object.entries(filesOf(guide).files)) {
    const here = text.replaceAll("/var/lib/shop/audience-gate", install.queue)
      .replaceAll("https://YOUR-REF.supabase.co/functions/v1/ingest", install.url)
      .replaceAll("sb_publishable_YOUR-KEY", install.key);
    write(name, here);
    // Of a component, its script is what the compiler of TypeScript reads.
    const script = /<script lang="ts">\n([\s\S]*?)<\/script>/.exec(here)?.[1];
    if (name.endsWith(".svelte") && script) write(`${name}.ts`, script);
  }
  for (const [name, text] of Object.entries(STANDS_IN)) {
    write(`stands-in/${name}`, typeof text === "string" ? text : text(install));
  }
  write("tsconfig.json", JSON.stringify(TSCONFIG));
  return folder;
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** A folder, served as it is. @param {string} folder */
export async function serve(folder) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://127.0.0.1");
    const path = extname(pathname) === "" ? "/index.html" : pathname;
    if (!existsSync(join(folder, path))) return response.writeHead(404).end();
    const type = TYPES[/** @type {keyof typeof TYPES} */ (extname(path))] ?? "text/plain";
    response.writeHead(200, { "content-type": type }).end(readFileSync(join(folder, path)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
