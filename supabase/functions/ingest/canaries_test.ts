import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import {
  event,
  json,
  KEYS,
  REGISTRY,
  request,
  type Scene,
  scene,
  type Sent,
  USER_TOKEN,
} from "../../../tests/function/scene.ts";
import { NEEDLE, planted, TEXTS } from "../../../tests/support/canaries.mjs";
import type { Deps } from "./ingest.ts";
import { StoreFailure } from "./store.ts";

/** Sends a request, and fails if the answer, a line of the log or a count of refused requests shows a canary. */
async function sends(sent: Sent, prepare: (scene: Scene) => void = () => {}, overrides: Partial<Deps> = {}) {
  const prepared = scene(overrides);
  await prepared.settled();
  prepare(prepared);
  const response = await prepared.handle(request(sent));
  await prepared.settled();
  const headers = [...response.headers].filter(([name]) => name !== "access-control-allow-origin");
  const shown = { answer: await response.text(), headers, lines: prepared.lines, refused: prepared.refused };
  assert.ok(prepared.lines.length > 0, "the request is logged");
  assert.doesNotMatch(JSON.stringify(shown), NEEDLE);
  return { ...prepared, status: response.status };
}

const cases = planted("columns", "metadata", "untyped").map(({ what, changes }) => ({
  name: what,
  sent: event(changes),
}));

Deno.test("no answer, no line of the log and nothing that goes to the store shows what was planted in an event", () =>
  check(cases, async ({ sent }) => {
    for (const path of ["/ingest", "/ingest?dry_run=1"]) {
      const { batches } = await sends({ ...json([sent]), path });
      assert.equal(batches.length, 1);
      assert.doesNotMatch(JSON.stringify(batches), NEEDLE);
    }
    const lines = { body: JSON.stringify(sent), headers: { "content-type": "application/x-ndjson" } };
    const { batches } = await sends({ ...lines, apikey: KEYS.secret[0] ?? null });
    assert.doesNotMatch(JSON.stringify(batches), NEEDLE);
    // What a page reports is redacted by the database.
    await sends({
      ...json([{ event: sent, violations: [{ rule_id: "privacy.raw_email" }] }]),
      path: "/ingest/reports",
    });
  }));

/** Where in a request a text can stand, apart from an event that can be read. */
const PARTS: Record<string, (text: string) => Sent> = {
  "a body that is no JSON": (text) => ({ body: text }),
  "a body that breaks off": (text) => ({
    body: `{"session_id":${JSON.stringify(text)},"metadata":{${JSON.stringify(text)}`,
  }),
  "a body that is no UTF-8": (text) => ({ body: new Uint8Array([...new TextEncoder().encode(`{"a":"${text}`), 0xff]) }),
  "lines that are none": (text) => ({ body: `${text}\n{"a":`, headers: { "content-type": "application/x-ndjson" } }),
  "a key that is there twice": (text) => ({
    body: JSON.stringify({ a: 1 }).replace("1", `1,"a":${JSON.stringify(text)}`),
  }),
  "a number that is none": (text) => ({ body: `{"metadata":{"n":1e400,"a":${JSON.stringify(text)}}}` }),
  "the path": (text) => ({ path: `/ingest/${encodeURIComponent(text)}` }),
  "another address": (text) => ({
    path: `/${encodeURIComponent(text)}/registry/${encodeURIComponent(text)}`,
    method: "GET",
  }),
  "the query": (text) => ({
    ...json([event()]),
    path: `/ingest?a=${encodeURIComponent(text)}&dry_run=${encodeURIComponent(text)}`,
  }),
  "a key in the address": (text) => ({ apikey: null, path: `/ingest?apikey=${encodeURIComponent(text)}` }),
  "a report that is none": (text) => ({ ...json({ [text]: text }), path: "/ingest/reports" }),
  "a rule and a place that are none": (text) => ({
    ...json([{ event: {}, violations: [{ rule_id: text, path: text }] }]),
    path: "/ingest/reports",
  }),
};
const HEADERS = [
  ...["accept-language", "apikey", "authorization", "baggage", "cf-connecting-ip", "content-encoding", "content-type"],
  ...["cookie", "if-none-match", "origin", "referer", "traceparent", "user-agent", "x-client-info", "x-forwarded-for"],
  ...["x-real-ip", "x-request-id"],
];

