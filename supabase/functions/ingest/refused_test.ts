import assert from "node:assert/strict";
import { event, json, NOW, ORIGIN, OWN_SITE, request, scene, type Sent } from "../../../tests/function/scene.ts";
import { StoreFailure } from "./store.ts";

const minute = new Date(NOW).toISOString();
const good = json(event());

Deno.test("every request that is refused whole is counted, by minute, site and reason", async () => {
  const { handle, refused, settled, time } = scene();
  await settled();
  const cases: [Sent, times: number][] = [
    [{ ...good, apikey: null }, 2],
    [{ ...good, apikey: "sb_publishable_wrong" }, 1],
    [{ ...good, method: "PUT" }, 1],
    [{ ...good, path: "/ingest/nowhere" }, 1],
    [{ body: "x", headers: { "content-type": "image/png" } }, 1],
    [{ ...good, body: JSON.stringify(Array.from({ length: 1001 }, () => 0)) }, 1],
    [{ ...good, apikey: null, headers: { ...good.headers, origin: ORIGIN } }, 3],
    [{ ...good, apikey: null, headers: { ...good.headers, origin: "https://elsewhere.example" } }, 1],
    [good, 4],
  ];
  for (const [sent, times] of cases) {
    for (let sending = 0; sending < times; sending++) await (await handle(request(sent))).text();
  }
  time.now += 60_000;
  await (await handle(request({ ...good, apikey: null }))).text();
  await settled();

  const totals = new Map<string, number>();
  for (const { requests, ...key } of refused) {
    const name = [key.minute, key.site_id ?? "default", key.reason].join(" ");
    totals.set(name, (totals.get(name) ?? 0) + requests);
  }
  assert.deepEqual(Object.fromEntries(totals), {
    [`${minute} default no_credentials`]: 3,
    [`${minute} default bad_credentials`]: 1,
    [`${minute} default method_not_allowed`]: 1,
    [`${minute} default not_found`]: 1,
    [`${minute} default unsupported_media_type`]: 1,
    [`${minute} default too_many_events`]: 1,
    [`${minute} ${OWN_SITE} no_credentials`]: 3,
    [`${new Date(NOW + 60_000).toISOString()} default no_credentials`]: 1,
  });
});

Deno.test("requests that are refused together are sent in one call", async () => {
  let release = () => {};
  const gathered = new Promise<void>((resolve) => release = resolve);
  const { handle, refused, settled } = scene({ pause: () => gathered });
  for (let sending = 0; sending < 100; sending++) {
    await (await handle(request({ ...good, apikey: null }))).text();
  }
  assert.deepEqual(refused, []);
  release();
  await settled();
  assert.deepEqual(refused, [{ minute, site_id: null, reason: "no_credentials", requests: 100 }]);
});

Deno.test("what the store did not take is sent with the next refusal", async () => {
  const prepared = scene();
  const send = async () => {
    await (await prepared.handle(request({ ...good, apikey: null }))).text();
    await prepared.settled();
  };
  prepared.counting = () => Promise.reject(new StoreFailure("http 503"));
  await send();
  assert.deepEqual(prepared.refused, []);
  assert.ok(prepared.lines.some(({ event, failure }) => event === "refused" && failure === "http 503"));
  prepared.counting = () => Promise.resolve();
  await send();
  assert.deepEqual(prepared.refused, [{ minute, site_id: null, reason: "no_credentials", requests: 2 }]);
});
