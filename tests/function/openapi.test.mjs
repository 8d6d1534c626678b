/**
 * `openapi.yaml` and `HTTP.md` are compared with the function in both directions: a real request gets every answer that
 * they list, as they describe it, and nothing that the function can answer is missing from them.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Validator } from "@seriousme/openapi-schema-validator";
import { buildSync } from "esbuild";
import { freePort, listen } from "../../local/ports.mjs";
import { publishableKey, secretKey } from "../../local/settings.mjs";
import { startStack } from "../../local/stack.mjs";
import { check as judged } from "../../pkg/inline.js";
import { root } from "../runner/paths.mjs";
import { begun } from "../stack/beginning.mjs";
import { document, faults, faultsOf, listed, listedCodes } from "./openapi.mjs";
import { serveFunction } from "./serve.mjs";

const source = join(root, "supabase/functions/ingest");
const folder = mkdtempSync(join(tmpdir(), "audience-gate-openapi-"));
/** Undone last first. @type {(() => unknown)[]} */
const undo = [() => rmSync(folder, { recursive: true, force: true })];

/** The function on the local stack, without a store, and on a store that answers nonsense. */
const at = { stack: "", cut: "", nonsense: "" };
/** @type {Awaited<ReturnType<typeof serveFunction>>} */
let cut;
/** @type {Awaited<ReturnType<typeof startStack>>["database"]} */
let database;

before(async () => {
  await begun(folder);
  const stack = await startStack({ folder, port: await freePort(), demo: false, pages: false });
  undo.push(stack.close);
  database = stack.database;
  await stack.database.query(
    "update public.audience_rate_limits set burst = 40, per_minute = 1, shards = 1 where scope = 'session'",
  );
  const store = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    const registry = { version: "1", default_site: "", sites: [], event_types: 5 };
    const name = request.url?.split("/").at(-1) ?? "";
    const answers = /** @type {Record<string, unknown>} */ ({ audience_registry: registry, audience_checkpoint: null });
    const answer = name in answers ? answers[name] : { recorded: true, replayed: { length: 1 } };
    request.resume().on("end", () => response.end(JSON.stringify(answer)));
  });
  const port = await listen(store, await freePort(), { exactly: true });
  undo.push(() => store.close());
  cut = await serveFunction();
  undo.push(cut.stop);
  const nonsense = await serveFunction({ store: `http://127.0.0.1:${port}` });
  undo.push(nonsense.stop);
  Object.assign(at, { stack: `${stack.url}/functions/v1/ingest`, cut: cut.url, nonsense: nonsense.url });
});
after(async () => {
  for (const step of undo.reverse()) await step();
});

const event = (/** @type {Record<string, unknown>} */ changes = {}) => ({
  session_id: `session-${randomUUID().replaceAll(/\d/g, "x")}`,
  event_type: "content_view",
  event_category: "engagement",
  event_source: "openapi-test",
  metadata: { content_id: "a", duration_seconds: 30 },
  ...changes,
});
const json = (/** @type {unknown} */ value) => ({ body: JSON.stringify(value) });
const bad = () => event({ session_id: "short" });
const twice = event({ id: randomUUID() });
const report = (
  /** @type {unknown} */ violations = [{ rule_id: "sanity.session_id_length", path: "/session_id" }],
) => ({
  violations,
  event: bad(),
});
/** More than a session may send at once; the next request is refused. */
const crowd = Array(41).fill(event());
/** A token that only the auth server could verify. */
const token = [{ alg: "HS256", typ: "JWT" }, { sub: randomUUID(), exp: 4_000_000_000 }, "signature"]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
const origin = "https://www.example.com";

/**
 * @typedef {object} Case
 * @property {string} [name] what is special about it
 * @property {string} [sql] run before it
 * @property {keyof typeof at} [on]
 * @property {string} [path] as the document names it
 * @property {string} [address] what is really asked for
 * @property {string} [method]
 * @property {Record<string, string>} [headers]
 * @property {string | null} [key]
 * @property {string | Uint8Array | ReadableStream} [body]
 * @property {number} status
 * @property {string} [code]
 */
