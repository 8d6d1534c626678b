import { loadavg } from "node:os";
import { RECORDS, TABLES } from "./tables.mjs";

/** What an update may take, as a multiple of an untracked one, and how many milliseconds an answer may. */
const BARS = { alone: 1.03, moved: 1.6, question: 100, report: 2000 };

const number = (/** @type {number} */ value) => value.toLocaleString("en");
const ms = (/** @type {number} */ value) => value < 100 ? value.toFixed(1) : number(Math.round(value));

/** @param {string[]} head @param {string[][]} body */
const table = (head, body) =>
  [head, head.map((_, i) => i ? "---:" : "---"), ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** @param {import("./costs.mjs").Compared[]} compared @param {"processor" | "answer"} what */
function beside(compared, what) {
  const [base, ...names] = Object.keys(TABLES);
  return table(
    ["", `${TABLES.unwatched}, µs`, ...names.map((name) => TABLES[/** @type {keyof typeof TABLES} */ (name)])],
    compared.map(({ title, of }) => [
      title,
      number(Math.round(of[base][what])),
      ...names.map((name) => (of[name][what] / of[base][what]).toFixed(2)),
    ]),
  );
}

/**
 * The report, and which bars are missed.
 *
 * @param {{
 *   durable: import("./costs.mjs").Compared[], volatile: import("./costs.mjs").Compared[],
 *   answered: import("./questions.mjs").Answered[], records: number, machine: string
 * }} measured
 */
export function render({ durable, volatile, answered, records, machine }) {
  const viewers = Object.keys(answered[0].of);
  const faults = answered.flatMap(({ question, isReport, of }) => {
    const most = isReport ? BARS.report : BARS.question;
    return viewers.filter((viewer) => of[viewer].processor > most).map((viewer) =>
      `${question}, asked by the ${viewer}: ${ms(of[viewer].processor)} ms, may be ${most} ms`
    );
  });
  const bars = { "an update that leaves the stage alone": BARS.alone, "an update that moves a record": BARS.moved };
  for (const [change, most] of Object.entries(bars)) {
    const { of } = /** @type {import("./costs.mjs").Compared} */ (durable.find(({ title }) => title === change));
    const ratio = of.tracked.answer / of.unwatched.answer;
    if (ratio > most) faults.push(`${change}: ${ratio.toFixed(2)} times as long, may be ${most}`);
  }
  const text = `<!-- \`npm run bench:lifecycles\` writes this; do not edit it. -->

# What a history costs, and how fast it answers

Throwaway Postgres 17, ${machine}, load average ${loadavg()[2].toFixed(1)}: other work shared the machine, so that
answers took longer than their processor time, which is that of the server's process alone.

## A change

Tables of ${
    number(RECORDS)
  } records, as the document defines them, take the same statements in turn, each a transaction of
its own. What a caller waits for, with \`fsync\` on as in any project, as a multiple of the table that nobody watches (medians):

${beside(durable, "answer")}

The processor time of that:

${beside(durable, "processor")}

And with \`fsync\` off, when it is shortest:

${beside(volatile, "processor")}

What a caller waits for may be ${BARS.alone} for an update that leaves the stage alone, and ${BARS.moved} for one that moves a
record. Of the processor alone, a move takes more: so it does with the document's own trigger, which keeps no order, lets the
owner write history and names nobody who is not signed in. The last column is the least that a trigger can do: it appends
four values to a table without a key, an index or a reference. Through the API, a change is what PostgREST sends for somebody
who is signed in.

## A question

${number(records)} records with ${
    number(records * 10)
  } events, ten months of a move each, so that a report over a month reads
${
    number(records)
  }. Milliseconds until the answer, and in brackets those of the processor (medians of three), for the owner
of the table; for somebody who sees all records by a policy \`using (true)\`; and for somebody who sees one in a hundred, by a
policy that compares a column. The figures in brackets are held to what they may be.

${
    table(
      ["", "owner", "sees all", "sees one in 100", "may be"],
      answered.map(({ question, isReport, of }) => [
        question,
        ...viewers.map((viewer) => `${ms(of[viewer].answer)} (${ms(of[viewer].processor)})`),
        `≤ ${number(isReport ? BARS.report : BARS.question)}`,
      ]),
    )
  }
`;
  return { text, faults };
}
