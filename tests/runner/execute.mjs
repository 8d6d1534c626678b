import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { counted } from "./counts.mjs";
import { root } from "./paths.mjs";
import { processorSeconds } from "./processor.mjs";

const logs = join(root, ".local", "test-logs");

/** A part that hangs this long is ended and fails, so that one stuck browser cannot use up a whole run. */
const LIMIT_SECONDS = Number(process.env.SUITE_LIMIT_SECONDS ?? 1800);

/** Process groups that are running now. They are ended with this process, so that no server outlives a Ctrl-C. @type {Set<number>} */
const running = new Set();

/** Without FORCE_COLOR: colours would hide the counts in the output, and Deno takes even FORCE_COLOR=0 as a wish. */
function plain() {
  const { FORCE_COLOR: _, ...environment } = process.env;
  return { ...environment, NO_COLOR: "1" };
}

/** @typedef {import("./suites.mjs").Suite} Suite */
/** @typedef {{ suite: Suite, command: string[] }} Part a suite's, and what runs it */
/** @typedef {{ command: string[], passed: number, failed: number, skipped: number, seconds: number, processor: number, output: string, log: string }} Outcome */

/**
 * Runs a part of a suite in its own process group, and keeps everything it prints in a log.
 *
 * @param {Part} part
 * @param {(line: string) => void} onLine the last line printed, for the progress display
 * @returns {Promise<Outcome>}
 */
export function execute(part, onLine) {
  const { suite } = part;
  const limit = suite.seconds ?? LIMIT_SECONDS;
  mkdirSync(logs, { recursive: true });
  const log = join(logs, `${nameOf(part)}.log`);
  const file = createWriteStream(log);
  const started = performance.now();
  const [command, ...args] = part.command;
  const child = spawn(command, args, {
    cwd: suite.cwd ?? root,
    env: { ...plain(), ...suite.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  if (child.pid !== undefined) running.add(child.pid);

  let output = "";
  let processor = NaN;
  const take = (/** @type {Buffer} */ chunk) => {
    const text = chunk.toString("utf8");
    output += text;
    file.write(text);
    const line = text.trimEnd().split("\n").at(-1);
    if (line) onLine(line.trim());
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);

  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      take(Buffer.from(`\nended: no result after ${limit} s\n`));
      endGroup(child.pid);
    }, limit * 1000);

    const finish = (/** @type {number | null} */ code) => {
      clearTimeout(timer);
      if (child.pid !== undefined) running.delete(child.pid);
      file.end();
      resolve({
        command: part.command,
        ...counted(suite.reader, output, code),
        seconds: (performance.now() - started) / 1000,
        processor,
        output,
        log,
      });
    };
    child.on("error", (error) => {
      take(Buffer.from(`${command}: ${error.message}\n`));
      finish(127);
    });
    // A process that a part left running, such as a forgotten server, must neither disturb the next one nor hold the
    // output open.
    child.on("exit", () => {
      processor = processorSeconds();
      endGroup(child.pid);
    });
    child.on("close", finish);
  });
}

/** After the suite, and where a suite has several parts after the file that the part runs. @param {Part} part */
export function nameOf({ suite, command }) {
  const words = suite.commands.length > 1 ? [suite.name, basename(command.at(-1) ?? "", ".test.mjs")] : [suite.name];
  return words.join(" ").replace(/[^\w.-]+/g, "-");
}

/** @param {number | undefined} group */
function endGroup(group) {
  if (group === undefined) return;
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // The group is already gone, which is what was wanted.
  }
}

export function endAll() {
  for (const group of running) endGroup(group);
}
