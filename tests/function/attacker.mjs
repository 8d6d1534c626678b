/**
 * An attacker who posts the dearest mebibytes from one address to the function's address given, as many as a line of a gigabit
 * a second carries: until it is told to wait, and then between a line `go` and a line `stop` of its input. It writes how often
 * it was answered how. It has a process of its own that gives way to all others and spends little on sending, because an
 * attacker does not send with the processors of whom it attacks.
 */
import { Agent, request } from "node:http";
import { constants, setPriority } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { publishableKey } from "../../local/settings.mjs";

const BYTES_PER_MS = 125_000;

const [, , url = ""] = process.argv;
const body = Buffer.from(JSON.stringify(
  Array.from({ length: 120 }, () => ({
    session_id: "session-attacker",
    event_type: "page_view",
    event_category: "engagement",
    event_source: "web",
    metadata: { page_path: "/", note: "4111 ".repeat(1600) },
  })),
));
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
setPriority(constants.priority.PRIORITY_LOW);
/** @type {Record<string, number>} */
let answers = {};
let going = false;

/** @returns {Promise<number | "broken">} */
const post = () =>
  new Promise((resolve) => {
    request(url, {
      agent,
      method: "POST",
      headers: {
        "content-type": "application/json",
        "content-length": body.byteLength,
        apikey: publishableKey,
        "x-forwarded-for": "192.0.2.66",
      },
    }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    }).on("error", () => resolve("broken")).end(body);
  });

async function send() {
  const answer = await post();
  answers[answer] = (answers[answer] ?? 0) + 1;
  return answer;
}
/** @type {Promise<void>} */
let attacking = Promise.resolve();
async function attack() {
  while (going) {
    const start = performance.now();
    await send();
    await pause(Math.max(0, start + body.byteLength / BYTES_PER_MS - performance.now()));
  }
}
function report() {
  console.log(JSON.stringify(answers));
  answers = {};
}

// Its allowance is spent first: what it may send is not an attack.
while (await send() !== 429);
report();
for await (const line of createInterface({ input: process.stdin })) {
  going = line === "go";
  if (going) attacking = attack();
  else {
    await attacking;
    report();
  }
}
agent.destroy();
