/** Drives the client of the package, as it is published, for tests/clients: a command a line in, an answer a line out. */
import { createInterface } from "node:readline";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [client, queue, options] = process.argv.slice(2);
const { AudienceGate } = await import(pathToFileURL(client).href);
const say = (/** @type {unknown} */ answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const gate = new AudienceGate({
  queue,
  ...JSON.parse(options),
  onVerdict: (/** @type {unknown} */ verdict) => say({ verdict }),
});

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    say("track" in command ? { id: await gate.track(command.track) } : { report: await gate.flush(command.flush) });
  } catch (error) {
    const { name, message, status, code } = /** @type {Error & { status?: number, code?: string }} */ (error);
    say({ error: name, message, status, code });
  }
}
