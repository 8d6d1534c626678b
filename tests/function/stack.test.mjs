/** The whole local stack, reached as an application reaches it: with supabase-js, real sign-ups and real tokens. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createClient } from "@supabase/supabase-js";
import { startStack } from "../../local/stack.mjs";
import { freePort } from "../../local/ports.mjs";
import { smoke } from "./smoke.mjs";
import { begun } from "../stack/beginning.mjs";
import { until } from "../until.mjs";

const folder = mkdtempSync(join(tmpdir(), "audience-gate-function-"));
/** @type {import("../../local/stack.mjs").Stack} */
let stack;
/** @type {string} */
let endpoint;

before(async () => {
  await begun(folder);
  stack = await startStack({
    folder,
    port: await freePort(),
    demo: false,
    pages: false,
  });
  endpoint = `${stack.url}/functions/v1/ingest`;
});

after(async () => {
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
});

const client = (/** @type {string} */ key) =>
  createClient(stack.url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    // Node 20 has no WebSocket, but this opens none.
    realtime: { transport: /** @type {never} */ (class {}) },
  });

const event = (/** @type {Record<string, unknown>} */ changes = {}) => ({
  id: randomUUID(),
  session_id: `session-${
    Array.from(
      { length: 20 },
      () => String.fromCharCode(97 + Math.random() * 26),
    ).join("")
  }`,
  event_type: "content_view",
  event_category: "engagement",
  event_source: "stack-test",
  metadata: { content_id: "a", duration_seconds: 30 },
  ...changes,
});

/** @param {unknown} body @param {Record<string, string>} [headers] @param {string} [query] */
async function send(
  body,
  headers = { apikey: stack.publishableKey },
  query = "",
) {
  const response = await fetch(endpoint + query, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" || body instanceof Uint8Array
      ? /** @type {BodyInit} */ (body)
      : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    answer: await response.json(),
  };
}

/**
 * The rows of these events: the events themselves, or the audit rows of their rejections.
 *
 * @param {string[]} ids @returns {Promise<Record<string, any>[]>}
 */
const rows = async (ids) =>
  (await stack.database.query(
    `select id, event_type, user_id, rejected, metadata from public.audience_events
     where id = any ($1) or (rejected and metadata ->> 'event_id' = any ($1::text[]))`,
    [ids],
  )).rows;

test("supabase-js sends an event for a visitor, a signed-in user and a back end", async () => {
  const visitor = client(stack.publishableKey);
  const nobody = event();
  const first = await visitor.functions.invoke("ingest", { body: nobody });
  assert.equal(first.error, null);
  assert.equal(first.data.accepted, 1);

  const email = `user-${randomUUID()}@example.test`;
  const { data: { session, user }, error } = await visitor.auth.signUp({
    email,
    password: "correct horse battery",
  });
  assert.equal(error, null);
  assert.ok(session && user);
  const own = event();
  const someoneElses = event({ user_id: randomUUID() });
  const second = await visitor.functions.invoke("ingest", {
    body: [own, someoneElses],
  });
  assert.deepEqual(
    second.data.results.map((
      /** @type {{ status: string, rule_id?: string }} */ { status, rule_id },
    ) => rule_id ?? status),
    ["accepted", "identity.user_id"],
  );

  const backEnd = client(stack.secretKey);
  const anybodys = event({ user_id: user.id });
  const third = await backEnd.functions.invoke("ingest", { body: anybodys });
  assert.equal(third.data.accepted, 1);

  const stored = new Map(
    (await rows([nobody.id, own.id, anybodys.id])).map((
      row,
    ) => [row.id, row.user_id]),
  );
  assert.deepEqual(Object.fromEntries(stored), {
    [nobody.id]: null,
    [own.id]: user.id,
    [anybodys.id]: user.id,
  });
});

test("a token that nobody signed is refused", async () => {
  const part = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const forged = [
    part({ alg: "HS256", typ: "JWT" }),
    part({ sub: randomUUID(), role: "authenticated", exp: 4102444800 }),
    "c2lnbmF0dXJl",
  ].join(".");
  const { status, answer } = await send(event(), {
    apikey: stack.publishableKey,
    authorization: `Bearer ${forged}`,
  });
  assert.deepEqual([status, answer.error.code], [401, "bad_credentials"]);
});

test("a rejected event becomes one redacted row, however often it is sent", async () => {
  const rejected = event({
    session_id: "short",
    metadata: { content_id: "a", note: "write to jo@example.test" },
  });
  for (let i = 0; i < 2; i += 1) {
    const { status, answer } = await send(rejected);
    assert.equal(status, 422);
    assert.equal(answer.results[0].rule_id, "sanity.session_id_length");
    assert.ok(!JSON.stringify(answer).includes("jo@example"));
  }
  const [row, ...more] = await rows([rejected.id]);
  assert.equal(more.length, 0);
  assert.equal(row?.event_type, "event_validation_fail");
  assert.ok(!JSON.stringify(row).includes("jo@example"));
});

test("a repeat is refused by the store, and a retry is a replay", async () => {
  const first = event();
  const repeat = { ...first, id: randomUUID() };
  assert.equal((await send(first)).answer.accepted, 1);
  const { status, answer } = await send([first, repeat, event()]);
  assert.equal(status, 207);
  assert.deepEqual([answer.accepted, answer.replayed, answer.rejected], [
    1,
    1,
    1,
  ]);
  assert.equal(answer.results[0].replayed, true);
  assert.equal(answer.results[1].rule_id, "duplicate.double_fire");
});

