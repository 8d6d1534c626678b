// The rules of an install's own and its payload schemas in the module and in Postgres: the written cases, and generated ones
// of every keyword. The module reads the registry of that database. AUDIENCE_GATE_ROUNDS=… generates more of them than usual,
// and others: 3,000 pairs of a schema and an event a round.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { check, loadRegistry } from "../../pkg/inline.js";
import { size } from "../long.mjs";
import { root } from "../runner/paths.mjs";
import { random } from "./generated.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";
import { someMetadata, somePayload, someRule, someSchema, someValue } from "./schema_values.mjs";

/** @typedef {{ rule_id: string, path: string }} Violation */
/** @type {{ rules: object[], cases: { name: string, event: object, violations: Violation[] }[] }} */
const { rules, cases } = JSON.parse(readFileSync(join(root, "tests", "support", "own_rules.json"), "utf8"));
const BASE = { session_id: "session-0001", event_type: "page_view", event_category: "engagement", event_source: "web" };
const { AUDIENCE_GATE_ROUNDS } = process.env;
const ROUNDS = Number(AUDIENCE_GATE_ROUNDS ?? size({ short: 1, long: 60 }));
/** What an event says besides. */
const FIELDS = [
  [{ utm_source: "a" }, { utm_source: "é😀" }, { utm_source: null }],
  [{ event_source: "api" }, { event_source: "crm" }],
  [{ id: "3f2b8c1e-5a4d-4f6b-9c7e-1d2a3b4c5d6e" }],
];
const RULES = 50;
const EVENTS = 60;
const TYPES = 100;
const EVENTS_OF_TYPE = 20;

/** What the module finds. @param {string} text @returns {Violation[]} */
const byModule = (text) => check(text).violations.map(({ rule_id, path }) => ({ rule_id, path }));

/** What Postgres finds of events, one list for each. @param {import("pg").Client} client @param {string[]} texts @returns {Promise<Violation[][]>} */
const bySql = async (client, texts) =>
  (await client.query(
    `select audience_gate.places(e.event, audience_gate.violations(e.event, 'trusted', null, null, now())) as found
     from unnest($1::jsonb[]) with ordinality as e (event, place) order by e.place`,
    [texts],
  )).rows.map(({ found }) => found);

/** Puts rules in the place of those that there are, and loads the registry. @param {import("pg").Client} client @param {string} given */
async function enforce(client, given) {
  await client.query("delete from public.audience_own_rules");
  await client.query(
    `insert into public.audience_own_rules (id, category, event_type, site_id, schema, mode, reasons)
     select r.id, r.category, r.event_type, r.site_id, r.schema, r.mode, r.reasons
     from jsonb_to_recordset($1) as r (
       id text, category text, event_type text, site_id uuid, schema jsonb, mode text, reasons jsonb)
     where audience_gate.schema_refusal(r.schema) is null`,
    [given],
  );
  const { rows: [{ registry }] } = await client.query("select public.audience_registry()::text as registry");
  assert.equal(loadRegistry(registry), undefined);
}

/**
 * Puts an event type for each payload schema that is taken in the place of those of the last round, and loads the registry.
 *
 * @param {import("pg").Client} client @param {string[]} schemas @returns {Promise<{ id: string, schema: string }[]>}
 */
async function register(client, schemas) {
  await client.query("delete from public.audience_own_rules");
  await client.query("delete from public.audience_event_types where id like 'generated\\_%'");
  const { rows } = await client.query(
    `insert into public.audience_event_types (id, category, tier, description, payload_schema)
     select 'generated_' || s.place, 'engagement', 'consumer', 'generated', s.schema
     from unnest($1::jsonb[]) with ordinality as s (schema, place)
     where audience_gate.payload_schema_refusal(s.schema) is null
     returning id, payload_schema::text as schema`,
    [schemas],
  );
  const { rows: [{ registry }] } = await client.query("select public.audience_registry()::text as registry");
  assert.equal(loadRegistry(registry), undefined);
  return rows;
}

