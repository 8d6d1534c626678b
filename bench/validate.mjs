/**
 * `npm run bench:validate`: the whole contract in WebAssembly against the libraries people use today, on identical
 * bytes, in one process. Prints the tables and writes `bench/RESULTS.md`. `--rounds=` and `--processes=` take more or
 * fewer.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { denoBinary } from "../tests/runner/paths.mjs";
import { bundle, bundles, CONTENDERS, root } from "./bundle.mjs";
import { record } from "./history.mjs";
import { figures, render } from "./report.mjs";

const option = (/** @type {string} */ name, /** @type {number} */ usual) =>
  Number(process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split("=")[1] ?? usual);
const ROUNDS = option("rounds", 31);
const PROCESSES = option("processes", 15);

const deno = denoBinary("deno");
const names = Object.keys(CONTENDERS);
const run = (/** @type {string[]} */ ...args) =>
  JSON.parse(execFileSync(deno, ["run", "--quiet", "--no-config", "--allow-read", ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
    maxBuffer: 1 << 24,
  }));

console.error("bundling the contenders");
const shipped = await bundle();

console.error(`cold starts: ${PROCESSES} fresh processes each`);
/** @type {import("./report.mjs").Cold} */
const cold = Object.fromEntries(names.map((name) => [name, { first: [], early: [] }]));
for (let round = 0; round < PROCESSES; round++) {
  for (const name of names) {
    const { first, early } = run("bench/cold.ts", join(bundles, `${name}.mjs`));
    cold[name].first.push(first);
    cold[name].early.push(early);
  }
}

console.error(`comparing verdicts, then ${ROUNDS} alternating rounds; this takes minutes`);
const measured = run("bench/measure.ts", bundles, names.join(","), String(ROUNDS));

const report = render({
  shipped,
  cold,
  measured,
  rounds: ROUNDS,
  processes: PROCESSES,
  machine: cpus()[0]?.model ?? "",
});
console.log(report);
writeFileSync(join(root, "bench/RESULTS.md"), report);
record("validate", figures({ cells: measured.cells, shipped }));
