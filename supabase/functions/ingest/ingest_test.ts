import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import { answered, event, json, KEYS, type Scene, type Sent } from "../../../tests/function/scene.ts";
import { StoreFailure } from "./store.ts";

const ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const good = event();
const bad = event({ session_id: "short" });
Deno.test("every status code, for the reason it stands for", async () => {
  const gzipped = await gzip(JSON.stringify(good));
  const cases: {
    name: string;
    sent: Sent;
    prepare?: (scene: Scene) => void;
    status: number;
    code?: string;
    counts?: [accepted: number, replayed: number, rejected: number];
    headers?: Record<string, string | RegExp>;
    stored?: boolean;
  }[] = [
    {
      name: "one event",
      sent: json(good),
      status: 200,
      counts: [1, 0, 0],
      stored: true,
    },
    {
      name: "an array",
      sent: json([good, event({ session_id: "session-0002" })]),
      status: 200,
      counts: [2, 0, 0],
      stored: true,
    },
    {
      name: "events wrapped",
      sent: json({ events: [good] }),
      status: 200,
      counts: [1, 0, 0],
      stored: true,
    },
    {
      name: "NDJSON",
      sent: {
        body: `${JSON.stringify(good)}\n${JSON.stringify(bad)}\n`,
        headers: { "content-type": "application/x-ndjson" },
      },
      status: 207,
      counts: [1, 0, 1],
      stored: true,
    },
    {
      name: "gzip",
      sent: { body: gzipped, headers: { "content-encoding": "gzip" } },
      status: 200,
      counts: [1, 0, 0],
      stored: true,
    },
    {
      name: "a beacon",
      sent: {
        path: `/ingest?apikey=${KEYS.publishable[0]}`,
        apikey: null,
        body: JSON.stringify(good),
        headers: { "content-type": "text/plain;charset=UTF-8" },
      },
      status: 200,
      counts: [1, 0, 0],
      stored: true,
    },
    {
      name: "nothing to judge",
      sent: json([]),
      status: 200,
      counts: [0, 0, 0],
    },
    {
      name: "some rejected",
      sent: json([good, bad]),
      status: 207,
      counts: [1, 0, 1],
      stored: true,
    },
    {
      name: "all rejected",
      sent: json(bad),
      status: 422,
      counts: [0, 0, 1],
      stored: true,
    },
    {
      name: "not JSON",
      sent: { body: "{hello" },
      status: 400,
      counts: [0, 0, 1],
      stored: true,
    },
    {
      name: "empty",
      sent: { body: "" },
      status: 400,
      counts: [0, 0, 1],
      stored: true,
    },
    {
      name: "replayed",
      sent: json([event({ id: ID }), event({ session_id: "session-0002" })]),
      prepare: (scene) => scene.store = () => ({ recorded: true, replayed: [0] }),
      status: 200,
      counts: [1, 1, 0],
      stored: true,
    },
    {
      name: "refused by the store",
      sent: json(good),
      prepare: (scene) =>
        scene.store = () => ({
          recorded: true,
          rejected: [{
            index: 0,
            rule_id: "duplicate.double_fire",
            reason: "sent twice",
            violations: [{ rule_id: "duplicate.double_fire", path: "" }],
          }],
        }),
      status: 422,
      counts: [0, 0, 1],
      stored: true,
    },
    {
      name: "no key",
      sent: { ...json(good), apikey: null },
      status: 401,
      code: "no_credentials",
      headers: { "www-authenticate": "Bearer" },
    },
    {
      name: "a wrong key",
      sent: { ...json(good), apikey: "nobody" },
      status: 401,
      code: "bad_credentials",
    },
    {
      name: "a wrong token",
      sent: { ...json(good), headers: { authorization: "Bearer a.b.c" } },
      status: 401,
      code: "bad_credentials",
    },
    {
      name: "another address",
      sent: { path: "/ingest/nothing" },
      status: 404,
      code: "not_found",
    },
    {
      name: "deeper",
      sent: { path: "/ingest/contract/rules", method: "GET" },
      status: 404,
      code: "not_found",
    },
    {
      name: "GET",
      sent: { method: "GET" },
      status: 405,
      code: "method_not_allowed",
      headers: { allow: "POST, OPTIONS" },
    },
    {
      name: "DELETE",
      sent: { method: "DELETE" },
      status: 405,
      code: "method_not_allowed",
    },
    {
      name: "POST to the contract",
      sent: { path: "/ingest/contract" },
      status: 405,
      code: "method_not_allowed",
      headers: { allow: "GET, HEAD, OPTIONS" },
    },
    {
      name: "a body that hangs",
      sent: { body: new ReadableStream({ pull: () => new Promise(() => {}) }) },
      status: 408,
      code: "body_timeout",
    },
    {
      name: "too large",
      sent: { body: "x".repeat(1_048_577) },
      status: 413,
      code: "body_too_large",
    },
    {
      name: "too many",
      sent: json(Array(1001).fill(good)),
      status: 413,
      code: "too_many_events",
    },
    {
      name: "another media type",
      sent: { body: "<a/>", headers: { "content-type": "text/xml" } },
      status: 415,
      code: "unsupported_media_type",
      headers: { accept: /application\/json/ },
    },
    {
      name: "another encoding",
      sent: { body: "x", headers: { "content-encoding": "br" } },
      status: 415,
      code: "unsupported_encoding",
      headers: { "accept-encoding": "gzip" },
    },
    {
      name: "bad gzip",
      sent: { body: "x", headers: { "content-encoding": "gzip" } },
      status: 400,
      code: "bad_gzip",
    },
    {
      name: "over the rate",
      sent: json(good),
      prepare: (scene) =>
        scene.store = () => ({
          recorded: false,
          limited: { retry_after: 2.2 },
        }),
      status: 429,
      code: "rate_limited",
      headers: { "retry-after": "3" },
      stored: true,
    },
    {
      name: "the store is away",
      sent: json(good),
      prepare: (scene) => scene.store = () => Promise.reject(new StoreFailure("http 502")),
      status: 503,
      code: "store_unavailable",
      headers: { "retry-after": /^\d+$/ },
      stored: true,
    },
    {
      name: "a defect of ours",
      sent: json(good),
      prepare: (scene) => scene.store = () => Promise.reject(new Error("jo@example.test")),
      status: 500,
      code: "internal",
      stored: true,
    },
  ];
  await check(
    cases,
    async (
      { sent, prepare, status, code, counts, headers = {}, stored = false },
    ) => {
      const { response, body, text, batches, lines } = await answered(
        sent,
        prepare,
      );
      assert.equal(response.status, status, text);
      if (counts) {
        const { accepted, replayed, rejected, results } = body;
        assert.deepEqual([accepted, replayed, rejected], counts);
        assert.equal(results.length, accepted + replayed + rejected);
        assert.ok(body.contract);
      } else {
        assert.equal(body.error.code, code);
        assert.ok(body.error.message && body.error.hint);
        assert.ok(!text.includes("jo@example.test"));
      }
      for (const [name, value] of Object.entries(headers)) {
        assert.match(
          response.headers.get(name) ?? "",
          new RegExp(value),
        );
      }
      assert.match(response.headers.get("request-id") ?? "", /^[0-9a-f-]{36}$/);
      assert.match(
        response.headers.get("content-type") ?? "",
        /^application\/json/,
      );
      assert.equal(batches.length, stored ? 1 : 0);
      const line = lines.at(-1);
      assert.deepEqual([line?.event, line?.status, line?.code], [
        "request",
        status,
        code,
      ]);
      assert.equal(line?.request_id, response.headers.get("request-id"));
      assert.ok(!JSON.stringify(lines).includes("jo@example.test"));
    },
  );
});

async function gzip(text: string): Promise<ArrayBuffer> {
  const stream = new Blob([text]).stream().pipeThrough(
    new CompressionStream("gzip"),
  );
  return await new Response(stream).arrayBuffer();
}
