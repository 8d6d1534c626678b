import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { check } from "../../../tests/function/check.ts";
import { Refusal } from "./refusal.ts";
import { createVerifyUser } from "./users.ts";

const USER = "7d9f5a4e-3c1b-4f0a-9b3e-2a6d1c8e4f50";
const now = () => Math.floor(Date.now() / 1000);

const base64url = (data: string | ArrayBuffer) =>
  Buffer.from(typeof data === "string" ? data : new Uint8Array(data))
    .toString("base64url");

// A key id of its own for every key: the auth client shares its key cache between instances.
async function signingKey(kid: string = crypto.randomUUID()) {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign", "verify"],
  );
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const jwk = { kty, crv, x, y, kid, alg: "ES256", key_ops: ["verify"] };
  const sign = async (
    claims: Record<string, unknown>,
    header: Record<string, unknown> = {},
  ) => {
    const text = [{ alg: "ES256", typ: "JWT", kid, ...header }, {
      sub: USER,
      role: "authenticated",
      aud: "authenticated",
      exp: now() + 3600,
      ...claims,
    }].map((part) => base64url(JSON.stringify(part))).join(".");
    const signature = await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" },
      privateKey,
      new TextEncoder().encode(text),
    );
    return `${text}.${base64url(signature)}`;
  };
  return { jwk, sign };
}

/** The auth server as far as it matters here: its public keys, and what it says of a token it signed itself. */
async function withAuth(
  jwk: object,
  work: (
    auth: { url: string; calls: string[]; mood: { status: number } },
  ) => Promise<void>,
) {
  const calls: string[] = [];
  const mood = { status: 200 };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname } = new URL(request.url);
      calls.push(pathname);
      if (mood.status !== 200) {
        return Response.json({ message: "out of order" }, {
          status: mood.status,
        });
      }
      if (pathname.endsWith("jwks.json")) return Response.json({ keys: [jwk] });
      return request.headers.get("authorization")?.endsWith(".legacy")
        ? Response.json({ id: USER, aud: "authenticated" })
        : Response.json({ code: 403, error_code: "bad_jwt" }, { status: 403 });
    },
  );
  try {
    await work({ url: `http://127.0.0.1:${server.addr.port}`, calls, mood });
  } finally {
    await server.shutdown();
  }
}

const legacy = (claims: Record<string, unknown> = {}, signature = "legacy") =>
  [
    { alg: "HS256", typ: "JWT" },
    { sub: USER, role: "authenticated", exp: now() + 3600, ...claims },
  ].map((part) => base64url(JSON.stringify(part))).join(".") + `.${signature}`;

Deno.test("a user token is good only if this project signed it for a user, and lately", async () => {
  const key = await signingKey();
  const stranger = await signingKey(key.jwk.kid);
  const [head = "", , tail = ""] = (await key.sign({})).split(".");
  const swapped = base64url(
    JSON.stringify({
      sub: crypto.randomUUID(),
      role: "authenticated",
      exp: now() + 3600,
    }),
  );
  const cases: { name: string; token: string; good?: boolean }[] = [
    { name: "asymmetric", token: await key.sign({}), good: true },
    {
      name: "legacy secret, vouched for by the auth server",
      token: legacy(),
      good: true,
    },
    {
      name: "anonymous sign-in",
      token: await key.sign({ is_anonymous: true }),
      good: true,
    },
    { name: "expired", token: await key.sign({ exp: now() - 1 }) },
    { name: "without an end", token: await key.sign({ exp: undefined }) },
    {
      name: "signed by somebody else under our key's name",
      token: await stranger.sign({}),
    },
    { name: "claims swapped", token: `${head}.${swapped}.${tail}` },
    {
      name: "unknown key id, unknown to the auth server",
      token: await key.sign({}, { kid: "other" }),
    },
    {
      name: "algorithm none",
      token: `${base64url(JSON.stringify({ alg: "none", kid: key.jwk.kid }))}.${swapped}.`,
    },
    { name: "the public key as a shared secret", token: legacy({}, "forged") },
    { name: "service role", token: await key.sign({ role: "service_role" }) },
    { name: "anon role", token: await key.sign({ role: "anon" }) },
    { name: "no subject", token: await key.sign({ sub: undefined }) },
    {
      name: "a subject that is not an id",
      token: await key.sign({ sub: "admin" }),
    },
    { name: "not a token", token: "hello" },
    { name: "three words", token: "a.b.c" },
    {
      name: "not JSON inside",
      token: `${base64url("{")}.${base64url("{")}.${base64url("x")}`,
    },
  ];
  await withAuth(key.jwk, async ({ url }) => {
    const verify = createVerifyUser({
      url,
      key: "key",
      jwks: null,
      timeoutMs: 2000,
      clock: Date.now,
    });
    await check(cases, async ({ token, good }) => {
      if (good) assert.equal(await verify(token), USER);
      else {
        await assert.rejects(
          verify(token),
          (error) => error instanceof Refusal && error.code === "bad_credentials",
        );
      }
    });
  });
});

Deno.test("signing keys from the environment spare the auth server", async () => {
  const key = await signingKey();
  await withAuth(key.jwk, async ({ url, calls }) => {
    const jwks = { keys: [key.jwk] };
    const verify = createVerifyUser({
      url,
      key: "key",
      jwks,
      timeoutMs: 2000,
      clock: Date.now,
    });
    assert.equal(await verify(await key.sign({})), USER);
    assert.deepEqual(calls, []);
  });
});

Deno.test("a session's requests ask once a minute, and never past the token's end", async () => {
  const key = await signingKey();
  await withAuth(key.jwk, async ({ url, calls }) => {
    let time = Date.now();
    const verify = createVerifyUser({
      url,
      key: "key",
      jwks: null,
      timeoutMs: 2000,
      clock: () => time,
    });
    const lasting = legacy();
    const ending = legacy({ exp: Math.floor(time / 1000) + 30 });
    for (const token of [lasting, lasting, ending, ending]) await verify(token);
    assert.equal(calls.length, 2);
    time += 59_000;
    await verify(lasting);
    assert.equal(calls.length, 2);
    await verify(ending);
    assert.equal(calls.length, 3);
    time += 2_000;
    await verify(lasting);
    assert.equal(calls.length, 4);
  });
});

Deno.test("an auth server out of order is not the caller's fault", async () => {
  const key = await signingKey();
  await withAuth(key.jwk, async ({ url, mood }) => {
    const verify = createVerifyUser({
      url,
      key: "key",
      jwks: null,
      timeoutMs: 2000,
      clock: Date.now,
    });
    for (const status of [500, 503, 429]) {
      mood.status = status;
      for (const token of [legacy(), await key.sign({})]) {
        await assert.rejects(verify(token), { code: "auth_unavailable" });
      }
    }
    mood.status = 200;
    assert.equal(await verify(legacy()), USER);
  });
});
