import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import { bodyKind, readBody } from "./body.ts";
import { Refusal, type RefusalCode } from "./refusal.ts";

const LIMITS = { bytes: 1000, ms: 200 };

Deno.test("the media type decides how a body is read", async () => {
  const cases: { name: string; ndjson?: boolean; refused?: RefusalCode }[] = [
    { name: "application/json", ndjson: false },
    { name: "application/json; charset=utf-8", ndjson: false },
    { name: 'Application/JSON; Charset="UTF-8"', ndjson: false },
    { name: "text/plain;charset=UTF-8", ndjson: false },
    { name: "", ndjson: false },
    { name: "application/x-ndjson", ndjson: true },
    { name: "application/ndjson", ndjson: true },
    { name: "application/jsonl", ndjson: true },
    { name: "text/html", refused: "unsupported_media_type" },
    { name: "multipart/form-data", refused: "unsupported_media_type" },
    {
      name: "application/json; charset=latin1",
      refused: "unsupported_media_type",
    },
  ];
  await check(cases, ({ name, ndjson, refused }) => {
    const read = () => bodyKind(new Headers(name ? { "content-type": name } : {}));
    if (refused) assert.throws(read, { code: refused });
    else assert.deepEqual(read(), { ndjson });
  });
});

Deno.test("a body is read up to its limits and no further", async () => {
  const text = (length: number) => new TextEncoder().encode("x".repeat(length));
  const cases: {
    name: string;
    body: BodyInit | null;
    headers?: Record<string, string>;
    length?: number;
    refused?: RefusalCode;
  }[] = [
    { name: "none", body: null, length: 0 },
    { name: "empty", body: "", length: 0 },
    { name: "at the limit", body: text(1000), length: 1000 },
    { name: "one byte over", body: text(1001), refused: "body_too_large" },
    {
      name: "announced over the limit",
      body: "x",
      headers: { "content-length": "1001" },
      refused: "body_too_large",
    },
    {
      name: "in pieces",
      body: pieces([text(400), text(400), text(200)]),
      length: 1000,
    },
    {
      name: "in pieces, one byte over",
      body: pieces([text(400), text(400), text(201)]),
      refused: "body_too_large",
    },
    {
      name: "breaking off",
      body: pieces([text(10)], "break"),
      refused: "body_incomplete",
    },
    {
      name: "never ending",
      body: pieces([text(10)], "hang"),
      refused: "body_timeout",
    },
    {
      name: "gzip",
      body: await gzip(text(1000)),
      headers: { "content-encoding": "gzip" },
      length: 1000,
    },
    {
      name: "gzip, any case",
      body: await gzip(text(3)),
      headers: { "content-encoding": " GZip " },
      length: 3,
    },
    {
      name: "gzip of one byte over",
      body: await gzip(text(1001)),
      headers: { "content-encoding": "gzip" },
      refused: "body_too_large",
    },
    {
      name: "a gzip bomb",
      body: (await gzip(text(900_000))).slice(0, 1000),
      headers: { "content-encoding": "gzip" },
      refused: "body_too_large",
    },
    {
      name: "gzip cut short",
      body: (await gzip(text(1000))).slice(0, -9),
      headers: { "content-encoding": "gzip" },
      refused: "bad_gzip",
    },
    {
      name: "a body that is not gzip, though it says so",
      body: "plain",
      headers: { "content-encoding": "gzip" },
      refused: "bad_gzip",
    },
    {
      name: "identity",
      body: "x",
      headers: { "content-encoding": "identity" },
      length: 1,
    },
    {
      name: "brotli",
      body: "x",
      headers: { "content-encoding": "br" },
      refused: "unsupported_encoding",
    },
    {
      name: "gzip twice",
      body: "x",
      headers: { "content-encoding": "gzip, gzip" },
      refused: "unsupported_encoding",
    },
  ];
  await check(cases, async ({ body, headers = {}, length, refused }) => {
    const request = new Request("http://gate.test/", {
      method: "POST",
      body,
      headers,
    });
    const read = readBody(request, LIMITS);
    if (refused) {
      await assert.rejects(
        read,
        (error) => error instanceof Refusal && error.code === refused,
      );
    } else assert.equal((await read).byteLength, length);
  });
});

Deno.test("a gzip bomb costs no more memory than its limit asks for", async () => {
  const bomb = await gzip(new Uint8Array(200_000_000));
  const request = () =>
    new Request("http://gate.test/", {
      method: "POST",
      body: bomb,
      headers: { "content-encoding": "gzip" },
    });
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 5; i += 1) {
    await assert.rejects(readBody(request(), { bytes: 1_048_576, ms: 5000 }), {
      code: "body_too_large",
    });
  }
  assert.ok(Deno.memoryUsage().rss - before < 64_000_000);
});

async function gzip(
  bytes: Uint8Array,
): Promise<ReturnType<Uint8Array["slice"]>> {
  const stream = new Blob([bytes.slice()]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A body that arrives in pieces and then ends, breaks off or stays open. */
function pieces(
  chunks: readonly Uint8Array[],
  then: "end" | "break" | "hang" = "end",
): ReadableStream<Uint8Array> {
  const rest = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk) controller.enqueue(chunk);
      else if (then === "end") controller.close();
      else if (then === "break") {
        controller.error(new Error("connection reset"));
      } else return new Promise(() => {});
      return Promise.resolve();
    },
  });
}
