import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import {
  answered,
  event,
  json,
  NOW,
  ORIGIN,
  REGISTRY,
  request,
  type Scene,
  scene,
} from "../../../tests/function/scene.ts";
import { StoreFailure } from "./store.ts";

const good = event();
Deno.test("a preflight is answered without a key, and a refusal can be read by the browser", async () => {
  const { response: preflight } = await answered({
    method: "OPTIONS",
    apikey: null,
    headers: { origin: ORIGIN },
  });
  assert.equal(preflight.status, 204);
  assert.match(
    preflight.headers.get("access-control-allow-headers") ?? "",
    /apikey/,
  );
  const { response } = await answered({
    apikey: "nobody",
    headers: { origin: ORIGIN },
  });
  assert.equal(response.headers.get("access-control-allow-origin"), ORIGIN);
  assert.match(
    response.headers.get("access-control-expose-headers") ?? "",
    /request-id/,
  );
});

Deno.test("limits of the rate are told where the store tells them", async () => {
  const { response } = await answered({
    ...json(good),
    headers: { "x-forwarded-for": "192.0.2.1" },
  });
  assert.deepEqual(
    ["limit", "remaining", "reset"].map((name) => response.headers.get(`ratelimit-${name}`)),
    ["1200", "1199", "1"],
  );
});

Deno.test("the contract and the registry are told to everybody, once a version", async () => {
  const get = (path: string, headers = {}) => answered({ path, method: "GET", apikey: null, headers });
  const contract = await get("/ingest/contract");
  assert.equal(contract.response.status, 200);
  assert.ok(contract.body.rules.length > 40);
  assert.match(contract.response.headers.get("cache-control") ?? "", /public/);

  const registry = await get("/ingest/registry");
  assert.equal(registry.body.version, "7");
  assert.equal(registry.body.default_site, REGISTRY.default_site);
  assert.equal("sites" in registry.body, false);

  for (const { response } of [contract, registry]) {
    assert.ok(response.headers.get("etag"));
  }
  await check([
    {
      name: "contract",
      path: "/ingest/contract",
      etag: contract.response.headers.get("etag"),
    },
    {
      name: "registry",
      path: "/ingest/registry",
      etag: registry.response.headers.get("etag"),
    },
  ], async ({ path, etag }) => {
    const again = await get(path, { "if-none-match": `"older", W/${etag}` });
    assert.deepEqual([again.response.status, again.text], [304, ""]);
    const changed = await get(path, { "if-none-match": '"older"' });
    assert.equal(changed.response.status, 200);
  });
});

Deno.test("the contract has the rules that are enforced on every site, and can be told without a store", async () => {
  const rule = (id: string, mode: string, site_id: string | null) => ({
    ...{ id, mode, site_id, category: null, event_type: null },
    ...{ schema: { properties: {} }, reasons: { en: "no" } },
  });
  const everywhere = rule("own.everywhere", "enforce", null);
  const own_rules = [
    everywhere,
    rule("own.observed", "observe", null),
    rule("own.of_one", "enforce", REGISTRY.default_site),
  ];
  const ask = ({ handle }: Scene) => handle(request({ path: "/ingest/contract", method: "GET", apikey: null }));
  const watched = scene();
  await watched.settled();
  watched.registry = () => JSON.stringify({ ...REGISTRY, version: "8", own_rules });
  watched.time.now += 60_000;
  const before = await ask(watched);
  await watched.settled();
  const told = await ask(watched);
  const { registry, own_rules: shown } = await told.json();
  assert.deepEqual([registry, shown], ["8", [everywhere]]);
  assert.notEqual(told.headers.get("etag"), before.headers.get("etag"));

  const away = () => Promise.reject(new StoreFailure("http 503"));
  const alone = await ask(scene({
    store: {
      ingest: away,
      report: away,
      registry: away,
      checkpoint: away,
      countRefused: away,
      claimAlerts: away,
      settleAlerts: away,
      testAlerts: away,
    },
  }));
  const unknown = await alone.json();
  assert.deepEqual([alone.status, unknown.registry, unknown.own_rules], [200, null, null]);
  assert.ok(unknown.rules.length > 40);
});

Deno.test("health says whether the gate can judge by all that is registered", async () => {
  const unknown = {
    id: "own.new",
    category: null,
    event_type: null,
    site_id: null,
    mode: "enforce",
    reasons: { en: "no" },
  };
  await check(
    [{ name: "a keyword of today", keyword: "maxProperties", fit: true }, {
      name: "a keyword of tomorrow",
      keyword: "maxWords",
      fit: false,
    }],
    async ({ keyword, fit }) => {
      const { body, text } = await answered({ path: "/ingest/health", method: "GET", apikey: null }, (scene) => {
        scene.registry = () => JSON.stringify({ ...REGISTRY, own_rules: [{ ...unknown, schema: { [keyword]: 50 } }] });
      });
      assert.equal(body.registry_fit, fit);
      assert.doesNotMatch(text, /own\.new/, "whose rule it is, is not public");
    },
  );
});

