// What an install says of keys, in its own rows: words that name personal data, and keys that do not. The module reads the
// registry of that database, and both are held to the written expectation, as the native engine is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { judge, loadRegistry } from "../../pkg/inline.js";
import { root } from "../runner/paths.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

/** @typedef {{ rule_id: string, path: string }} Violation */
/**
 * @type {{
 *   words: string[], event_type: Record<string, unknown>,
 *   cases: { name: string, event: object, violations: Violation[], snapshot?: object }[],
 * }}
 */
const { words, event_type, cases } = JSON.parse(
  readFileSync(join(root, "tests", "support", "own_registry.json"), "utf8"),
);
const BASE = {
  session_id: "session-0001",
  event_type: "page_view",
  event_category: "engagement",
  event_source: "web",
};

/** What the module answers and keeps. @param {string} text */
function byModule(text) {
  const { argument, answer } = judge(new TextEncoder().encode(text), {
    caller: "trusted",
    receivedAt: Date.now(),
    seed: new Uint8Array(16).fill(7),
  });
  const read = (/** @type {Uint8Array} */ bytes) => JSON.parse(new TextDecoder().decode(bytes));
  return {
    violations: read(answer).results[0].violations ?? [],
    snapshot: read(argument).batch.rejected[0]?.metadata.original_payload_snapshot.metadata,
  };
}

for (const version of SCENARIO_VERSIONS) {
  test(`an install's own words and keys hold in the module and in Postgres ${version}`, async (t) => {
    const server = await startPostgres({ version });
    t.after(() => server.stop());
    await asClient(server.url, async (client) => {
      await client.query(
        `insert into public.audience_event_types (id, category, tier, description, payload_schema)
         values ($1, $2, 'consumer', 'a device was seen', $3)`,
        [event_type.id, event_type.category, JSON.stringify(event_type.payload_schema)],
      );
      const before = await versionOf(client);
      await client.query(
        "insert into public.audience_personal_words (words, reason) select words, 'ours' from unnest($1::text[]) words",
        [words],
      );
      assert.notEqual(await versionOf(client), before);
      const { rows: [{ registry }] } = await client.query("select public.audience_registry() as registry");
      assert.deepEqual(registry.personal_words, [...words].sort());
      loadRegistry(registry);
      /** @type {string[]} */
      const wrong = [];
      for (const { name, event, violations, snapshot } of cases) {
        const text = JSON.stringify({ ...BASE, ...event });
        const { rows: [row] } = await client.query(
          `select p.places as violations,
             case when p.places <> '[]' then audience_gate.rejection_metadata(e.event, array(
               select v ->> 'rule_id' from jsonb_array_elements(p.places) v), 'test')
               #> '{original_payload_snapshot,metadata}' end as snapshot
           from (select $1::jsonb as event) e
           cross join lateral (
             select audience_gate.places(e.event, audience_gate.violations(e.event, 'trusted', null, null, now()))
           ) as p (places)`,
          [text],
        );
        for (const [engine, found] of Object.entries({ module: byModule(text), sql: row })) {
          try {
            assert.deepEqual([found.violations, found.snapshot ?? null], [violations, snapshot ?? null]);
          } catch (error) {
            wrong.push(`${name}, ${engine}: ${/** @type {Error} */ (error).message}`);
          }
        }
      }
      assert.deepEqual(wrong, [], wrong.join("\n"));

      // A row goes through the other form of the judge.
      await client.query(
        `insert into public.audience_events (session_id, event_type, event_category, event_source, metadata) values
           ('session-0001', 'page_view', 'engagement', 'web', '{"page_path": "/", "kundennummer": "K-1"}'),
           ('session-0002', 'device_seen', 'engagement', 'web', '{"page_path": "/", "phone": "Pixel 9"}')`,
      );
      const { rows } = await client.query(
        `select event_type, metadata ->> 'validation_rule_id' as rule, metadata::text as text
         from public.audience_events order by event_type`,
      );
      assert.deepEqual(rows.map(({ event_type, rule }) => [event_type, rule]), [
        ["device_seen", null],
        ["event_validation_fail", "privacy.personal_key"],
      ]);
      assert.ok(!rows[1].text.includes("K-1"));
    });
  });
}

test("a row of personal words has a form, and there are at most 200", async (t) => {
  const server = await startPostgres();
  t.after(() => server.stop());
  await asClient(server.url, async (client) => {
    const insert = (/** @type {string} */ words) =>
      client.query("insert into public.audience_personal_words (words, reason) values ($1, 'ours')", [words])
        .then(() => "taken", (/** @type {{ code: string }} */ { code }) => code);
    for (const words of ["kundennummer", "member number", "номер клиента", "a b 7"]) {
      assert.equal(await insert(words), "taken", words);
    }
    const refused = [
      "",
      " ",
      "Member",
      "member_number",
      "member  number",
      " member",
      "a b c d",
      "file7",
      "x".repeat(65),
      "a\nb",
      "*",
    ];
    for (const words of refused) assert.equal(await insert(words), "23514", JSON.stringify(words));
    const fill =
      "insert into public.audience_personal_words (words, reason) select 'w ' || n, 'x' from generate_series(1, $1::int) n";
    await assert.rejects(client.query(fill, [197]), { code: "23514" });
    await client.query(fill, [196]);
    assert.equal(await insert("one more"), "23514");
    assert.equal((await client.query("delete from public.audience_personal_words where words = 'w 1'")).rowCount, 1);
    assert.equal(await insert("one more"), "taken");
  });
});

/** @param {import("pg").Client} client */
async function versionOf(client) {
  return (await client.query("select audience_gate.registry_version() as version")).rows[0].version;
}
