import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command, writable } from "./command.mjs";
import { root } from "./settings.mjs";

/** After this many seconds without any answer, the registry counts as unreachable. */
const PATIENCE = 15;

const UNREACHABLE = /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/;

/** `start` is what `npm start` needs, `tests` everything. @typedef {"start" | "tests"} Extent */

/**
 * The packages that package-lock.json asks for and that node_modules does not hold in the locked version.
 *
 * @param {Extent} extent
 */
export function missingPackages(extent) {
  const read = (/** @type {string} */ file) => JSON.parse(readFileSync(join(root, file), "utf8"));
  const held = (/** @type {string} */ folder) => {
    const manifest = join(folder, "package.json");
    return existsSync(join(root, manifest)) ? read(manifest).version : undefined;
  };
  return Object.entries(read("package-lock.json").packages)
    // Optional ones depend on the platform: the package that needs one fails without it, and names it.
    .filter(([folder, { optional, dev }]) =>
      /(^|\/)node_modules\//.test(folder) && !optional && (extent === "tests" || !dev)
    )
    .filter(([folder, { link, version }]) => link ? !existsSync(join(root, folder)) : held(folder) !== version)
    .map(([folder]) => folder);
}

/**
 * Makes sure that the npm packages are there. It uses npm, whichever program started this one.
 *
 * @param {Extent} extent
 * @param {import("./progress.mjs").Progress} progress
 */
export async function installPackages(extent, progress) {
  if (missingPackages(extent).length > 0) {
    refuseFolder();
    const what = extent === "start" ? "the packages that the stack needs" : "the packages that the tests need";
    await progress.long(`installing ${what} from npm, once`, (detail) => install(extent, detail));
  }
}

/** @param {Extent} extent @param {(text: string) => void} detail */
async function install(extent, detail) {
  const alreadyDevelops = existsSync(join(root, "node_modules", "typescript"));
  let answers = 0;
  const count = (/** @type {string} */ line) => {
    if (/^npm http (fetch GET \d|cache)/.test(line)) detail(`${answers += 1} fetched`);
  };
  // An installation makes hundreds of requests; beside them, this is one of which it is known how long it may take.
  const ping = npm(["ping", "--fetch-retries=0", `--fetch-timeout=${PATIENCE * 1000}`], count);
  const silence = new AbortController();
  const timer = setTimeout(async () => {
    await ping;
    if (answers === 0) silence.abort();
  }, PATIENCE * 1000);
  const { code, output } = await npm(
    [
      "install",
      "--no-audit",
      "--no-fund",
      "--no-save",
      "--prefer-offline",
      // By default, npm waits a minute between two attempts.
      "--fetch-retry-mintimeout=1000",
      "--fetch-retry-maxtimeout=5000",
      extent === "start" && !alreadyDevelops ? "--omit=dev" : "--include=dev",
    ],
    count,
    silence.signal,
  );
  clearTimeout(timer);
  if (code === 0 && missingPackages(extent).length === 0) return;
  const complaint = output.split("\n").filter((line) => /^npm error/.test(line)).join("\n");
  const unreachable = silence.signal.aborted ? "it does not answer" : UNREACHABLE.exec(complaint)?.[0];
  if (unreachable) {
    throw new Error(
      `packages are missing, and the npm registry cannot be reached (${unreachable}); connect to a network, or set npm's ` +
        "registry or proxy (npm config ls shows them), and run the same command again",
    );
  }
  throw new Error(`npm install failed:\n${complaint || output.trim()}`);
}

/** Refuses a folder into which npm cannot install. */
function refuseFolder() {
  const folder = join(root, "node_modules");
  if (existsSync(join(folder, ".modules.yaml"))) {
    throw new Error(
      `${folder} was made by pnpm, and npm cannot go on from there; remove it and run the same command again`,
    );
  }
  if (writable(folder)) return;
  throw new Error(
    `packages are missing, and ${folder} cannot be written to; copy the checkout to a folder of yours and run it there`,
  );
}

/** @param {string[]} args @param {(line: string) => void} line @param {AbortSignal} [signal] */
function npm(args, line, signal) {
  // The npm that runs this, or else, under another package manager or none, the npm on PATH.
  const own = /npm-cli\.js$/.test(process.env.npm_execpath ?? "") ? process.env.npm_execpath : undefined;
  const [program, first] = own ? [process.execPath, [own]] : ["npm", []];
  return command(program, [...first, ...args, "--loglevel=http"], { line, signal });
}
