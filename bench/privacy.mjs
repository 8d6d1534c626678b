/**
 * `npm run bench:privacy`: what the privacy rules find and what they refuse for nothing, on corpora made here, and what
 * the dearest texts cost. Writes `bench/PRIVACY.md`, and fails where a bar is missed. `-- --quick` leaves out the costs
 * and the report, and prints the first misses of each kind.
 */
import process from "node:process";
import { machine, publish, record } from "./history.mjs";
import { missed, together } from "./privacy/bars.mjs";
import { corpora } from "./privacy/corpora.mjs";
import { measure } from "./privacy/measure.mjs";
import { render, summary } from "./privacy/report.mjs";
import { broken, inModule, inPostgres, LIMITS } from "./privacy/worst.mjs";

const QUICK = process.argv.includes("--quick");
const SHOWN = 6;

const cases = corpora();
const personal = measure(cases.personal, "personal");
const harmless = measure(cases.harmless, "harmless");
console.log(summary(personal, harmless).join("\n"));
const faults = missed(personal, harmless);

if (QUICK) {
  for (const { group, name, wrong } of [...personal, ...harmless].filter(({ wrong }) => wrong.length > 0)) {
    console.log(`\n${group}, ${name}: ${wrong.length}\n${wrong.slice(0, SHOWN).map((one) => `  ${one}`).join("\n")}`);
  }
} else {
  console.error("the dearest texts in the module, then in Postgres 15 and 17; this takes minutes");
  const module = await inModule();
  const postgres = { 15: await inPostgres(15), 17: await inPostgres(17) };
  faults.push(
    ...broken("module", module, LIMITS.module),
    ...Object.entries(postgres).flatMap(([version, costs]) => broken(`Postgres ${version}`, costs, LIMITS.sql)),
  );
  publish("PRIVACY.md", render({ personal, harmless, module, postgres, machine: machine() }));
  const share = (/** @type {import("./privacy/measure.mjs").Measured[]} */ of, /** @type {string} */ group) => {
    const { cases, found } = together(of, group);
    return found / cases * 100;
  };
  record("privacy", {
    "e-mail found, %": { value: share(personal, "e-mail"), better: "higher" },
    "personal keys found, %": { value: share(personal, "personal keys"), better: "higher" },
    "realistic payloads refused, %": { value: share(harmless, "realistic payloads"), better: "lower" },
    "harmless values refused, %": { value: share(harmless, "harmless values"), better: "lower" },
    "1 MB in the module, ms": { value: module[0].whole, better: "lower" },
    "8 KB in Postgres 17, ms": { value: postgres[17][0].whole, better: "lower" },
  });
}

if (faults.length > 0) {
  console.error(`\n${faults.join("\n")}`);
  process.exitCode = 1;
}
