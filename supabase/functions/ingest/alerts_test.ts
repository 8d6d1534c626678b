import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { check } from "../../../tests/function/check.ts";
import { answered, KEYS, type Scene, USER, USER_TOKEN } from "../../../tests/function/scene.ts";
import { type AlertMessage, bodyOf } from "./alert_message.ts";
import type { Delivery, Outcome } from "./alerts.ts";
import { createTell, mayBeTold, type Problem } from "./webhook.ts";

const SECRET = "a-secret-of-the-test-with-32-characters";
const MESSAGE: AlertMessage = {
  id: "00000000-0000-4000-8000-00000000000a",
  type: "alert.fired",
  at: "2026-11-21T12:00:00.000Z",
  site: { id: "00000000-0000-4000-8000-000000000001", name: "Demo" },
  alert: "00000000-0000-4000-8000-00000000000b",
  kind: "rejected_share",
  source: "web",
  value: 0.125,
  threshold: 0.05,
};
const delivery = (url: string, form: "json" | "slack" = "json"): Delivery => ({
  id: MESSAGE.id,
  attempt: 1,
  name: "ops",
  form,
  url,
  message: MESSAGE,
});

Deno.test("an address is called if it is a public name over https, or this machine where the project runs on it", () => {
  const cases: [address: string, told: boolean, toldLocally?: boolean][] = [
    ["https://hooks.example.com/services/T0/B0/x", true],
    ["https://hooks.example.com:443/", true],
    ["https://xn--bcher-kva.example/", true],
    ["http://hooks.example.com/", false],
    ["http://127.0.0.1:9000/", false, true],
    ["http://localhost/", false, true],
    ["http://2130706433/", false, true],
    ["http://[::1]/", false],
    ["http://0.0.0.0/", false],
    ["https://127.0.0.1/", false],
    ["https://10.0.0.1/", false],
    ["https://0x7f.1/", false],
    ["https://0177.0.0.01/", false],
    ["https://127.0.0.0x1/", false],
    ["https://１２７.0.0.1/", false],
    ["https://169.254.169.254/latest/meta-data", false],
    ["https://[fd00::1]/", false],
    ["https://kong/", false],
    ["https://hooks.example.com./", false],
    ["https://metadata.google.internal/", false],
    ["https://printer.LOCAL/", false],
    ["https://hooks.example.com:8443/", false],
    ["https://user:word@hooks.example.com/", false],
    ["https://hooks.example.com@10.0.0.1/", false],
    ["file:///etc/passwd", false],
    ["data:,x", false],
    ["", false],
  ];
  const wrong = cases.filter(([address, told, toldLocally = told]) =>
    mayBeTold(address, false) !== told || mayBeTold(address, true) !== toldLocally
  );
  assert.deepEqual(wrong, []);
});

Deno.test("a message says what fires where, and a name in it is no markup", () => {
  const text = (changes: Partial<AlertMessage>) => JSON.parse(bodyOf("slack", { ...MESSAGE, ...changes })).text;
  assert.deepEqual([
    text({}),
    text({ type: "alert.cleared", kind: "silence", value: 3, threshold: 30 }),
    text({ type: "alert.test", alert: null, kind: null, source: null, value: null, threshold: null }),
    text({
      site: { id: "1", name: null },
      source: "<!channel> & <https://evil.example|ok>",
      kind: "lag",
      value: 40,
      threshold: 30,
    }),
  ], [
    "Demo, sender web: too much is refused (12.5 % of the events; the alert is set at 5 % of the events).",
    "Demo, sender web: it is over that a sender fell silent (3 minutes; the alert is set at 30 minutes).",
    "Demo: this is a test of the alerts, and it arrived.",
    "1, sender &lt;!channel&gt; &amp; &lt;https://evil.example|ok&gt;: states or figures lag behind (40 minutes; the alert is set at 30 minutes).",
  ]);
  assert.deepEqual(JSON.parse(bodyOf("json", MESSAGE)), MESSAGE);
});

