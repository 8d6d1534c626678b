/**
 * `npm run bench:load`: ten minutes of mixed traffic on the real function and a real Postgres, with the database crashed
 * twice, the function killed once, the disk of the event log full for a while, where this process may mount one, and the clock
 * moved ahead and back, where faketime is installed.
 * Writes `bench/LOAD.md`, and fails where an event is not in the tables as its sender was told, or an answer is none that
 * may be. `-- --seconds=60 --senders=4` takes less.
 */
import { loadavg } from "node:os";
import process from "node:process";
import { machine, publish, record } from "./history.mjs";
import { drive } from "./load/drive.mjs";
import { HOSTILE, REFUSED } from "./load/traffic.mjs";

const option = (/** @type {string} */ name, /** @type {number} */ usual) =>
  Number(process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split("=")[1] ?? usual);
const plan = { seconds: option("seconds", 600), senders: option("senders", 8), faults: true };

// What else runs on the machine is in the figures too.
const [others] = loadavg();
const result = await drive(plan);
const { events, latency, memory } = result;
const count = (/** @type {number} */ number) => number.toLocaleString("en");
const perCore = events.sent / result.seconds / result.cores;
const report = `<!-- \`npm run bench:load\` writes this; do not edit it. -->

# Under load, with faults

The real function on Deno and a real Postgres 17 (with \`fsync\`, and rate limits out of the way), on loopback, on ${machine()}. A thin gateway in the process of
the senders stands in for PostgREST; senders, gateway, function and database share the cores, on which a
load of ${others.toFixed(1)} was there before. ${plan.senders} senders without
pause for ${
  result.seconds.toFixed(0)
} s: four in five requests are a visitor's with one to three events, one in five a back end's
with 50. ${REFUSED * 100} % of the events violate a rule, ${HOSTILE * 100} % of the requests are hostile. On the way:
${result.faults.join("; ")}.

| | |
|---|---|
| events | ${count(events.sent)} in ${count(result.requests)} requests |
| accepted + replayed + rejected | ${count(events.accepted)} + ${count(events.replayed)} + ${
  count(events.rejected)
} = ${count(events.accepted + events.replayed + events.rejected)} |
| not in the tables as answered, or answered as nobody should be | ${result.wrong.length} |
| hostile requests | ${count(events.hostile)}, none answered 5xx |
| answered 503 or broken off, and sent again | ${count(result.unavailable)} |
| deadlocks | ${result.deadlocks} |
| sustained | ${count(Math.round(events.sent / result.seconds))} events/s, ${count(Math.round(perCore))} per core |
| latency outside faults | p50 ${latency.p50.toFixed(1)} ms, p95 ${latency.p95.toFixed(1)} ms, p99 ${
  latency.p99.toFixed(1)
} ms |
| memory of the function by tenths of the time | ${memory.map((megabytes) => megabytes.toFixed(0)).join(", ")} MB |
`;
console.log(report);
if (process.argv.length === 2) publish("LOAD.md", report);
record("load", {
  "events/s per core": { value: perCore, better: "higher" },
  "p95, ms": { value: latency.p95, better: "lower" },
  "p99, ms": { value: latency.p99, better: "lower" },
  "function at the end, MB": { value: memory[memory.length - 1], better: "lower" },
});
const balanced = events.sent === events.accepted + events.replayed + events.rejected;
if (result.wrong.length > 0 || result.deadlocks > 0 || !balanced) {
  console.error(result.wrong.slice(0, 20).join("\n"));
  process.exitCode = 1;
}
