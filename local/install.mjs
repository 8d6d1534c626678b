import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./settings.mjs";

/** Packages that package.json asks for and node_modules does not hold in the version locked. */
export function missingPackages() {
  const read = (/** @type {string} */ file) => JSON.parse(readFileSync(join(root, file), "utf8"));
  const wanted = Object.keys(read("package.json").dependencies ?? {});
  const locked = read("package-lock.json").packages ?? {};
  return wanted.filter((name) => {
    const manifest = join("node_modules", name, "package.json");
    return !existsSync(join(root, manifest)) || read(manifest).version !== locked[`node_modules/${name}`]?.version;
  });
}

/**
 * Installs what a fresh clone lacks. Only what the stack itself needs, unless more was installed before.
 *
 * @param {(message: string) => void} say
 */
export async function installPackages(say) {
  if (missingPackages().length === 0) return;
  const fresh = !existsSync(join(root, "node_modules"));
  say("installing packages (the first time only)");
  const { code, output } = await npm([
    "install",
    "--no-audit",
    "--no-fund",
    "--no-save",
    "--loglevel=error",
    ...(fresh ? ["--omit=dev"] : []),
  ]);
  if (code === 0 && missingPackages().length === 0) return;
  if (/EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/.test(output)) {
    throw new Error(
      "the first start installs its packages from the npm registry, which cannot be reached; " +
        "connect to a network (or set npm's registry or proxy) and run npm start again",
    );
  }
  throw new Error(`npm install failed:\n${output.trim()}`);
}

/** @param {string[]} args @returns {Promise<{ code: number | null, output: string }>} */
function npm(args) {
  return new Promise((resolve) => {
    // `npm start` says which npm it is; run by hand, the one on the path serves.
    const own = process.env.npm_execpath;
    const [command, first] = own ? [process.execPath, [own]] : ["npm", []];
    const child = spawn(command, [...first, ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32" && !own,
    });
    let output = "";
    child.stdout.on("data", (chunk) => output += chunk);
    child.stderr.on("data", (chunk) => output += chunk);
    child.on("error", (error) => resolve({ code: 127, output: error.message }));
    child.on("close", (code) => resolve({ code, output }));
  });
}
