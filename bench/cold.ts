/** Run by `validate.mjs` in a fresh process: measures the time to the first verdict and that of the next ten calls. */
import { bodies, corpora, REQUEST } from "./corpus.ts";
import { contract, snapshot } from "./setting.ts";

// Eleven bodies of their own, all accepted, made before the clock starts.
const cut = bodies(corpora(11)[1], 1);

const begun = performance.now();
const { default: contender } = await import(`file://${Deno.args[0]}`);
contender.load(snapshot, contract);
let { accepted } = contender.judge(cut[0], REQUEST);
const first = performance.now() - begun;

const next = performance.now();
for (const body of cut.slice(1)) accepted += contender.judge(body, REQUEST).accepted;
const early = (performance.now() - next) / (cut.length - 1);
if (accepted !== cut.length) throw new Error(`${accepted} of ${cut.length} accepted`);
console.log(JSON.stringify({ first, early }));
