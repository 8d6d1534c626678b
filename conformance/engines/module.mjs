/** The WebAssembly module as an engine of the suite. */
import process from "node:process";
import { createInterface } from "node:readline";
import { check, loadRegistry } from "../../pkg/inline.js";

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.registry) {
    loadRegistry(JSON.stringify(asked.registry));
    console.log(JSON.stringify({ registry: asked.registry.version }));
    continue;
  }
  const { violations } = check(asked.event, null, {
    caller: asked.caller,
    callerId: asked.caller_id,
    origin: asked.origin,
    receivedAt: Date.parse(asked.received_at),
  });
  console.log(JSON.stringify({ case: asked.case, violates: violations.map(({ rule_id }) => rule_id) }));
}
