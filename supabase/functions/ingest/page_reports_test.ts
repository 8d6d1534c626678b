import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import { answered, json, NOW, type Scene, type Sent, USER, USER_TOKEN } from "../../../tests/function/scene.ts";
import { StoreFailure } from "./store.ts";

const report = (event: unknown = { event_type: "page_view" }) => ({
  violations: [{ rule_id: "engagement.subject", path: "/metadata" }],
  event,
});
const sent = (value: unknown, more: Sent = {}): Sent => ({ path: "/ingest/reports", ...json(value), ...more });

Deno.test("every status, for the reason it stands for", async () => {
  const many = (length: number) => Array.from({ length }, () => report());
  const store = (answer: Awaited<ReturnType<Scene["report"]>>) => (scene: Scene) => {
    scene.report = () => answer;
  };
  await check<
    { name: string; sent: Sent; status: number; code?: string; prepare?: (scene: Scene) => void; counts?: number[] }
  >(
    [
      { name: "an array", sent: sent(many(50)), status: 200, counts: [50, 0] },
      { name: "one report alone", sent: sent(report()), status: 200, counts: [1, 0] },
      {
        name: "a beacon",
        sent: {
          path: "/ingest/reports?apikey=sb_publishable_one",
          body: JSON.stringify([report()]),
          headers: { "content-type": "text/plain" },
          apikey: null,
        },
        status: 200,
      },
      { name: "some of them", sent: sent(many(2)), status: 207, prepare: store({ reported: [1] }), counts: [1, 1] },
      { name: "none of them", sent: sent(many(2)), status: 422, prepare: store({ reported: [] }), counts: [0, 2] },
      { name: "too many", sent: sent(many(51)), status: 413, code: "too_many_events" },
      { name: "too large", sent: sent(report("x".repeat(65_536))), status: 413, code: "body_too_large" },
      { name: "nothing", sent: sent([]), status: 400, code: "bad_reports" },
      { name: "events", sent: sent([{ event_type: "page_view" }]), status: 400, code: "bad_reports" },
      { name: "no JSON", sent: { path: "/ingest/reports", body: "{" }, status: 400, code: "bad_reports" },
      {
        name: "bytes",
        sent: { path: "/ingest/reports", body: new Uint8Array([255]) },
        status: 400,
        code: "bad_reports",
      },
      { name: "no key", sent: sent([report()], { apikey: null }), status: 401, code: "no_credentials" },
      { name: "to be read", sent: { path: "/ingest/reports", method: "GET" }, status: 405, code: "method_not_allowed" },
      {
        name: "over the rate",
        sent: sent([report()]),
        status: 429,
        code: "rate_limited",
        prepare: store({ limited: { retry_after: 3 } }),
      },
      {
        name: "a store that is away",
        sent: sent([report()]),
        status: 503,
        code: "store_unavailable",
        prepare: (scene) => {
          scene.report = () => Promise.reject(new StoreFailure("http 503"));
        },
      },
    ],
    async ({ sent, status, code, prepare, counts }) => {
      const { response, body, lines } = await answered(sent, prepare);
      assert.deepEqual([response.status, body.error?.code], [status, code]);
      assert.equal(lines.at(-1)?.route, "/reports");
      if (counts) {
        assert.deepEqual([body.reported, body.rejected], counts);
        const told = body.results.map(({ status }: { status: string }) => status);
        assert.equal(told.filter((one: string) => one === "reported").length, counts[0]);
        assert.equal(told.length, counts[0] + counts[1]);
      }
    },
  );
});

Deno.test("the store is told who reports, and is charged as for events", async () => {
  const { reports } = await answered(
    sent([report()], {
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${USER_TOKEN}`,
        "x-forwarded-for": "192.0.2.1",
      },
    }),
  );
  const { rate, ...told } = reports[0] ?? {};
  assert.deepEqual(told, {
    caller: "user",
    caller_id: USER,
    origin: null,
    received_at: new Date(NOW).toISOString(),
    reports: [report()],
  });
  assert.deepEqual((rate as { keys: { scope: string }[] }).keys.map(({ scope }) => scope).sort(), [
    "address",
    "caller",
  ]);
});

Deno.test("what no database can hold is taken out, and nothing is nested without end", async () => {
  // Written as a text, since an engine's own writer may give up before it is as deep.
  const deep = `${"[".repeat(20_000)}"bottom"${"]".repeat(20_000)}`;
  const whole = sent([report({ a: "x\0y", "k\0": "\ud800", deep: "here", n: 1 })]);
  const { response, reports } = await answered({ ...whole, body: String(whole.body).replace('"here"', deep) });
  assert.equal(response.status, 200);
  const [{ event }] = reports[0]?.reports as [{ event: Record<string, unknown> }];
  const { deep: kept, ...plain } = event;
  assert.deepEqual(plain, { a: "x\ufffdy", "k\ufffd": "\ufffd", n: 1 });
  assert.match(JSON.stringify(kept), /^\[{1,8}"\[shortened:nested\]"\]{1,8}$/);
});

Deno.test("nothing that was reported is in the log", async () => {
  const { lines } = await answered(sent([report({ session_id: "jo-77", metadata: { content_id: "secret-77" } })]));
  assert.doesNotMatch(JSON.stringify(lines), /77/);
});
