#!/usr/bin/env node
/** Runs the suite against an engine: `node conformance/run.mjs COMMAND ARGUMENT…`. README.md says what is asked. */
import process from "node:process";
import { conforms, started } from "./protocol.mjs";

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error("usage: node conformance/run.mjs COMMAND ARGUMENT…");
  process.exit(2);
}
const engine = started(command, args);
const { judged, wrong } = await conforms(engine.ask);
await engine.stop();
for (const fault of wrong) console.log(fault);
console.log(`${judged} cases, ${wrong.length} wrong`);
process.exitCode = wrong.length === 0 ? 0 : 1;
