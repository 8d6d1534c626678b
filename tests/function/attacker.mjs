/**
 * An attacker who posts the dearest mebibytes from one address to the function's address given, one after the other: until it
 * is told to wait, and then between a line `go` and a line `stop` of its input; it writes how often it was answered how. It has a process of its own that
 * gives way to the others, because an attacker does not send with the processors of whom it attacks.
 */
import { constants, setPriority } from "node:os";
import { createInterface } from "node:readline";
import { publishableKey } from "../../local/settings.mjs";

const [, , url = ""] = process.argv;
const body = JSON.stringify(
  Array.from({ length: 120 }, () => ({
    session_id: "session-attacker",
    event_type: "page_view",
    event_category: "engagement",
    event_source: "web",
    metadata: { page_path: "/", note: "4111 ".repeat(1600) },
  })),
);
setPriority(constants.priority.PRIORITY_LOW);
/** @type {Record<string, number>} */
let answers = {};
let going = false;

async function send() {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", apikey: publishableKey, "x-forwarded-for": "192.0.2.66" },
    body,
  }).then(async (response) => {
    await response.arrayBuffer();
    return response.status;
  }, () => "broken");
  answers[answer] = (answers[answer] ?? 0) + 1;
  return answer;
}
/** @type {Promise<void>} */
let attacking = Promise.resolve();
async function attack() {
  while (going) await send();
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
