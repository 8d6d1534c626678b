/** The measurements as a document. */
import { CONTENDERS } from "./bundle.mjs";

/** To read an accepted batch, judge it and write its rows is to take at most this part of what `JSON.parse` takes to read it. */
const PARSE_TARGET = 1.9;
const EARLY_TARGET = 4;
const [OURS, ...OTHERS] = Object.keys(CONTENDERS);
const nameOf = (/** @type {string} */ key) =>
  /** @type {Record<string, string>} */ (CONTENDERS)[key] ?? "`JSON.parse` alone";

const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const times = (/** @type {number} */ ratio) => `${ratio.toFixed(1)}×`;
const row = (/** @type {(string | number)[]} */ ...cells) => `| ${cells.join(" | ")} |`;
const table = (/** @type {string[]} */ head, /** @type {(string | number)[][]} */ rows) =>
  [row(...head), row(...head.map((_, at) => at === 0 ? "---" : "--:")), ...rows.map((cells) => row(...cells))].join(
    "\n",
  );

/** One measurement: how long ours took, and how many times as long the others took. @typedef {{ corpus: string, size: number, micros: Record<string, number>, ratio: Record<string, number> }} Cell */
/** What fresh processes took, in ms, by contender. @typedef {Record<string, { first: number[], early: number[] }>} Cold */
/** What `measure.ts` prints. @typedef {{ cells: Cell[], compared: number, web: Cell, deno: { deno: string, v8: string } }} Measured */

/** @param {{ shipped: Record<string, number>, cold: Cold, measured: Measured, rounds: number, processes: number, machine: string }} run */
export function render({ shipped, cold, measured, rounds, processes, machine }) {
  const { cells, compared, web, deno } = measured;
  const runners = [...OTHERS, "JSON.parse"];
  return `# The contract in WebAssembly against JavaScript validators

Written by \`npm run bench:validate\`. Deno ${deno.deno} (V8 ${deno.v8}), ${machine}. The machine's speed varies, so
**read the ratios**: each is the median over ${rounds} alternating rounds of one run, in one process, on identical bytes.

Before anything was timed, all contenders had reached the same verdicts, with every violated rule in the same order, and
the same rows to store, on ${compared.toLocaleString("en")} events.

Each starts from the bytes of a request body and ends with the bytes of the store's argument and of the answer: decode,
parse, judge by the whole contract, hash e-mails (\`node:crypto\`), record rejections redacted, serialise. The libraries
check shapes; what no schema can say (privacy, registry, time, states) is the same tuned code for all of them, as is the
explanation of a rejection. They are excused from what \`JSON.parse\` hides: keys named twice, and the length of a number.
Each is a bundle of its own, so that no shared closure slows another.

## How many times longer the others take

${
    cells.length === 0 ? "" : [...new Set(cells.map(({ corpus }) => corpus))].map((corpus) =>
      `### ${corpus}

${
        table(
          ["", "1 event a call", "10", "100", "1000"],
          [
            [
              `**${nameOf(OURS)}**, µs an event`,
              ...cells.filter((cell) => cell.corpus === corpus).map(({ micros }) => micros[OURS].toFixed(2)),
            ],
            ...runners.map((name) => [
              nameOf(name),
              ...cells.filter((cell) => cell.corpus === corpus).map(({ ratio }) => times(ratio[name])),
            ]),
          ],
        )
      }
`
    ).join("\n")
  }
With e-mails hashed by WebCrypto instead (${web.corpus}, ${web.size} events a call): ${
    Object.entries(web.ratio).map(([name, ratio]) => `${nameOf(name)} ${times(ratio)}`).join(", ")
  }.

## What a short-lived isolate sees

Fresh processes, ${processes} each, medians: from the import to the first verdict, and the mean of calls 2 to 11, one event each.

${
    table(
      ["", "first verdict, ms", "calls 2–11, µs", "calls 2–11, ratio", "bundle, bytes of brotli"],
      [OURS, ...OTHERS].map((name) => [
        nameOf(name),
        median(cold[name].first).toFixed(1),
        (median(cold[name].early) * 1000).toFixed(0),
        times(median(cold[name].early.map((one, at) => one / cold[OURS].early[at]))),
        shipped[name].toLocaleString("en"),
      ]),
    )
  }

## Targets

${table(["", "target", "lowest seen", ""], verdicts({ cells, cold }))}
`;
}

/** What the history keeps: our own time, how many times longer the others take, and our size. @param {{ cells: Cell[], shipped: Record<string, number> }} run */
export function figures({ cells, shipped }) {
  const better = { lower: /** @type {const} */ ("lower"), higher: /** @type {const} */ ("higher") };
  return Object.fromEntries([
    ...cells.flatMap(({ corpus, size, micros, ratio }) => [
      [`${corpus}, ${size} a call, µs an event`, { value: micros[OURS], better: better.lower }],
      ...Object.entries(ratio).filter(([name]) => name !== OURS)
        .map(([name, value]) => [`${corpus}, ${size} a call, ${name}, times longer`, { value, better: better.higher }]),
    ]),
    ["module and script, bytes of brotli", { value: shipped[OURS], better: better.lower }],
  ]);
}

/** Every target with the worst figure of the run. @param {{ cells: Cell[], cold: Cold }} run */
function verdicts({ cells, cold }) {
  const worst = (/** @type {string[]} */ names, /** @type {(cell: Cell) => boolean} */ of) =>
    Math.min(...cells.filter(of).flatMap(({ ratio }) => names.map((name) => ratio[name])));
  const rows = [
    { what: "every contender in every cell", target: 1, seen: worst(OTHERS, () => true) },
    {
      what: `${nameOf("JSON.parse")}, accepted batches`,
      target: PARSE_TARGET,
      seen: worst(["JSON.parse"], ({ corpus, size }) => corpus.endsWith("all accepted") && size > 1),
    },
  ];
  const early = OTHERS.map((name) => median(cold[name].early.map((one, at) => one / cold[OURS].early[at])));
  rows.push({ what: "calls 2–11 of a fresh process, every contender", target: EARLY_TARGET, seen: Math.min(...early) });
  return rows.map((
    { what, target, seen },
  ) => [what, `${target}×`, times(seen), seen >= target ? "met" : "**not met**"]);
}
