import assert from "node:assert/strict";
import { event, KEYS, scene, USER_TOKEN } from "../../../tests/function/scene.ts";
import { gate } from "./gate.ts";
import { PaidTime } from "./paid.ts";

/** What a sender does `after` some ms once a body of 15 KB from 192.0.2.1 took `took` ms, and how it is answered. */
interface Case {
  name: string;
  took: number;
  after?: number;
  address?: string;
  token?: string;
  little?: boolean;
  dry?: boolean;
  status: number;
  retryAfter?: string;
}

const CASES: Case[] = [
  { name: "a body that took 100 ms", took: 100, status: 200 },
  { name: "a dear one", took: 300, status: 429, retryAfter: "10" },
  { name: "a dear one, just before it is paid off", took: 300, after: 9_999, status: 429, retryAfter: "1" },
  { name: "a dear one, once it is paid off", took: 300, after: 10_000, status: 200 },
  { name: "a dry run of a dear one", took: 300, dry: true, status: 429, retryAfter: "10" },
  { name: "a page's event after a dear body at its address", took: 300, little: true, status: 200 },
  { name: "another address", took: 300, address: "192.0.2.2", status: 200 },
  { name: "a back end, whose key has no limit", took: 300, token: KEYS.secret[0] ?? "", status: 200 },
  { name: "a user at that address", took: 300, token: USER_TOKEN, status: 200 },
  { name: "after a clock jumped an hour ahead during it", took: 3_600_000, status: 429, retryAfter: "55" },
  { name: "after a clock was set back during it", took: -3_600_000, status: 200 },
  { name: "after the clock was set back an hour later", took: 300, after: -3_600_000, status: 429, retryAfter: "55" },
];

Deno.test("who keeps the function busy waits until that is paid off, and nobody else is kept out", async () => {
  const wrong: string[] = [];
  for (const { name, took, after = 0, little = false, dry = false, status, retryAfter, ...next } of CASES) {
    let moved = took;
    const on = scene({
      gate: {
        ...gate,
        judge: (...given) => {
          on.time.now += moved;
          return gate.judge(...given);
        },
      },
    });
    const post = ({ address = "192.0.2.1", token = "", little = false }) =>
      on.handle(
        new Request(`http://gate.test/ingest${dry ? "?dry_run" : ""}`, {
          method: "POST",
          body: JSON.stringify(Array(little ? 1 : 80).fill(event())),
          headers: {
            apikey: token.startsWith("sb_secret") ? token : KEYS.publishable[0] ?? "",
            "content-type": "application/json",
            "x-forwarded-for": address,
            ...(token === USER_TOKEN ? { authorization: `Bearer ${token}` } : {}),
          },
        }),
      );
    await post({});
    moved = 0;
    on.time.now += after;
    const response = await post({ ...next, little });
    const is = [response.status, response.headers.get("retry-after")];
    const expected = [status, retryAfter ?? null];
    if (JSON.stringify(is) !== JSON.stringify(expected)) wrong.push(`${name}: ${is}, expected ${expected}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("what little ones take adds up, and ten thousand senders are remembered", () => {
  const paid = new PaidTime();
  for (let number = 0; number < 200; number++) paid.took("office", 1, 0);
  for (let number = 1; number < 10_000; number++) paid.took(String(number), 200, 0);
  const asked = (sender: string) => paid.secondsFor(sender, 10_001, 0);
  assert.deepEqual([asked("office"), asked("1"), asked("9999"), asked("none")], [5, 5, 5, null]);
  paid.took("one more", 200, 0);
  assert.deepEqual([asked("office"), asked("1")], [null, 5]);
});
