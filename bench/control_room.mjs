/**
 * What the control room costs those who use it: `npm run bench:control-room`, with `-- --events=20000` for another size,
 * which only prints. A site of a million events on a throwaway Postgres 17, the built pages, and a real browser. Writes
 * `bench/CONTROL_ROOM.md`, and fails where a bar is missed.
 */
import process from "node:process";
import { asClient } from "../tests/database/server.mjs";
import { launch } from "../tests/browser/pages.mjs";
import { faults, lines, speedText } from "./control_room/report.mjs";
import { startRoom } from "./control_room/server.mjs";
import { speed } from "./control_room/speed.mjs";
import { publish, record } from "./history.mjs";

const GIVEN = Number(process.argv.find((word) => word.startsWith("--events="))?.slice(9));
const EVENTS = GIVEN || 1_000_000;

const log = (/** @type {string} */ line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

const room = await startRoom(EVENTS, log);
process.on("SIGINT", () => room.close().then(() => process.exit(130)));
try {
  const browser = await launch();
  log("opening the dashboard, and changing its filters");
  const measured = await speed(browser, room.url).finally(() => browser.close());
  const { rows: [{ version }] } = await asClient(
    room.adminUrl,
    (client) => client.query("select current_setting('server_version') as version"),
  );
  const text = `<!-- \`npm run bench:control-room\` writes this; do not edit it. -->

# What the control room costs those who use it

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
  const missed = faults(measured);
  for (const fault of missed) console.error(`missed: ${fault}`);
  process.exitCode = missed.length > 0 ? 1 : 0;
} finally {
  await room.close();
}
