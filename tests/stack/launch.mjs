import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publishableKey, secretKey } from "../../local/settings.mjs";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * @typedef {object} Launched
 * @property {string} url
 * @property {number} pid
 * @property {number} seconds from the command to the greeting
 * @property {string} said everything it printed
 * @property {(signal: NodeJS.Signals) => Promise<number | null>} end its exit code; null if the signal took it
 */

/** Seconds on an idle machine: one with other work gets proportionally more. @param {number} seconds */
export const within = (seconds) => seconds * Math.max(1, loadavg()[0] / availableParallelism());

/** A folder that is removed when the test is over. @param {import("node:test").TestContext} t */
export function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-stack-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * A port that nobody listens on, below those that systems give to connections by themselves. It is taken seconds later, so
 * it is any of thousands: suites run side by side.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (let tries = 0; tries < 20; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error("no free port from 20000 to 29999");
}

/**
 * Runs `npm start`'s program and waits until it greets.
 *
 * @param {import("node:test").TestContext} t
 * @param {string[]} args
 * @param {{ command?: string[], cwd?: string, env?: NodeJS.ProcessEnv, uid?: number }} [options]
 * @returns {Promise<Launched>}
 */
export async function launch(
  t,
  args,
  { command = ["node", "local/start.mjs"], cwd = root, env = process.env, uid } = {},
) {
  const began = performance.now();
  const child = spawn(command[0], [...command.slice(1), ...args], {
    cwd,
    env,
    uid,
    gid: uid,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const group = (/** @type {NodeJS.Signals} */ signal) => {
    try {
      process.kill(-(child.pid ?? 0), signal);
    } catch {
      // No process of the group is left.
    }
  };
  const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  t.after(() => group("SIGKILL"));
  let said = "";
  const greeted = new Promise((resolve) => {
    const take = (/** @type {Buffer} */ chunk) => {
      said += chunk.toString("utf8");
      if (said.includes("Stop with Ctrl-C")) resolve(true);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
  });
  const up = await Promise.race([greeted, ended.then(() => false)]);
  if (!up) throw new Error(`it ended before it was up:\n${said}`);
  return {
    url: /Events go to\s+(http:\/\/[\d.]+:\d+)/.exec(said)?.[1] ?? "",
    pid: child.pid ?? 0,
    seconds: (performance.now() - began) / 1000,
    said,
    end: (signal) => {
      // Ctrl-C reaches the whole group of a terminal, and npm passes no signal on.
      if (command[0] === "npm") group(signal);
      else child.kill(signal);
      return /** @type {Promise<number | null>} */ (ended);
    },
  };
}

/** Runs it to its end, for starts that must fail. @param {string[]} args @returns {Promise<{ code: number | null, said: string }>} */
export function launchAndFail(args) {
  const child = spawn("node", ["local/start.mjs", ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (chunk) => said += chunk);
  child.stderr.on("data", (chunk) => said += chunk);
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, said })));
}

/** @param {string} url @param {unknown} body @param {string} [key] */
export async function ingest(url, body, key = publishableKey) {
  const response = await fetch(`${url}/functions/v1/ingest`, {
    method: "POST",
    headers: { apikey: key, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: await response.json() };
}

/** @param {string} url @param {string} path @param {Record<string, string>} [headers] */
export async function rest(url, path, headers = { apikey: secretKey }) {
  const response = await fetch(`${url}/rest/v1/${path}`, { headers });
  return { status: response.status, answer: await response.json() };
}

/** @param {Record<string, unknown>} [more] */
export function view(more = {}) {
  return {
    id: crypto.randomUUID(),
    session_id: `stack-${crypto.randomUUID()}`,
    event_type: "content_view",
    event_category: "engagement",
    event_source: "web",
    metadata: { content_id: "stack", duration_seconds: 30 },
    ...more,
  };
}
