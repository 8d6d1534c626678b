import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import { event, json, REGISTRY, request, scene } from "../../../tests/function/scene.ts";
import { languages } from "./languages.ts";

const rule = (id: string, reasons: Record<string, string>) => ({
  ...{ id, mode: "enforce", site_id: null, category: null, event_type: null, reasons },
  schema: { properties: { event_source: { not: { const: id } } } },
});
const OWN = [
  rule("own.both", { en: "no", de: "nein", "pt-BR": "não" }),
  rule("own.english", { en: "not so" }),
];

Deno.test("a caller is told an own rule's reason in the language that it asks for", async () => {
  const watched = scene();
  await watched.settled();
  watched.registry = () => JSON.stringify({ ...REGISTRY, own_rules: OWN });
  watched.time.now += 60_000;
  await watched.handle(request({ path: "/ingest/contract", method: "GET", apikey: null }));
  await watched.settled();
  await check(
    [
      { name: "nothing is asked", header: null, reasons: ["no", "not so"] },
      { name: "German", header: "de", reasons: ["nein", "not so"] },
      { name: "a form of it", header: "de-AT, en;q=0.5", reasons: ["nein", "not so"] },
      { name: "another form", header: "PT-br", reasons: ["não", "not so"] },
      { name: "English first", header: "de;q=0.3,en-GB", reasons: ["no", "not so"] },
      {
        name: "a language that nobody wrote, then German",
        header: "fr, *;q=0.1, de;q=0.2",
        reasons: ["nein", "not so"],
      },
      { name: "not German", header: "de;q=0", reasons: ["no", "not so"] },
      { name: "nonsense", header: ";;q=x,,__proto__", reasons: ["no", "not so"] },
    ],
    async ({ header, reasons }) => {
      const events = OWN.map(({ id }) => event({ event_source: id }));
      const { body = null, headers = {} } = json(events);
      const sent = request({
        body,
        headers: { ...headers, ...(header === null ? {} : { "accept-language": header }) },
      });
      const answer = await (await watched.handle(sent)).json();
      assert.deepEqual(answer.results.map((one: { reason: string }) => one.reason), reasons);
      const told = watched.batches.at(-1)?.rejected.map((row) => row.metadata as { rejection_reason: string });
      assert.deepEqual(
        told?.map(({ rejection_reason }) => rejection_reason),
        ["no", "not so"],
        "what is kept is English",
      );
    },
  );
});

Deno.test("a long list of languages is cut", () => {
  assert.equal(languages("x,".repeat(5000)).length, 10);
});