Deno.test("health says whether the store answers", async () => {
  const well = await answered({
    path: "/ingest/health",
    method: "GET",
    apikey: null,
  });
  assert.equal(well.response.status, 200);
  assert.deepEqual([well.body.status, well.body.registry], ["ok", "7"]);
  assert.ok(well.body.contract.fingerprint);
  const away = (scene: Scene) => {
    scene.registry = () => Promise.reject(new StoreFailure("http 503"));
  };
  const ill = await answered({
    path: "/ingest/health",
    method: "GET",
    apikey: null,
  }, away);
  assert.equal(ill.response.status, 503);
  assert.ok(ill.response.headers.get("retry-after"));
  assert.equal(ill.lines.at(-1)?.failure, "http 503");
  const registry = await answered(
    { path: "/ingest/registry", method: "GET" },
    away,
  );
  assert.equal(registry.response.status, 200, "the stale copy serves on");
});

Deno.test("however often anybody asks for the health, the store is asked once in five seconds", async () => {
  const watched = scene();
  await watched.settled();
  let questions = 0;
  watched.registry = () => {
    questions += 1;
    return questions === 2 ? Promise.reject(new StoreFailure("http 503")) : JSON.stringify(REGISTRY);
  };
  const ask = async () =>
    (await watched.handle(request({ path: "/ingest/health", method: "GET", apikey: null }))).status;
  const asked: number[][] = [];
  for (const after of [0, 5000, 10_000]) {
    watched.time.now = NOW + after;
    const answers = await Promise.all(Array.from({ length: 50 }, ask));
    watched.time.now += 4999;
    asked.push([questions, ...new Set([...answers, await ask()])]);
  }
  assert.deepEqual(asked, [[1, 200], [2, 503], [3, 200]]);
});

Deno.test("the newest checkpoint is handed to everybody, and the store is asked for it once a minute", async () => {
  const watched = scene();
  await watched.settled();
  const note = (size: number) => `example.com/events\n${size}\nroot\n\n\u2014 example.com/events signature\n`;
  let questions = 0;
  const signed = [null, { size: 700, note: note(700) }, "down", { size: 1000, note: note(1000) }];
  watched.checkpoint = () => {
    const answer = signed[questions++];
    return answer === "down" ? Promise.reject(new StoreFailure("http 503")) : answer as { size: number; note: string };
  };
  const ask = async (headers = {}) => {
    const response = await watched.handle(
      request({ path: "/ingest/checkpoint", method: "GET", apikey: null, headers }),
    );
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const asked: unknown[][] = [];
  for (const after of [0, 60_000, 120_000, 125_000]) {
    watched.time.now = NOW + after;
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask()));
    watched.time.now += 4999;
    answers.push(await ask());
    asked.push([questions, ...new Set(answers.map(({ status }) => status)), answers[0]?.text]);
  }
  assert.match(String(asked[0]?.[2]), /no checkpoint was signed/);
  assert.deepEqual(asked.map(([count, status]) => [count, status]), [[1, 404], [2, 200], [3, 503], [4, 200]]);
  assert.deepEqual([asked[1]?.[2], asked[3]?.[2]], [note(700), note(1000)]);
  const { headers } = await ask();
  assert.equal(headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal((await ask({ "if-none-match": headers.get("etag") ?? "" })).status, 304);
});

Deno.test("a method that HTTP does not know is not logged as it came", async () => {
  await check(
    [["GET", "GET"], ["PATCH", "PATCH"], ["JO-77-AT-EXAMPLE", "other"], ["ada", "other"]].map((
      [method = "", logged],
    ) => ({ name: method, method, logged })),
    async ({ method, logged }) => {
      const { lines } = await answered({ method, path: "/ingest" });
      assert.equal(lines.at(-1)?.method, logged);
    },
  );
});

Deno.test("every answer tells a page the time of the function's clock", async () => {
  await check(
    [{ name: "a verdict", sent: json(good) }, { name: "a refusal", sent: { apikey: "nobody", headers: {} } }],
    async ({ sent }) => {
      const { response } = await answered({ ...sent, headers: { ...sent.headers, origin: ORIGIN } });
      assert.equal(Date.parse(response.headers.get("date") ?? ""), NOW);
      assert.match(response.headers.get("access-control-expose-headers") ?? "", /(^|, )date(,|$)/);
    },
  );
});

Deno.test("one line a request says how it went, and nothing of what was in it", async () => {
  const personal = event({
    session_id: "jo-session-77",
    metadata: {
      content_id: "secret-77",
      duration_seconds: 30,
      email: "jo@example.test",
    },
  });
  const { lines } = await answered({
    ...json([good, personal]),
    path: "/ingest?dry_run=1&x=jo-77",
    headers: {
      "x-forwarded-for": "192.0.2.1",
      origin: "https://jo-77.example",
      "user-agent": "jo-77",
    },
  });
  const told = lines.filter(({ event }) => event === "request");
  assert.equal(told.length, 1);
  assert.doesNotMatch(JSON.stringify(lines), /77|jo@|192\.0/);
  const { request_id: _, ...line } = told[0] ?? {};
  assert.deepEqual(line, {
    event: "request",
    method: "POST",
    route: "/",
    caller: "visitor",
    bytes: JSON.stringify([good, personal]).length,
    dry_run: true,
    events: 2,
    store_ms: 0,
    accepted: 1,
    replayed: 0,
    rejected: 1,
    status: 207,
    ms: 0,
  });
});