/** @type {Case[]} */
const CASES = [
  { ...json(event()), status: 200 },
  { ...json([event(), event()]), status: 200, name: "an array" },
  { ...json({ events: [event()] }), status: 200, name: "events in an object" },
  { ...json([]), status: 200, name: "nothing to judge" },
  { ...json(twice), status: 200, name: "the first time" },
  { ...json(twice), status: 200, name: "replayed" },
  { ...json(event()), address: "?dry_run=1", status: 200, name: "a dry run" },
  { ...json(event()), address: `?apikey=${publishableKey}`, key: null, status: 200, name: "a beacon" },
  { body: gzipSync(JSON.stringify(event())), headers: { "content-encoding": "gzip" }, status: 200, name: "gzip" },
  ...["application/x-ndjson", "application/ndjson", "application/jsonl", "text/plain"].map((type) => ({
    body: JSON.stringify(event()),
    headers: { "content-type": type },
    status: 200,
    name: type,
  })),
  {
    body: `${JSON.stringify(event())}\n${JSON.stringify(bad())}\n`,
    headers: { "content-type": "application/x-ndjson" },
    status: 207,
  },
  { body: "{hello", status: 400, name: "not JSON" },
  { body: "x", headers: { "content-encoding": "gzip" }, status: 400, code: "bad_gzip" },
  { ...json(event()), key: null, status: 401, code: "no_credentials" },
  { ...json(event()), key: "nobody", status: 401, code: "bad_credentials" },
  { ...json(event()), address: "/nothing", status: 404, code: "not_found" },
  { method: "get", status: 405, code: "method_not_allowed" },
  { on: "cut", body: unending(), status: 408, code: "body_timeout" },
  { body: "x".repeat(1_048_577), status: 413, code: "body_too_large" },
  { ...json(Array(1001).fill(event())), status: 413, code: "too_many_events" },
  { body: "<a/>", headers: { "content-type": "text/xml" }, status: 415, code: "unsupported_media_type" },
  { body: "x", headers: { "content-encoding": "br" }, status: 415, code: "unsupported_encoding" },
  { ...json(bad()), status: 422 },
  { ...json(crowd), status: 207, name: "the same, 41 times" },
  { ...json(crowd), status: 429, code: "rate_limited" },
  { on: "nonsense", ...json(event()), status: 500, code: "internal" },
  { on: "cut", ...json(event()), status: 503, code: "store_unavailable" },
  {
    on: "cut",
    ...json(event()),
    headers: { authorization: `Bearer ${token}` },
    status: 503,
    code: "auth_unavailable",
  },
  ...[
    { ...json([report(), report()]), status: 200 },
    { ...json([report(), report([])]), status: 207 },
    { ...json([report([{ rule_id: "no.rule" }])]), status: 422 },
    { ...json([event()]), status: 400, code: "bad_reports" },
    { ...json([report()]), key: null, status: 401, code: "no_credentials" },
    { body: "x".repeat(65_537), status: 413, code: "body_too_large" },
    { body: "<a/>", headers: { "content-type": "text/xml" }, status: 415, code: "unsupported_media_type" },
    {
      ...json([report()]),
      sql: "update public.audience_rate_limits set burst = 1, per_minute = 1 where scope = 'address'",
      status: 200,
      name: "the last that the limit allows",
    },
    { ...json([report()]), status: 429, code: "rate_limited" },
    { on: /** @type {const} */ ("nonsense"), ...json([report()]), status: 503, code: "store_unavailable" },
    { on: /** @type {const} */ ("cut"), ...json([report()]), status: 503, code: "store_unavailable" },
    { method: "get", status: 405, code: "method_not_allowed" },
  ].map((one) => ({ path: "/reports", ...one })),
  ...[
    { status: 200, name: "nothing is due" },
    {
      address: "?test=1",
      sql:
        "select public.audience_add_alert_destination(audience_gate.default_site(), 'down', 'slack', 'http://127.0.0.1:1')",
      status: 200,
      name: "a test that does not arrive",
    },
    { key: publishableKey, status: 401, code: "bad_credentials" },
    { on: /** @type {const} */ ("nonsense"), status: 503, code: "store_unavailable" },
    { on: /** @type {const} */ ("cut"), status: 503, code: "store_unavailable" },
    { method: "get", status: 405, code: "method_not_allowed" },
  ].map((one) => ({ path: "/alerts", key: secretKey, ...one })),
  { method: "options", headers: { origin, "access-control-request-method": "POST" }, key: null, status: 204 },
  {
    path: "/checkpoint",
    sql:
      "insert into audience_gate.checkpoint (size, note) values (1, e'example.com/events\n1\nAAAA\n\n\u2014 example.com/events AAAA\n')",
    method: "get",
    key: null,
    status: 200,
  },
  { on: "nonsense", path: "/checkpoint", method: "get", key: null, status: 404, code: "not_found" },
  { on: "cut", path: "/checkpoint", method: "get", status: 503, code: "store_unavailable" },
  ...["/contract", "/registry", "/checkpoint", "/health"].flatMap((path) => [
    { path, method: "get", key: null, status: 200 },
    { path, method: "post", status: 405, code: "method_not_allowed" },
  ]),
  ...["/contract", "/registry", "/checkpoint"].map((path) => ({
    path,
    method: "get",
    key: null,
    headers: { "if-none-match": "its own" },
    status: 304,
  })),
  ...["/registry", "/health"].flatMap((path) => [
    { on: /** @type {const} */ ("nonsense"), path, method: "get", status: 500, code: "internal" },
    { on: /** @type {const} */ ("cut"), path, method: "get", status: 503, code: "store_unavailable" },
  ]),
];

function unending() {
  return new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("[")) });
}