test("a dry run gives the same answer and records nothing", async () => {
  const tried = [event(), event({ session_id: "short" })];
  const { status, answer } = await send(tried, undefined, "?dry_run=1");
  assert.deepEqual([status, answer.accepted, answer.rejected], [207, 1, 1]);
  assert.deepEqual(await rows(tried.map(({ id }) => id)), []);
});

test("beacons, NDJSON and gzip arrive", async () => {
  const events = [event(), event()];
  const lines = events.map((one) => JSON.stringify(one)).join("\n");
  const beacon = await send(JSON.stringify(event()), {
    "content-type": "text/plain;charset=UTF-8",
  }, `?apikey=${stack.publishableKey}`);
  const key = { apikey: stack.publishableKey };
  const ndjson = await send(lines, {
    ...key,
    "content-type": "application/x-ndjson",
  });
  const zipped = await send(gzipSync(JSON.stringify({ events: [event()] })), {
    ...key,
    "content-encoding": "gzip",
  });
  assert.deepEqual([
    beacon.answer.accepted,
    ndjson.answer.accepted,
    zipped.answer.accepted,
  ], [1, 2, 1]);
});

test("a body that is not JSON is answered 400 and leaves its row", async () => {
  const recorded = async () => {
    const { rows: [{ count }] } = await stack.database.query(
      "select count(*)::integer from public.audience_events where metadata ->> 'validation_rule_id' = 'parse.json'",
    );
    return count;
  };
  const before = await recorded();
  const { status, answer } = await send("{not json");
  assert.deepEqual([status, answer.results[0].rule_id], [400, "parse.json"]);
  assert.equal(await recorded(), Number(before) + 1);
});

test("a site that lists its origins is closed to others", async () => {
  const site = randomUUID();
  await stack.database.query(
    "insert into public.audience_sites (id, name, origins) values ($1, 'Own', array['https://own.example'])",
    [site],
  );
  const from = (/** @type {string} */ origin) =>
    send(event({ site_id: site }), { apikey: stack.publishableKey, origin });
  // The function learns of the new site within seconds of the first rejection; the database knows it at once.
  await until(async () => {
    const { status, answer } = await from("https://own.example");
    return status === 200 || answer;
  }, "its own origin is welcome");
  const stranger = await from("https://evil.example");
  assert.equal(stranger.answer.results[0].rule_id, "identity.site");
});

for (const scope of ["address", "session", "site", "caller"]) {
  test(`the limit of a ${scope} is reported with the time to wait, and nothing is recorded`, async () => {
    const { rows: [before] } = await stack.database.query(
      "select burst, per_minute, shards from public.audience_rate_limits where scope = $1",
      [scope],
    );
    const limit = (/** @type {unknown[]} */ ...values) =>
      stack.database.query(
        "update public.audience_rate_limits set burst = $2, per_minute = $3, shards = $4 where scope = $1",
        [scope, ...values],
      );
    const { data: { session } } = await client(stack.publishableKey).auth
      .signUp({
        email: `user-${randomUUID()}@example.test`,
        password: "correct horse battery",
      });
    const headers = {
      apikey: stack.publishableKey,
      authorization: `Bearer ${session?.access_token}`,
    };
    // One session with four seconds between its events, so that there are no repeats.
    const one = event();
    let past = Date.now();
    const batch = () =>
      [0, 1, 2].map(() => ({
        ...one,
        id: randomUUID(),
        occurred_at: new Date(past -= 4000).toISOString(),
      }));
    // Every scope starts with full buckets, because those of another test would make this sender wait for the wrong
    // limit.
    await stack.database.query("delete from audience_gate.rate_buckets");
    await limit(32, 1, 1);
    const answers = [];
    for (let i = 0; i < 24 && answers.at(-1)?.status !== 429; i += 1) {
      answers.push(await send(batch(), headers));
    }
    const refused = batch();
    const limited = await send(refused, headers);
    await limit(before?.burst, before?.per_minute, before?.shards);
    assert.equal(
      limited.status,
      429,
      `never limited: ${JSON.stringify(limited.answer)}`,
    );
    assert.ok(Number(limited.headers.get("retry-after")) >= 1);
    assert.equal(limited.answer.error.code, "rate_limited");
    assert.deepEqual(await rows(refused.map(({ id }) => id)), []);
    assert.equal(
      (await send(event(), { apikey: stack.secretKey })).status,
      200,
      "a back end is not limited",
    );
  });
}

test("requests that are refused whole are counted, and shown with the quality figures", async () => {
  const counted = async () => {
    const { rows } = await stack.database.query(
      `select coalesce(sum(requests), 0)::int as requests from public.kpi_refused_requests(
         audience_gate.default_site(), now() - interval '1 day', now() + interval '1 day') where reason = 'no_credentials'`,
    );
    return Number(rows[0].requests);
  };
  const before = await counted();
  for (let sending = 0; sending < 5; sending++) assert.equal((await send(event(), {})).status, 401);
  await until(async () => await counted() === before + 5, "five refused requests are counted");
});

test("the smoke test proves this instance", async () => {
  for (const key of [stack.publishableKey, stack.secretKey]) {
    const results = await smoke(stack.url, key);
    assert.deepEqual(results.filter(({ problem }) => problem !== null), []);
  }
});
