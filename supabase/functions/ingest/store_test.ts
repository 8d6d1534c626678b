import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { check } from "../../../tests/function/check.ts";
import { Refusal } from "./refusal.ts";
import { createSign } from "./sign.ts";
import { createStore, StoreFailure } from "./store.ts";

const ARGUMENT = new TextEncoder().encode('{"batch":{"accepted":[]}}').slice();

interface Seen {
  path: string;
  headers: Headers;
  body: string;
}

/** A store on this machine that answers as told. */
async function withStore<T>(
  answer: (seen: Seen) => Response | Promise<Response>,
  work: (url: string, seen: Seen[]) => Promise<T>,
): Promise<T> {
  const seen: Seen[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const one = {
        path: new URL(request.url).pathname,
        headers: request.headers,
        body: await request.text(),
      };
      seen.push(one);
      return await answer(one);
    },
  );
  try {
    return await work(`http://127.0.0.1:${server.addr.port}`, seen);
  } finally {
    await server.shutdown();
  }
}

Deno.test("a batch travels as it is, in one call, with the service key", async () => {
  const recorded = { recorded: true, accepted: 1, replayed: [], rejected: [] };
  await withStore(() => Response.json(recorded), async (url, seen) => {
    const store = createStore({ url, key: "sb_secret_one", timeoutMs: 1000, sign: null });
    assert.deepEqual(await store.ingest(ARGUMENT), recorded);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.path, "/rest/v1/rpc/ingest_audience_events");
    assert.equal(seen[0]?.body, '{"batch":{"accepted":[]}}');
    assert.equal(seen[0]?.headers.get("apikey"), "sb_secret_one");
    assert.equal(seen[0]?.headers.get("authorization"), "Bearer sb_secret_one");
    assert.equal(seen[0]?.headers.get("content-type"), "application/json");
    assert.equal(seen[0]?.headers.get("content-profile"), "public");
  });
});

Deno.test("with a signing key the batch goes as a text, and its signature is over the very bytes, a time and a nonce", async () => {
  const key = "0b".repeat(32);
  const sign = createSign({
    key,
    clock: () => 1_790_000_000_000,
    randomBytes: (count) => new Uint8Array(count).fill(7),
  });
  await withStore(() => Response.json({ recorded: true }), async (url, seen) => {
    await createStore({ url, key: "sb_secret_one", timeoutMs: 1000, sign }).ingest(ARGUMENT);
    assert.equal(seen[0]?.path, "/rest/v1/rpc/ingest_audience_events_signed");
    const sent = JSON.parse(seen[0]?.body ?? "");
    assert.equal(sent.body, '{"batch":{"accepted":[]}}');
    const nonce = "07".repeat(16);
    const id = createHash("sha256").update(`audience-gate key id|${key}`).digest("hex").slice(0, 16);
    const digest = createHmac("sha256", Buffer.from(key, "hex"))
      .update(`1790000000000.${nonce}.{"batch":{"accepted":[]}}`).digest("hex");
    assert.equal(sent.signature, `t=1790000000000,n=${nonce},k=${id},s=${digest}`);
  });
});

Deno.test("without a signing key no more is sent than the database judges again", async () => {
  const store = createStore({ url: "http://127.0.0.1:9", key: "key", timeoutMs: 500, sign: null });
  const told = await Promise.resolve().then(() => store.ingest(new Uint8Array(131_073))).catch((error) => error);
  assert.ok(told instanceof Refusal);
  assert.equal(told.code, "body_too_large");
});

Deno.test("a store that does not confirm is described in words that are safe to log", async () => {
  let answerLate = () => {};
  const personal = { message: "Key (email)=(jo@example.test)", code: "23505" };
  const cases: {
    name: string;
    answer: () => Response | Promise<Response>;
    says: string;
  }[] = [
    {
      name: "an error of the database",
      answer: () => Response.json(personal, { status: 409 }),
      says: "http 409, 23505",
    },
    {
      name: "the migrations are missing",
      answer: () => Response.json({ code: "PGRST202" }, { status: 404 }),
      says: "http 404, PGRST202",
    },
    {
      name: "a gateway's page",
      answer: () => new Response("<h1>jo@example.test</h1>", { status: 502 }),
      says: "http 502",
    },
    {
      name: "a code that is not valid",
      answer: () => Response.json({ code: "jo@example.test" }, { status: 500 }),
      says: "http 500",
    },
    {
      name: "an answer cut short",
      answer: () => new Response('{"recorded":tr'),
      says: "connection failed: SyntaxError",
    },
    {
      name: "a batch that was not recorded",
      answer: () => Response.json({ recorded: false, failed: "too much work" }),
      says: "not recorded: too much work",
    },
    {
      name: "another function's answer",
      answer: () => Response.json(true),
      says: "the answer is not one of ingest_audience_events",
    },
    {
      name: "no answer in time",
      answer: () => new Promise((resolve) => answerLate = () => resolve(new Response())),
      says: "no answer within 150 ms",
    },
  ];
  await check(cases, async ({ answer, says }) => {
    await withStore(answer, async (url) => {
      const store = createStore({ url, key: "key", timeoutMs: 150, sign: null });
      await assert.rejects(
        store.ingest(ARGUMENT),
        (error) => error instanceof StoreFailure && error.message === says,
      );
      answerLate();
    });
  });
});

Deno.test("nobody there", async () => {
  const url = await withStore(
    () => new Response(),
    (url) => Promise.resolve(url),
  );
  const store = createStore({ url, key: "key", timeoutMs: 500, sign: null });
  await assert.rejects(store.ingest(ARGUMENT), {
    message: "connection failed: TypeError",
  });
  await assert.rejects(store.registry(), StoreFailure);
});

Deno.test("a connection that breaks is tried once more, with the same bytes", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const bodies: string[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      const text = await received(connection);
      bodies.push(text);
      if (bodies.length > 1) {
        const body = '{"recorded":true}';
        await connection.write(new TextEncoder().encode(
          `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        ));
      }
      connection.close();
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const store = createStore({
    url: `http://127.0.0.1:${port}`,
    key: "key",
    timeoutMs: 2000,
    sign: null,
  });
  assert.deepEqual(await store.ingest(ARGUMENT), { recorded: true });
  assert.deepEqual(bodies, [
    '{"batch":{"accepted":[]}}',
    '{"batch":{"accepted":[]}}',
  ]);
  listener.close();
  await serving;
});

/** The body of one request whose end is its closing braces. */
async function received(connection: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(4096);
  while (!text.endsWith("}}")) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text.split("\r\n\r\n")[1] ?? "";
}
