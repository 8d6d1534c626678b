import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after } from "node:test";
import { onPath } from "../../local/command.mjs";
import { root, temporaryFolder } from "./launch.mjs";

/** The variables that describe a machine: its programs and languages, and its way to the network. */
const MACHINE =
  /^(PATH|LANG|LC_.*|TMPDIR|USER|PG_BIN|CHROMIUM|JAVA_HOME|PIP_.*|CARGO_.*|RUSTUP_.*|.*_proxy|.*CA_CERTS|SSL_CERT_.*|npm_config_(registry|cafile|proxy|https_proxy|noproxy))$/i;

/** A command that takes longer than this is taken to hang. */
const LIMIT_SECONDS = 900;

/** Set for what runs in a clone, so that a clone that nobody ended does not make clones of its own. */
const INSIDE = "AUDIENCE_GATE_IN_CLONE";

/**
 * A clone of what is committed here, in a folder with a name that scripts stumble over.
 *
 * @param {import("node:test").TestContext} t @param {string} [folder] to put it in
 */
export function cloned(t, folder = temporaryFolder(t)) {
  if (process.env[INSIDE]) {
    throw new Error("this is a clone made by this very test, which ends it before it comes here");
  }
  const clone = join(folder, "Übung 1 (Kopie)");
  execFileSync("git", ["clone", "--quiet", "--depth=1", `file://${root}`, clone]);
  return clone;
}

/**
 * The environment of a newcomer: an empty HOME with npm's cache in it, and none of the variables that the npm which
 * runs this test has set. A newcomer brings Rust, so the folders of rustup and cargo stay as they are.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function newcomer() {
  const home = mkdtempSync(join(tmpdir(), "audience-gate-home-"));
  after(() => rmSync(home, { recursive: true, force: true }));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => MACHINE.test(name)));
  const path = (env.PATH ?? "").split(delimiter).filter((folder) => !/node_modules|node-gyp-bin/.test(folder));
  return {
    RUSTUP_HOME: join(homedir(), ".rustup"),
    CARGO_HOME: join(homedir(), ".cargo"),
    PIP_CACHE_DIR: join(homedir(), ".cache", "pip"),
    npm_config_userconfig: join(homedir(), ".npmrc"),
    ...env,
    npm_config_cache: join(home, ".npm"),
    HOME: home,
    [INSIDE]: "1",
    PATH: path.join(delimiter),
  };
}

/** A PATH with these programs and no others. @param {import("node:test").TestContext} t @param {string[]} programs */
export function pathOf(t, ...programs) {
  const folder = join(temporaryFolder(t), "bin");
  mkdirSync(folder);
  for (const name of programs) symlinkSync(/** @type {string} */ (onPath(name)), join(folder, name));
  return folder;
}

/**
 * Runs a command to its end, or until it has said or done enough, and then ends everything that it started.
 *
 * @param {import("node:test").TestContext} t
 * @param {string[]} command
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, enough?: (said: string) => boolean, uid?: number }} options
 * @returns {Promise<{ code: number | null, said: string, seconds: number, enough: boolean }>}
 */
export function watch(t, [program, ...args], { cwd, env, enough, uid }) {
  const began = performance.now();
  const child = spawn(program, args, { cwd, env, uid, gid: uid, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const end = (/** @type {NodeJS.Signals} */ signal) => {
    try {
      process.kill(-(child.pid ?? 0), signal);
    } catch {
      // No process of the group is left.
    }
  };
  t.after(() => end("SIGKILL"));
  let said = "";
  let satisfied = false;
  const look = enough && setInterval(() => {
    satisfied ||= enough(said);
    // Not SIGKILL, because the runner passes SIGTERM on to its suites, which are groups of their own.
    if (satisfied) end("SIGTERM");
  }, 100);
  const late = setTimeout(() => {
    said += `\nended: not done after ${LIMIT_SECONDS} s\n`;
    end("SIGTERM");
  }, LIMIT_SECONDS * 1000);
  child.stdout.setEncoding("utf8").on("data", (chunk) => said += chunk);
  child.stderr.setEncoding("utf8").on("data", (chunk) => said += chunk);
  return new Promise((resolve) =>
    child.once("close", (code) => {
      clearInterval(look);
      clearTimeout(late);
      resolve({ code, said, seconds: (performance.now() - began) / 1000, enough: satisfied });
    })
  );
}