Deno.test("a receiver gets a signed message once, and what it answers is told apart", async () => {
  const got: { path: string; headers: Headers; body: string }[] = [];
  /** Ends the answers that wait for ever. */
  const over = new AbortController();
  const never = new Promise<Response>((resolve) =>
    over.signal.addEventListener("abort", () => resolve(new Response()))
  );
  const answers: Record<string, () => Response | Promise<Response>> = {
    "/good": () => new Response("ok"),
    "/empty": () => new Response(null, { status: 204 }),
    "/endless": () => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(65_536)) })),
    "/broken": () => new Response("no", { status: 500 }),
    "/busy": () => new Response("no", { status: 429, headers: { "retry-after": "120" } }),
    "/date": () => new Response("no", { status: 503, headers: { "retry-after": "Fri, 27 Nov 2026 13:00:00 GMT" } }),
    "/moved": () => new Response(null, { status: 307, headers: { location: "/good" } }),
    "/slow": () => never,
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname: path } = new URL(request.url);
    got.push({ path, headers: request.headers, body: await request.text() });
    return answers[path]?.() ?? new Response(null, { status: 404 });
  });
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: nobody } = closed.addr;
  closed.close();
  const base = `http://127.0.0.1:${server.addr.port}`;
  const tell = createTell({ secret: SECRET, local: true, timeoutMs: 500, clock: () => 1_700_000_000_500 });
  const cases: { name: string; url: string; problem: Problem | null; status: number | null; retry?: number }[] = [
    { name: "good", url: `${base}/good`, problem: null, status: 200 },
    { name: "without a body", url: `${base}/empty`, problem: null, status: 204 },
    { name: "a body without an end is not read", url: `${base}/endless`, problem: null, status: 200 },
    { name: "broken", url: `${base}/broken`, problem: "status", status: 500 },
    { name: "busy", url: `${base}/busy`, problem: "status", status: 429, retry: 120 },
    { name: "busy until a date", url: `${base}/date`, problem: "status", status: 503 },
    { name: "moved", url: `${base}/moved`, problem: "redirect", status: 307 },
    { name: "slow", url: `${base}/slow`, problem: "timeout", status: null },
    { name: "down", url: `http://127.0.0.1:${nobody}/`, problem: "connection", status: null },
    { name: "not allowed", url: "http://example.com/", problem: "address", status: null },
  ];
  try {
    await check(cases, async ({ url, problem, status, retry = null }) => {
      got.length = 0;
      assert.deepEqual(await tell(delivery(url)), { problem, status, retry_after: retry });
      assert.ok(got.length <= 1, "one request");
    });
    await tell(delivery(`${base}/good`));
    const last = got.at(-1);
    assert.ok(last);
    assert.equal(last.headers.get("audience-gate-delivery"), MESSAGE.id);
    assert.equal(last.headers.get("audience-gate-timestamp"), "1700000000");
    assert.equal(
      last.headers.get("audience-gate-signature"),
      `v1=${createHmac("sha256", SECRET).update(`1700000000.${last.body}`).digest("hex")}`,
    );
    const unsigned = createTell({ secret: null, local: true, timeoutMs: 500, clock: Date.now });
    assert.equal((await unsigned(delivery(`${base}/good`))).problem, "secret", "a receiver could not tell who sent it");
    assert.equal((await unsigned(delivery(`${base}/good`, "slack"))).problem, null);
    assert.equal(got.at(-1)?.headers.get("audience-gate-signature"), null);
  } finally {
    over.abort();
    await server.shutdown();
  }
});

Deno.test("a secret key or a user has what is due sent, and nothing of an address is answered or logged", async () => {
  const url = "https://hooks.example.com/hush";
  const asked: (string | null)[] = [];
  const settled: Outcome[][] = [];
  let tests = 0;
  const prepare = (scene: Scene) => {
    scene.alerts = {
      claimAlerts: (user) => {
        asked.push(user);
        return Promise.resolve([delivery(url)]);
      },
      settleAlerts: (outcomes) => {
        settled.push([...outcomes]);
        return Promise.resolve({ delivered: 0, due: 1, failed: 0 });
      },
      testAlerts: () => {
        tests += 1;
        return Promise.resolve();
      },
    };
    scene.tell = () => Promise.resolve({ problem: "status", status: 503, retry_after: 7 });
  };
  const secret = { path: "/ingest/alerts", apikey: KEYS.secret[0] ?? null };
  const user = { path: "/ingest/alerts", headers: { authorization: `Bearer ${USER_TOKEN}` } };
  const sent = await answered(secret, prepare);
  assert.deepEqual(sent.body, {
    delivered: 0,
    due: 1,
    failed: 0,
    results: [{ id: MESSAGE.id, destination: "ops", type: "alert.fired", problem: "status", status: 503 }],
  });
  assert.deepEqual(settled, [[{ id: MESSAGE.id, attempt: 1, problem: "status", status: 503, retry_after: 7 }]]);
  assert.ok(!JSON.stringify([sent.body, sent.lines]).includes("hush"));
  assert.equal((await answered(user, prepare)).response.status, 200);
  assert.equal((await answered({ ...secret, path: "/ingest/alerts?test=1" }, prepare)).response.status, 200);
  assert.deepEqual(asked, [null, USER, null]);
  assert.equal(tests, 1);
  for (
    const refused of [{ path: "/ingest/alerts" }, { ...user, path: "/ingest/alerts?test=1" }, {
      ...secret,
      apikey: null,
    }]
  ) {
    assert.equal((await answered(refused, prepare)).response.status, 401, JSON.stringify(refused));
  }
  assert.equal(asked.length, 3, "nobody else has anything sent");
});
