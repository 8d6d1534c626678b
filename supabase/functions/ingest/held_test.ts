import assert from "node:assert/strict";
import { KEYS, scene, USER_TOKEN } from "../../../tests/function/scene.ts";
import { HeldBack } from "./held.ts";

const event = {
  session_id: "session-0001",
  event_type: "page_view",
  event_category: "engagement",
  event_source: "web",
};
const body = (events: number) => JSON.stringify(Array(events).fill({ ...event, metadata: { page_path: "/" } }));

/** What a sender does `after` some ms once it was told to wait 20 s with ten events from 192.0.2.1, and whether the store is asked. */
interface Case {
  name: string;
  scope?: string;
  seconds?: number;
  after?: number;
  address?: string;
  events?: number;
  /** How many events it had sent when it was told to wait, if not ten. */
  sent?: number;
  token?: string;
  path?: string;
  asked: boolean;
  retryAfter?: string;
}

const CASES: Case[] = [
  { name: "the same at once", asked: false, retryAfter: "20" },
  { name: "the same a second before the time", after: 19_000, asked: false, retryAfter: "1" },
  { name: "more at once", events: 11, asked: false },
  { name: "less at once", events: 9, asked: true },
  { name: "the same once the time has come", after: 20_000, asked: true },
  { name: "the same after a minute, however long it had to wait", seconds: 900, after: 60_000, asked: true },
  { name: "the same within a minute", seconds: 900, after: 59_000, asked: false, retryAfter: "841" },
  { name: "the same after the clock was set back", after: -1, asked: true },
  { name: "another address", address: "192.0.2.2", asked: true },
  { name: "a user at that address", token: USER_TOKEN, asked: true },
  { name: "another session at that address, after one had sent too much", scope: "session", asked: true },
  {
    name: "as much at that address, after a session had sent very much",
    scope: "session",
    sent: 900,
    events: 900,
    asked: false,
  },
  { name: "a page at that address, after a session had sent very much", scope: "session", sent: 900, asked: true },
  { name: "anybody, after a site had sent too much", scope: "site", asked: true },
  { name: "anybody, if the database does not say whose limit it was", scope: "", asked: true },
];

Deno.test("who was told to wait is not judged again before the time, and nobody else is kept out", async () => {
  const wrong: string[] = [];
  for (const { name, scope = "address", seconds = 20, after = 0, sent = 10, asked, retryAfter, ...next } of CASES) {
    const on = scene();
    const post = ({ address = "192.0.2.1", events = 10, token = "" }) =>
      on.handle(
        new Request("http://gate.test/ingest", {
          method: "POST",
          body: body(events),
          headers: {
            apikey: KEYS.publishable[0] ?? "",
            "content-type": "application/json",
            "x-forwarded-for": address,
            ...(token ? { authorization: `Bearer ${token}` } : {}),
          },
        }),
      );
    on.store = () => ({ recorded: false, limited: { retry_after: seconds, ...(scope ? { scope } : {}) } });
    await post({ events: sent });
    on.time.now += after;
    const response = await post(next);
    const is = [on.batches.length === 2, response.status, response.headers.get("retry-after")];
    const expected = [asked, 429, retryAfter ?? is[2]];
    if (JSON.stringify(is) !== JSON.stringify(expected)) wrong.push(`${name}: ${is}, expected ${expected}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("ten thousand senders are remembered, and the first is forgotten", () => {
  const held = new HeldBack();
  for (let number = 0; number <= 10_000; number++) held.hold(String(number), "address", 1, 20, 0);
  assert.deepEqual(
    ["0", "1", "10000"].map((sender) => held.secondsFor(sender, 1, 0)),
    [null, 20, 20],
  );
});
