/**
 * What the control room costs those who use it: `npm run bench:control-room`, with `-- --events=20000` for another size,
 * which only prints. Ten tasks on the local stack and its demo, with pictures of where each ended; then a site of a million
 * events on a throwaway Postgres 17, the built pages, and a real browser. Writes `bench/CONTROL_ROOM.md`, and fails where
 * an answer is wrong or a bar is missed.
 */
import process from "node:process";
import { chromium } from "playwright-core";
import { asClient } from "../tests/database/server.mjs";
import { chromiumPath } from "../tests/runner/chromium.mjs";
import { tasks } from "./control_room/pictures.mjs";
import { faults, lines, speedText, tasksText } from "./control_room/report.mjs";
import { startRoom } from "./control_room/server.mjs";
import { speed } from "./control_room/speed.mjs";
import { publish, record } from "./history.mjs";

const GIVEN = Number(process.argv.find((word) => word.startsWith("--events="))?.slice(9));
const EVENTS = GIVEN || 1_000_000;

const log = (/** @type {string} */ line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

const browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox", "--disable-gpu"] });
process.on("SIGINT", () => browser.close().then(() => process.exit(130)));
try {
  log("ten tasks on the demo");
  const done = await tasks(browser, { keep: !GIVEN, say: log });
  const { measured, version } = await atSize();
  const text = `<!-- \`npm run bench:control-room\` writes this; do not edit it. -->

# What the control room costs those who use it

${tasksText(done)}
${speedText(measured, { events: EVENTS, version })}`;
  if (GIVEN) console.log(text);
  else {
    publish("CONTROL_ROOM.md", text);
    record(
      "control-room",
      Object.fromEntries(
        lines(measured).map(([name, value, , unit]) => [unit ? `${name}, ${unit}` : name, { value, better: "lower" }]),
      ),
    );
  }
  const missed = faults(done, measured);
  for (const fault of missed) console.error(`missed: ${fault}`);
  process.exitCode = missed.length > 0 ? 1 : 0;
} finally {
  await browser.close();
}

async function atSize() {
  const room = await startRoom(EVENTS, log);
  try {
    log("opening the dashboard, and changing its filters");
    const measured = await speed(browser, room.url);
    const { rows: [{ version }] } = await asClient(
      room.adminUrl,
      (client) => client.query("select current_setting('server_version') as version"),
    );
    return { measured, version };
  } finally {
    await room.close();
  }
}
