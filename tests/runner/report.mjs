import { relative } from "node:path";
import { durations } from "./counts.mjs";
import { root } from "./paths.mjs";

/** @typedef {import("./schedule.mjs").Result} Result */
/** @typedef {import("./execute.mjs").Part} Part */

/** What a person watches: one rewritten line on a terminal; elsewhere a line per finished suite, and one every minute. */
export class Progress {
  #total;
  #done = 0;
  #since = performance.now();
  /** @type {Map<Part, string>} */
  #running = new Map();
  #terminal = process.stdout.isTTY && !process.env.CI;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  constructor(/** @type {number} */ total) {
    this.#total = total;
    this.#timer = setInterval(() => this.#draw(), this.#terminal ? 200 : 60_000);
  }

  started(/** @type {Part} */ part) {
    this.#running.set(part, "");
  }

  line(/** @type {Part} */ part, /** @type {string} */ text) {
    this.#running.set(part, text);
  }

  ended(/** @type {Part} */ part) {
    this.#running.delete(part);
  }

  /** A suite, once its last part has ended. */
  finished(/** @type {Result} */ result) {
    this.#done += 1;
    this.#clear();
    const mark = result.failed > 0 ? "FAILED" : "ok";
    console.log(
      `[${this.#done}/${this.#total}] ${mark.padEnd(6)} ${result.suite.name} · ${sentence(result)} · ${
        result.seconds.toFixed(1)
      } s`,
    );
    for (const { output, log } of result.parts.filter(({ failed }) => failed > 0)) {
      console.log(indent(tail(output)));
      console.log(`         the whole output: ${relative(root, log)}`);
    }
  }

  end() {
    clearInterval(this.#timer);
    this.#clear();
  }

  #clear() {
    if (this.#terminal) process.stdout.write("\r\x1b[2K");
  }

  #draw() {
    const running = [...this.#running].map(([{ suite }, line]) => line ? `${suite.name}: ${line}` : suite.name).join(
      " | ",
    );
    const seconds = Math.round((performance.now() - this.#since) / 1000);
    const text = `[${this.#done}/${this.#total}] ${seconds} s · ${running}`;
    const line = text.slice(0, (process.stdout.columns ?? 160) - 1);
    process.stdout.write(this.#terminal ? `\r\x1b[2K${line}` : `${line}\n`);
  }
}

/** How long a whole run may take on two idle cores, with a warm cache. */
const LIMIT_SECONDS = 15 * 60;
const OVER = `longer than ${
  LIMIT_SECONDS / 60
} minutes: if this machine had nothing else to do, give its slowest tests a short form. These are:`;
const MOST_NAMED = 20;

const SHORT = "Each test ran in its short form; npm test -- --long runs every one in its long form.";

/** @param {Result[]} results */
function slowest(results) {
  return results.flatMap(({ suite, parts }) =>
    parts.flatMap(({ output }) => durations(output)).map(([name, seconds]) => ({
      seconds,
      text: `${suite.name}: ${name}`,
    }))
  )
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, MOST_NAMED)
    .map(({ seconds, text }) => `${seconds.toFixed(1).padStart(8)} s  ${text}`);
}

/**
 * The table of suites, and the closing line that machines read.
 *
 * @param {Result[]} results
 * @param {number} elapsed seconds of the whole run, in which suites run side by side
 */
export function summary(results, elapsed) {
  const width = Math.max(9, ...results.map(({ suite }) => suite.name.length));
  const row = (/** @type {(string | number)[]} */ [name, ...cells]) =>
    String(name).padEnd(width) +
    cells.map((cell) => String(cell).padStart(11)).join("");
  const total = (/** @type {"passed" | "failed" | "skipped"} */ key) =>
    results.reduce((sum, result) => sum + result[key], 0);

  const short = results.some(({ suite }) => suite.long === false);
  const processor = results.reduce((sum, result) => sum + result.processor, 0);
  const figure = (/** @type {number} */ number) => Number.isNaN(number) ? "" : number.toFixed(1);
  const lines = [
    "",
    row(["suite", "passed", "failed", "skipped", "seconds", "processor"]),
    ...results.map(({ suite, passed, failed, skipped, seconds, processor }) =>
      row([suite.name, passed, failed, skipped, figure(seconds), figure(processor)])
    ),
    row(["whole run", "", "", "", figure(elapsed), figure(processor)]),
    ...(elapsed > LIMIT_SECONDS && short ? ["", OVER, ...slowest(results)] : []),
    ...(short ? ["", SHORT] : []),
    "",
  ];
  const skipped = total("skipped");
  const closing = `${total("passed")} passed, ${total("failed")} failed`;
  return [
    ...lines,
    skipped > 0 ? `${closing}, ${skipped} skipped` : closing,
  ].join("\n");
}

function sentence(/** @type {Result} */ { passed, failed, skipped }) {
  return [
    `${passed} passed`,
    failed > 0 ? `${failed} failed` : "",
    skipped > 0 ? `${skipped} skipped` : "",
  ].filter(Boolean).join(", ");
}

/** The end of what a failing part printed; continuous integration keeps no logs, so there it is longer. */
function tail(/** @type {string} */ output) {
  const lines = output.trimEnd().split("\n");
  return lines.slice(-(process.env.CI ? 400 : 60)).join("\n");
}

function indent(/** @type {string} */ text) {
  return text.replace(/^/gm, "         ");
}
