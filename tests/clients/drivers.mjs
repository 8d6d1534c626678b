/** The clients, each in a process of its own that takes commands and can be killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { npmPackage } from "../../build/npm.mjs";
import { secretKey } from "../../local/settings.mjs";
import { root } from "../runner/paths.mjs";

/**
 * @typedef {{ id?: string, report?: Record<string, number>, verdict?: Verdict, error?: string, message?: string, status?: number, code?: string }} Said
 * @typedef {{ id: string, status: string, replayed: boolean, rule_id: string | null, reason: string, violations: unknown[] }} Verdict
 * @typedef {{ url?: string, key?: string, options?: { maxEvents?: number }, told?: () => void }} Settings `key` and `url`: "" for none; `told`: at each verdict
 */

export const base = mkdtempSync(join(tmpdir(), "audience-gate-clients-"));
process.on("exit", () => rmSync(base, { recursive: true, force: true }));
const packaged = join(base, "node_modules", "audience-gate");
await npmPackage(join(root, "pkg"), packaged);

const here = (/** @type {string} */ name) => join(root, "tests/clients", name);

/** How each is started. @satisfies {Record<string, string[]>} */
const COMMANDS = {
  node: [process.execPath, here("drive.mjs"), join(packaged, "client/client.js")],
  python: ["python3", here("drive.py")],
  php: ["php", here("drive.php")],
};

/** @typedef {keyof typeof COMMANDS} Language */
export const LANGUAGES = /** @type {Language[]} */ (Object.keys(COMMANDS));

/** @param {Language} language @param {string} queue @param {Settings} settings */
export function start(language, queue, { url = "", key = secretKey, options = {}, told = () => {} }) {
  const [program, ...args] = COMMANDS[language];
  const child = spawn(program, [...args, queue, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      PYTHONPATH: join(root, "clients/python/src"),
      PYTHONDONTWRITEBYTECODE: "1",
      AUDIENCE_GATE_URL: url,
      AUDIENCE_GATE_KEY: key,
    },
  });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text) => complaints += text);
  // A process that is killed takes no more commands.
  child.stdin.on("error", () => {});
  const exited = once(child, "close");
  /** @type {Verdict[]} */
  const verdicts = [];
  /** @type {((said: Said) => void)[]} */
  const asked = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    /** @type {Said} */
    const said = JSON.parse(line);
    if (said.verdict) {
      verdicts.push(said.verdict);
      told();
    } else asked.shift()?.(said);
  });
  exited.then(() => asked.splice(0).forEach((tell) => tell({ error: "ended", message: complaints })));

  return {
    verdicts,
    complaints: () => complaints,
    /** @param {{ track: unknown } | { flush: number }} command @returns {Promise<Said>} `error` is "ended" if it was killed before it answered */
    ask: (command) =>
      new Promise((resolve) => {
        asked.push(resolve);
        child.stdin.write(`${JSON.stringify(command)}\n`);
      }),
    kill: () => child.kill("SIGKILL"),
    end: async () => {
      child.stdin.end();
      await exited;
    },
    exited,
  };
}
