/**
 * Run by `validate.mjs` under Deno: proves that all contenders reach the same verdicts and rows, then times them in
 * alternating rounds on identical bytes. Prints one JSON document.
 */
import { bodies, corpora, type Corpus, REQUEST } from "./corpus.ts";
import { assertSame } from "./same.ts";
import { contract, snapshot } from "./setting.ts";
import type { Contender } from "./contenders/types.ts";

const SIZES = [1, 10, 100, 1000];
const EVENTS = 2000;
const [folder, names, rounds] = [Deno.args[0], Deno.args[1].split(","), Number(Deno.args[2])];
const warmUp = Math.ceil(rounds / 3);

const decoder = new TextDecoder("utf-8", { fatal: true });
const runners = new Map<string, (body: Uint8Array) => unknown>();
const contenders = new Map<string, Contender>();
for (const name of names) {
  const { default: contender } = await import(`file://${folder}/${name}.mjs`) as { default: Contender };
  contender.load(snapshot, contract);
  contenders.set(name, contender);
  runners.set(name, (body) => contender.judge(body, REQUEST));
}
runners.set("JSON.parse", (body) => JSON.parse(decoder.decode(body)));

const all = corpora(EVENTS);
let compared = 0;
for (const corpus of all) {
  assertRefused(corpus);
  compared += assertSame(contenders, bodies(corpus, 100), REQUEST);
}

const cells = [];
for (const corpus of all) {
  for (const size of SIZES) cells.push({ corpus: corpus.name, size, ...time(corpus, size) });
}
console.log(JSON.stringify({ compared, cells, web: await timeWeb(all[3], 10), deno: Deno.version }));

/** A corpus is what its name says, also after the contract has changed. */
function assertRefused({ name, refused, events }: Corpus) {
  const [contender] = contenders.values();
  const rejected = bodies({ name, refused, events }, 1)
    .reduce((sum, body) => sum + contender.judge(body, REQUEST).rejected, 0) / events.length;
  const isSo = refused === 0 ? rejected === 0 : Math.abs(rejected - refused) < 0.02;
  if (!isSo) throw new Error(`${name}: ${rejected} of the events are rejected`);
}

/** For each runner: the median microseconds per event, and the median over the rounds of its ratio to the first. */
function time(corpus: Corpus, size: number) {
  const cut = bodies(corpus, size);
  const events = cut.length * size;
  const order = [...runners];
  const perEvent = new Map<string, number[]>(order.map(([name]) => [name, []]));
  for (let round = -warmUp; round < rounds; round++) {
    order.push(order.shift()!);
    for (const [name, run] of order) {
      const begun = performance.now();
      for (const body of cut) run(body);
      const micros = (performance.now() - begun) * 1000 / events;
      if (round >= 0) perEvent.get(name)!.push(micros);
    }
  }
  const base = perEvent.get(names[0])!;
  return {
    micros: Object.fromEntries([...perEvent].map(([name, each]) => [name, median(each)])),
    ratio: Object.fromEntries(
      [...perEvent].map(([name, each]) => [name, median(each.map((one, at) => one / base[at]))]),
    ),
  };
}

/** Times the contenders with e-mails hashed by WebCrypto against the first one, which needs no promise. */
async function timeWeb(corpus: Corpus, size: number) {
  const cut = bodies(corpus, size);
  const ratios = new Map<string, number[]>();
  for (let round = -2; round < Math.ceil(rounds / 4); round++) {
    let base = 0;
    for (const [name, contender] of contenders) {
      const begun = performance.now();
      for (const body of cut) {
        contender.judgeWeb ? await contender.judgeWeb(body, REQUEST) : contender.judge(body, REQUEST);
      }
      const taken = performance.now() - begun;
      if (name === names[0]) base = taken;
      else if (round >= 0) ratios.set(name, [...(ratios.get(name) ?? []), taken / base]);
    }
  }
  return {
    corpus: corpus.name,
    size,
    ratio: Object.fromEntries([...ratios].map(([name, each]) => [name, median(each)])),
  };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
