// The rules of an install's own in the module and in Postgres: the written cases, and generated ones of every keyword. The
// module reads the registry of that database.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { check, loadRegistry } from "../../pkg/inline.js";
import { size } from "../long.mjs";
import { root } from "../runner/paths.mjs";
import { random } from "./generated.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";
import { someSchema, someValue } from "./schema_values.mjs";

/** @typedef {{ rule_id: string, path: string }} Violation */
/** @type {{ rules: object[], cases: { name: string, event: object, violations: Violation[] }[] }} */
const { rules, cases } = JSON.parse(readFileSync(join(root, "tests", "support", "own_rules.json"), "utf8"));
const BASE = { session_id: "session-0001", event_type: "page_view", event_category: "engagement", event_source: "web" };
const RULES = 50;
const EVENTS = 60;

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
        const next = random(version);
        /** @type {string[]} */
        const wrong = [];
        let pairs = 0;
        for (let round = 0; round < size({ short: 1, long: 60 }); round += 1) {
          const given = Array.from({ length: RULES }, (_, index) => {
            const within = `{"$defs":{"a/b":${someSchema(next)}},"properties":{"metadata":{"properties":{"v":${
              someSchema(next)
            }}}}}`;
            return `{"id":"own.r${index}","schema":${within},"mode":"enforce","reasons":{"en":"no"}}`;
          });
          await enforce(client, `[${given.join(",")}]`);
          const texts = Array.from({ length: EVENTS }, () => {
            const event = JSON.stringify({ ...BASE, metadata: { page_path: "/", v: "VALUE" } });
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
  });
}