Deno.test("no answer and no line of the log shows what was planted elsewhere in a request", () => {
  const inParts = Object.entries(TEXTS).flatMap(([kind, text]) => [
    ...Object.entries(PARTS).map(([part, sent]) => ({ name: `${kind} in ${part}`, sent: sent(text) })),
    // A header has Latin letters alone.
    ...(/^[\x20-\xff]*$/.test(text) ? HEADERS : []).flatMap((header) =>
      ["POST", "GET", "OPTIONS"].map((method) => ({
        name: `${kind} in ${header} of a ${method}`,
        sent: {
          ...(method === "POST" ? json([event()]) : { method }),
          headers: {
            "content-type": "application/json",
            [header]: header === "authorization" ? `Bearer ${text.replaceAll(" ", "")}` : text,
          },
          ...(header === "apikey" ? { apikey: null } : {}),
        },
      }))
    ),
  ]);
  return check(inParts, async ({ sent }) => {
    await sends(sent);
  });
});

Deno.test("no answer and no line of the log shows what an error quotes", () => {
  const thrown = (text: string) => [
    new Error(text),
    new TypeError(text),
    Object.assign(new Error(text), { cause: new Error(text), code: text, detail: text }),
    text,
    new StoreFailure("http 500"),
  ];
  const failing: [string, (error: unknown) => [prepare: (scene: Scene) => void, overrides?: Partial<Deps>]][] = [
    ["storing", (error) => [(scene) => {
      scene.store = () => Promise.reject(error);
      scene.report = () => Promise.reject(error);
    }]],
    ["reading the registry", (error) => [(scene) => {
      scene.registry = () => Promise.reject(error);
      scene.time.now += 3_600_000;
    }]],
    ["reading the checkpoint", (error) => [(scene) => {
      scene.checkpoint = () => Promise.reject(error);
    }]],
    ["counting", (error) => [(scene) => {
      scene.counting = () => Promise.reject(error);
    }]],
    ["verifying a user", (error) => [() => {}, { verifyUser: () => Promise.reject(error) }]],
    ["answering", (error) => [(scene) => {
      scene.store = () => ({ recorded: true, rejected: String(error) } as never);
    }]],
  ];
  const sent: Sent[] = [
    { ...json([event()]), headers: { "content-type": "application/json", authorization: `Bearer ${USER_TOKEN}` } },
    json([event({ metadata: { note: TEXTS["email"] } })]),
    { ...json([{ event: {}, violations: [{ rule_id: "base.id" }] }]), path: "/ingest/reports" },
    { path: "/ingest/alerts", apikey: KEYS.secret[0] ?? null },
    { path: "/ingest/nothing" },
    ...["registry", "checkpoint", "health", "contract"].map((path) => ({ path: `/ingest/${path}`, method: "GET" })),
  ];
  const errors = Object.entries(TEXTS).flatMap(([kind, text]) =>
    thrown(text).flatMap((error, index) =>
      failing.flatMap(([what, fails]) =>
        sent.map((one) => ({ name: `${kind} as ${index} in ${what}, ${one.path}`, one, fails: fails(error) }))
      )
    )
  );
  return check(errors, async ({ one, fails: [prepare, overrides] }) => {
    await sends(one, prepare, overrides);
  });
});

Deno.test("no line of the log shows what a registry that cannot be read says", () =>
  check(Object.entries(TEXTS).map(([name, text]) => ({ name, text })), async ({ text }) => {
    // What a schema compares with and a reason are the install's own texts, but whoever wrote them did not mean them for a log.
    const rule = { id: "own.rule", mode: "enforce", schema: { enum: [text], maxWords: text }, reasons: { en: text } };
    for (
      const registry of [text, JSON.stringify({ [text]: text }), JSON.stringify({ ...REGISTRY, own_rules: [rule] })]
    ) {
      await sends(json([event()]), (scene) => {
        scene.registry = () => registry;
        scene.time.now += 3_600_000;
      });
    }
  }));
