import { cpus, loadavg } from "node:os";

export const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[values.length >> 1];
export const number = (/** @type {number} */ value) => value.toLocaleString("en");
const ms = (/** @type {number} */ value) => value < 100 ? value.toFixed(1) : number(Math.round(value));
const seconds = (/** @type {number} */ value) => `${(value / 1000).toFixed(1)} s`;
const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 2 ** 30).toFixed(2)} GB`;

/** @param {Record<string, number[]>} times @param {string} name @param {string} other */
const beside = (times, name, other) =>
  `${ms(median(times[name]))} (${median(times[name].map((took, i) => took / times[other][i])).toFixed(2)})`;

/** @param {string[]} head @param {unknown[][]} body */
const table = (head, body) =>
  [head, head.map((_, i) => i ? "---:" : "---"), ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** What bench/partitions.mjs measured, as Markdown. @param {Record<string, any>} measured */
export function report({ asked, settings, sizes, turns, steps, sender, reads }) {
  const { tally, batches } = sender;
  const { few, many, batch, rounds } = asked;
  const during = (/** @type {string} */ name) =>
    batches.filter((/** @type {{ phase: string }} */ { phase }) => phase === name).map((
      /** @type {{ ms: number }} */ b,
    ) => b.ms);
  const { alone, parted, direct } = turns;
  return [
    `${number(many)} rows over ${asked.months} months, Postgres 17, ${cpus().length} cores, load average ${
      loadavg()[1].toFixed(1)
    } at the end;`,
    `fsync off, ${Object.entries(settings).map((setting) => setting.join(" ")).join(", ")}.`,
    "",
    `Events came in all the time, ${number(Math.round(tally.sent / tally.seconds))} a second in batches of ${batch}: ${
      number(tally.sent)
    } sent =`,
    `${number(tally.accepted)} accepted + ${number(tally.replayed)} replayed + ${
      number(tally.rejected)
    } rejected, in the`,
    `answers and in the tables; ${tally.retries} batches were sent again after an error. The ${
      number(many)
    } rows have the`,
    "hash they had.",
    "",
    table(
      ["step", "took", "batch, median ms", "longest ms"],
      steps.map((/** @type {[string, number]} */ [name, took]) => {
        const own = during(name);
        return [name, seconds(took), ...(own.length > 0 ? [ms(median(own)), ms(Math.max(...own))] : ["", ""])];
      }),
    ),
    "",
    `From one sender and nothing else going on: ${rounds} batches of ${batch} each by turns, median ms, and in brackets the`,
    "median of the ratios to the row above in one turn. Warm is a log that has taken events for a while, cold is right after",
    "a checkpoint. Ids are of version 7, as the tracker and the gate make them, except in the column that says otherwise.",
    "",
    table(["log", "batch, warm", "batch, cold", "batch, warm, random ids", "direct INSERT, warm"], [
      [
        `one table, ${number(few)} rows`,
        ...[alone.warm, alone.cold, alone.random].map(({ few }) => ms(median(few))),
        "",
      ],
      [
        `one table, ${number(many)} rows`,
        ...[alone.warm, alone.cold, alone.random].map((times) => beside(times, "many", "few")),
        "",
      ],
      [
        `one table, ${number(few)} rows, after the move`,
        ...[parted.warm, parted.cold, parted.random, direct].map((times) => ms(median(times.few))),
      ],
      [
        `partitioned, ${number(few)} rows`,
        ...[parted.warm, parted.cold, parted.random, direct].map((times) => beside(times, "fewParted", "few")),
      ],
      [
        `partitioned, ${number(many)} rows`,
        ...[parted.warm, parted.cold, parted.random, direct].map((times) => beside(times, "many", "fewParted")),
      ],
    ]),
    "",
    table(
      ["with indexes", "log", "keys"],
      Object.entries(sizes).map(([name, { log, keys }]) => [name, gigabytes(log), keys > 0 ? gigabytes(keys) : ""]),
    ),
    "",
    table(
      ["read", "one table, ms", "partitioned, ms"],
      reads.before.map((/** @type {[string, number]} */ [name, took], /** @type {number} */ i) => [
        name,
        ms(took),
        ms(reads.after[i][1]),
      ]),
    ),
  ].join("\n");
}