/** @param {Case} one */
async function answerTo({ on = "stack", path = "/", address = "", method = "post", headers = {}, key, body }) {
  const url = at[on] + (path === "/" ? "" : path) + address;
  const sent = new Headers({ "content-type": "application/json", ...headers });
  if (key !== null) sent.set("apikey", key ?? publishableKey);
  if (sent.has("if-none-match")) sent.set("if-none-match", (await fetch(url)).headers.get("etag") ?? "");
  // A body that is streamed needs `duplex`, which the type of `fetch` does not know.
  const init = { method: method.toUpperCase(), headers: sent, body: body ?? null, duplex: "half" };
  const response = await fetch(url, /** @type {RequestInit} */ (init));
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test("openapi.yaml is a valid document of OpenAPI 3.1", async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors, null, 2));
});

test("the function gives every answer that it lists, as it describes it", async () => {
  const failures = [];
  for (const one of CASES) {
    const { path = "/", method = "post", code, name = "", sql } = one;
    if (sql) await database.query(sql);
    const { status, headers, text } = await answerTo(one);
    const found = status === one.status ? faultsOf({ path, method, status }, headers, text) : [`answered ${status}`];
    if (code !== undefined && JSON.parse(text || "{}").error?.code !== code) found.push(`the code is not ${code}`);
    failures.push(
      ...found.map((fault) => `${method} ${path} ${one.status} ${code ?? name}: ${fault}\n  ${text.slice(0, 300)}`),
    );
  }
  for (const { path, method, status } of listed) {
    if (
      !CASES.some((one) => (one.path ?? "/") === path && (one.method ?? "post") === method && one.status === status)
    ) {
      failures.push(`${method} ${path} ${status}: no request of this test gets this answer`);
    }
  }
  for (const [code] of listedCodes()) {
    if (code !== "body_incomplete" && !CASES.some((one) => one.code === code)) {
      failures.push(`${code}: no request of this test gets this answer`);
    }
  }
  assert.deepEqual(failures, [], failures.join("\n"));
});

test("a body that breaks off is answered 400, which its sender can no longer read", async () => {
  const { hostname, port, pathname } = new URL(at.cut);
  const socket = connect(Number(port), hostname);
  socket.end(`POST ${pathname} HTTP/1.1\r\nHost: gate\r\napikey: ${publishableKey}\r\nContent-Length: 100\r\n\r\n[{`);
  await once(socket.resume(), "close");
  assert.deepEqual([cut.lines.at(-1)?.status, cut.lines.at(-1)?.code], [400, "body_incomplete"]);
  assert.ok(listedCodes().some(([code, status]) => code === "body_incomplete" && status === 400));
});

test("everything the function can answer is listed, in openapi.yaml and in HTTP.md", () => {
  const { outputFiles: [file] } = buildSync({
    stdin: { contents: `export { STATUS } from "./refusal.ts"`, resolveDir: source },
    bundle: true,
    write: false,
    format: "cjs",
  });
  const module = { exports: /** @type {{ STATUS?: Record<string, number> }} */ ({}) };
  new Function("module", file.text)(module);
  const codes = Object.entries(module.exports.STATUS ?? {}).sort();
  assert.deepEqual([...new Map(listedCodes())].sort(), codes);

  const guide = readFileSync(join(root, "HTTP.md"), "utf8");
  const told = [...guide.matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)].map(([, status, code]) => [code, Number(status)]);
  assert.deepEqual(told.sort(), codes);

  const written = readdirSync(source).filter((name) => name.endsWith(".ts") && !name.endsWith("_test.ts"))
    .flatMap((
      name,
    ) => [...readFileSync(join(source, name), "utf8").matchAll(/(?:status: |return |\? |: )([2-5]\d\d)\b/g)])
    .map(([, status]) => Number(status));
  const statuses = new Set(listed.map(({ status }) => status));
  assert.ok(written.length > codes.length);
  assert.deepEqual(written.filter((status) => !statuses.has(status)), []);
  const missing = [...statuses].filter((status) => !new RegExp(`^\\| ${status} \\|`, "m").test(guide));
  assert.deepEqual(missing, [], "HTTP.md does not explain these");
});

test("an event that the contract accepts satisfies its schema, and null is accepted where the schema takes it", () => {
  const { rules } = JSON.parse(readFileSync(join(root, "contract.json"), "utf8"));
  const { properties } = document.components.schemas.Event;
  const failures = rules.flatMap((/** @type {{ id: string, accepts: string }} */ { id, accepts }) =>
    faults("/components/schemas/Event", JSON.parse(accepts)).map((fault) => `${id}: ${fault}`)
  );
  for (const name of Object.keys(properties)) {
    const takes = faults("/components/schemas/Event", event({ [name]: null })).length === 0;
    const { violations } = judged(event({ [name]: null }));
    const { accepted } = judged(event());
    assert.ok(accepted);
    // Without metadata an event of this category lacks its subject, which no schema of the envelope can know.
    const holds = violations.every(({ rule_id }) => rule_id.startsWith("engagement."));
    if (takes !== holds) failures.push(`${name}: the schema ${takes ? "takes" : "refuses"} null`);
  }
  assert.deepEqual(failures, [], failures.join("\n"));
});