for (const version of VERSIONS) {
  describe(`the rules of an install's own in the module and in Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let server;
    before(async () => {
      server = await startPostgres({ version });
    });
    after(() => server.stop());

    it("refuse what is written, where it is written", () =>
      asClient(server.url, async (client) => {
        await client.query(
          "insert into public.audience_sites (id, name) values ('00000000-0000-4000-8000-0000000000aa', 'second')",
        );
        await enforce(client, JSON.stringify(rules));
        const texts = cases.map(({ event }) => JSON.stringify({ ...BASE, ...event }));
        const found = await bySql(client, texts);
        const wrong = cases.flatMap(({ name, violations }, index) => {
          const answers = { module: byModule(texts[index] ?? ""), sql: found[index] };
          return Object.entries(answers).flatMap(([engine, answer]) =>
            isDeepStrictEqual(answer, violations) ? [] : [`${name}, ${engine}: ${JSON.stringify(answer)}`]
          );
        });
        assert.deepEqual(wrong, []);
      }));

    it("refuse the same of generated ones", () =>
      asClient(server.url, async (client) => {
        const next = random(version + Number(AUDIENCE_GATE_ROUNDS ?? 0));
        /** @type {string[]} */
        const wrong = [];
        let pairs = 0;
        for (let round = 0; round < ROUNDS; round += 1) {
          const given = Array.from({ length: RULES }, (_, index) => {
            const within = next() < 0.3
              ? `{"$defs":{"a/b":{}},"allOf":[${someRule(next)}]}`
              : `{"$defs":{"a/b":${someSchema(next)}},"properties":{"metadata":{
              "properties":{"v":${someSchema(next)}}}}}`;
            return `{"id":"own.r${index}","schema":${within},"mode":"enforce","reasons":{"en":"no"}}`;
          });
          await enforce(client, `[${given.join(",")}]`);
          const texts = Array.from({ length: EVENTS }, () => {
            const fields = FIELDS.filter(() => next() < 0.3).map((fields) =>
              fields[Math.floor(next() * fields.length)]
            );
            const event = JSON.stringify(
              Object.assign({}, BASE, ...fields, { metadata: { page_path: "/", v: "VALUE" } }),
            );
            return event.replace('"VALUE"', () => someValue(next));
          });
          const found = await bySql(client, texts);
          texts.forEach((text, index) => {
            const [module, sql] = [byModule(text), found[index] ?? []];
            pairs += RULES;
            const ids = (/** @type {Violation[]} */ list) => new Map(list.map(({ rule_id, path }) => [rule_id, path]));
            const [here, there] = [ids(module), ids(sql)];
            for (const id of new Set([...here.keys(), ...there.keys()])) {
              if (here.get(id) === there.get(id)) continue;
              const rule = given[Number(id.slice("own.r".length))] ?? "";
              wrong.push(`${text}\n  by ${id} ${rule}\n  module ${here.get(id)}, sql ${there.get(id)}`);
            }
          });
        }
        assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} of ${pairs}:\n${wrong.slice(0, 10).join("\n")}`);
      }));

    it("and payload schemas refuse the same, at the same place", () =>
      asClient(server.url, async (client) => {
        const next = random(version + 1);
        /** @type {string[]} */
        const wrong = [];
        let [pairs, refused] = [0, 0];
        for (let round = 0; round < ROUNDS; round += 1) {
          const types = await register(client, Array.from({ length: TYPES }, () => somePayload(next)));
          assert.ok(types.length > TYPES / 2, `only ${types.length} schemas are taken`);
          const texts = types.flatMap(({ id }) =>
            Array.from({ length: EVENTS_OF_TYPE }, () => {
              const event = JSON.stringify({ ...BASE, event_type: id, metadata: "METADATA" });
              return event.replace('"METADATA"', () => someMetadata(next));
            })
          );
          const found = await bySql(client, texts);
          texts.forEach((text, index) => {
            const [module, sql] = [byModule(text), found[index] ?? []];
            pairs += 1;
            refused += Number(sql.some(({ rule_id }) => rule_id === "registry.payload"));
            if (isDeepStrictEqual(module, sql)) return;
            const { schema } = types[Math.floor(index / EVENTS_OF_TYPE)] ?? {};
            wrong.push(`${text}\n  by ${schema}\n  module ${JSON.stringify(module)}\n  sql ${JSON.stringify(sql)}`);
          });
        }
        assert.ok(refused > pairs / 5 && refused < pairs * 0.9, `${refused} of ${pairs} are refused`);
        assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} of ${pairs}:\n${wrong.slice(0, 10).join("\n")}`);
      }));
  });
}
