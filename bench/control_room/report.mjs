/** `bench/CONTROL_ROOM.md`: what was measured, with its bars. */
import { loadavg } from "node:os";
import { machine } from "../history.mjs";

/** @typedef {import("./speed.mjs").Speed} Speed */
/** @typedef {import("./pictures.mjs").Done} Done */
/** @typedef {[name: string, value: number, most: number, unit: string]} Line */

const BARS = { answers: 150, change: 200, requests: 2, task: 50, shift: 0.1 };

export const median = (/** @type {number[]} */ values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** @param {Speed} speed @returns {Line[]} */
export function lines({ first, changes, narrowed, idle }) {
  const of = (/** @type {"answers" | "shown" | "all"} */ key) => median(first.map((one) => one[key]));
  const shown = changes.map((change) => change.shown);
  return [
    ["the first screen answers", of("answers"), BARS.answers, "ms"],
    ["its figures are drawn", of("shown"), Infinity, "ms"],
    ["every panel of the page is drawn", of("all"), Infinity, "ms"],
    ["a change of the filters is on the screen, median", median(shown), BARS.change, "ms"],
    ["the slowest of them", Math.max(...shown), Infinity, "ms"],
    ["to choose a campaign, median", median(narrowed.map(({ shown }) => shown)), BARS.change, "ms"],
    ["a change is in every panel of the page, median", median(changes.map(({ all }) => all)), Infinity, "ms"],
    ["the longest task of opening it, median", median(first.map(({ longest }) => longest)), BARS.task, "ms"],
    ["the longest task of a change, median", median(changes.map(({ longest }) => longest)), BARS.task, "ms"],
    ["the longest task of all", Math.max(...[...first, ...changes].map(({ longest }) => longest)), BARS.task, "ms"],
    ["how far things move while it opens", Math.max(...first.map(({ shift }) => shift)), BARS.shift, ""],
    ["requests a minute of a tab that nobody watches", idle.requests / idle.minutes, BARS.requests, ""],
  ];
}

/** @param {Speed} speed @param {{ events: number, version: string }} site */
export function speedText(speed, { events, version }) {
  const { first, changes, narrowed, watched } = speed;
  const over = changes.filter(({ shown }) => shown > BARS.change).length;
  return `## What somebody waits for

${
    events.toLocaleString("en")
  } events of one site over 90 days on Postgres ${version}, \`fsync\` on; the API of the local stack in front of it, and
Chromium at 1280 × 800, all on one machine: ${machine()}, load average ${
    loadavg()[0].toFixed(1)
  } at the end. The page was
opened ${first.length} times, and its filters changed ${changes.length} times, to ranges from a day to a year and to each tier; ${over} changes
took longer than the bar. A campaign that brought a quarter of the visits was on the screen, by the range, in
${
    narrowed.map(({ what, shown }) => `${Math.round(shown)} ms (${what.split(",")[0]})`).join(", ")
  }. A task that takes longer than 50 ms counts as long; 0 is a run without one.

| | measured | may be |
|---|---:|---:|
${
    lines(speed).map(([name, value, most, unit]) =>
      `| ${name} | ${shortened(value)}${unit && ` ${unit}`} | ${
        most === Infinity ? "" : `${most}${unit && ` ${unit}`}`
      } |`
    ).join("\n")
  }

For ${watched.minutes} minutes after the last sign of somebody a tab is watched: it then asked ${
    (watched.requests / watched.minutes).toFixed(1)
  } times a minute, and nothing more after that until
somebody returns. The panels on the screen ask first, and the others after them, three at a time.
`;
}

/** @param {Done[]} tasks */
export function tasksText(tasks) {
  const looks = ["desktop-light", "desktop-dark", "phone-light", "phone-dark"];
  const pictures = (/** @type {string} */ name) =>
    looks.map((look) => `[${look.replace("-", ", ")}](control-room/${name}-${look}.jpg)`).join(" · ");
  return `## Ten tasks of a team

Done by a script on the local stack with its demo, in a real browser, by what is seen on the page: each begins at the figures,
where the owner has just signed in, and what was read or done is compared with the database. A click is also a choice of a
list, or a key; a field is filled as a whole. The seconds are the page's own: nobody reads or thinks in them.

| task | clicks | fields | seconds | answer | where it ended |
|---|---:|---:|---:|---|---|
${
    tasks.map(({ name, asks, clicks, fields, seconds, answer, right }) =>
      `| ${asks} | ${clicks} | ${fields} | ${seconds.toFixed(1)} | ${right ? "" : "wrong: "}\`${answer}\` | ${
        pictures(name)
      } |`
    ).join("\n")
  }
`;
}

const shortened = (/** @type {number} */ value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });

/** What is wrong or over its bar, one line each. @param {Done[]} tasks @param {Speed} speed */
export const faults = (tasks, speed) => [
  ...tasks.filter(({ right }) => !right).map(({ asks, answer }) => `${asks} ${answer} is not what the database says`),
  ...lines(speed).filter(([, value, most]) => !(value <= most)).map(([name, value, most, unit]) =>
    `${name}: ${shortened(value)} ${unit}, may be ${most}`
  ),
];
