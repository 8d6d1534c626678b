// JSON Schema in Postgres: what each keyword means, which schemas are refused and why, and that a pattern means there what
// it means in ECMAScript.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { size } from "../long.mjs";
import { root } from "../runner/paths.mjs";
import { random } from "./generated.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";
import { chained, PATTERNS, PAYLOAD, REFUSED } from "./schema_cases.mjs";
import { somePattern, someText } from "./schema_patterns.mjs";

/** @typedef {{ keyword?: string, wrong?: unknown[], description: string, schema: unknown, tests: { description: string, data: unknown, valid: boolean }[] }} Group */

const folder = join(root, "tests", "schema");
/** @type {(Group & { file: string })[]} */
const groups = readdirSync(folder).filter((name) => name.endsWith(".json")).flatMap((file) =>
  JSON.parse(readFileSync(join(folder, file), "utf8")).map((/** @type {Group} */ group) => ({ ...group, file }))
);

for (const version of VERSIONS) {
  describe(`a schema in Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let server;
    before(async () => {
      server = await startPostgres({ version });
    });
    after(() => server.stop());

    /** @param {string} text @param {unknown[]} values */
    const ask = (text, values) => asClient(server.url, async (client) => (await client.query(text, values)).rows);

    it("means what it means everywhere", async () => {
      /** @type {string[]} */
      const wrong = [];
      for (const { file, description, schema, tests } of groups) {
        const rows = await ask(
          `select audience_gate.schema_refusal($1::jsonb) as refusal,
             audience_gate.schema_fault($1, $1, t.data, '{}') is null as valid
           from jsonb_array_elements($2::jsonb) with ordinality as t (data, place) order by t.place`,
          [JSON.stringify(schema), JSON.stringify(tests.map(({ data }) => data))],
        );
        rows.forEach(({ refusal, valid }, index) => {
          if (refusal !== null || valid !== tests[index]?.valid) {
            wrong.push(`${file}: ${description}: ${tests[index]?.description}: ${refusal ?? valid}`);
          }
        });
      }
      assert.deepEqual(wrong, []);
    });

    it("accepts and refuses a value by every keyword of the table", async () => {
      const rows = await ask(
        `select jsonb_object_keys(audience_gate.schema_keywords()) as keyword`,
        [],
      );
      const byKeyword = groups.filter((group) => group.keyword !== undefined);
      assert.deepEqual(byKeyword.map(({ keyword }) => keyword).sort(), rows.map(({ keyword }) => keyword).sort());
      for (const { keyword, tests, wrong = [] } of byKeyword) {
        assert.deepEqual(tests.map(({ valid }) => valid), [true, false], keyword);
        const refusals = await ask(
          `select audience_gate.schema_refusal(jsonb_build_object($1::text, w.value)) as refusal
           from jsonb_array_elements($2::jsonb) w (value)`,
          [keyword, JSON.stringify(wrong)],
        );
        assert.ok(
          refusals.every(({ refusal }) => refusal?.includes(`#/${keyword}`)),
          `${keyword}: ${JSON.stringify(refusals)}`,
        );
      }
    });

    it("ends before the stack does", async () => {
      const schema = { $defs: { a: chained(14, { properties: { a: { $ref: "#/$defs/a" } } }) }, $ref: "#/$defs/a" };
      const [row] = await ask(
        `select audience_gate.schema_refusal($1::jsonb) as refusal,
           audience_gate.schema_fault($1, $1, (repeat('{"a":', 32) || '1' || repeat('}', 32))::jsonb, '{}') as fault`,
        [JSON.stringify(schema)],
      );
      assert.deepEqual(row, { refusal: null, fault: Array(8).fill("a") });
    });

    it("is refused with the keyword and its place named", async () => {
      const rows = await ask(
        `select coalesce(audience_gate.schema_refusal(c.schema), 'taken') as refusal
         from jsonb_array_elements($1::jsonb) with ordinality as c (schema, place) order by c.place`,
        [JSON.stringify(REFUSED.map(([schema]) => schema))],
      );
      assert.deepEqual(rows.map(({ refusal }) => refusal), REFUSED.map(([, refusal]) => refusal));
    });

    it("is refused as the row of an event type before an engine meets what it cannot read", async () => {
      const found = await asClient(server.url, async (client) => {
        const answers = [];
        for (const [schema] of PAYLOAD) {
          answers.push(
            await client.query("update public.audience_event_types set payload_schema = $1 where id = 'page_view'", [
              JSON.stringify(schema),
            ]).then(
              () => "taken",
              (/** @type {Error} */ { message }) => message.replace(/^.*cannot be judged by: /, ""),
            ),
          );
        }
        await client.query("update public.audience_event_types set payload_schema = payload_schema");
        return answers;
      });
      assert.deepEqual(found, PAYLOAD.map(([, answer]) => answer));
    });

    it("takes the patterns of the grammar and no others", async () => {
      const rows = await ask(
        `select p.source, audience_gate.pattern(p.source) is not null as taken
         from unnest($1::text[]) with ordinality as p (source, place) order by p.place`,
        [PATTERNS.map(([source]) => source)],
      );
      assert.deepEqual(rows.map(({ source, taken }) => [source, taken]), PATTERNS);
    });

    it("matches a pattern as ECMAScript does", async () => {
      const next = random(version);
      const pairs = Array.from(
        { length: size({ short: 2000, long: 100_000 }) },
        () => ({ source: somePattern(next), text: someText(next) }),
      );
      const rows = await ask(
        `select audience_gate.matches(p.text, p.source) as matches
         from unnest($1::text[], $2::text[]) with ordinality as p (source, text, place) order by p.place`,
        [pairs.map(({ source }) => source), pairs.map(({ text }) => text)],
      );
      const wrong = pairs.filter(({ source, text }, index) =>
        rows[index].matches !== new RegExp(source, "u").test(text)
      );
      assert.deepEqual(wrong, []);
    });
  });
}
