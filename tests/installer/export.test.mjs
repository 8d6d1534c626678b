/** The plan of an install, written for version control: what it means to others, and that it comes back as it was. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { asClient, startPostgres } from "../database/postgres.mjs";
import { blocks, commands } from "../docs/documents.mjs";
import { root } from "../runner/paths.mjs";
import { project } from "./scene.mjs";

const plans = join(root, "tests/installer/tracking_plans");
const scene = project("export", { "config.toml": 'project_id = "export"\n', "../src/keep": "" });

/** Payload schemas that say more than of each key alone. */
const WHOLE = [
  { properties: { a: { pattern: "^[0-9]+$", not: { const: "12" } }, b: { type: ["string", "integer", "null"] } } },
  { properties: { a: { type: "object", required: ["x"], properties: { x: { type: "integer" } } } }, required: ["a"] },
  { properties: { a: { type: "array", minItems: 1, items: { type: ["object", "null"], required: ["x"] } }, b: false } },
  { anyOf: [{ required: ["a"] }, { required: ["b"], properties: { b: { type: "string" } } }] },
  { oneOf: [{ properties: { a: { const: "x" } } }, { required: ["c"] }], properties: { b: { const: 2 } } },
  {
    dependentRequired: { a: ["b"] },
    dependentSchemas: { a: { not: { required: ["c"] } }, b: { properties: { c: { type: "string" } } } },
  },
  { properties: { a: {}, b: { type: "string" } }, not: { required: ["a", "b"] }, dependentRequired: { c: ["b"] } },
  { if: { required: ["b"] }, then: { properties: { a: { type: "string" } } }, else: { required: ["a"] } },
  { patternProperties: { "^x_": { minLength: 2 } }, additionalProperties: { type: ["string", "number"] } },
  { allOf: [{ properties: { a: {}, x_of: {} }, additionalProperties: false }], required: ["a"] },
  {
    properties: { a: { anyOf: [{ $ref: "#/$defs/part" }, { type: "string" }] }, b: { $ref: "#/$defs/part" } },
    $defs: { part: { type: "object", properties: { x: { anyOf: [{ type: "integer" }, { $ref: "#/$defs/part" }] } } } },
    required: ["b"],
  },
  {
    $ref: "#/$defs/whole",
    $defs: { whole: { required: ["a"], properties: { a: { $ref: "#/$defs/b" } } }, b: { minLength: 1 } },
  },
];

/** A file of the test's own. @param {unknown} content @param {string} [name] */
function file(content, name = "plan.json") {
  const path = join(scene.folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

test("an exported payload means to any validator what it means to the gate", () => {
  const registry = JSON.parse(readFileSync(join(scene.packaged, "install/registry.json"), "utf8"));
  const payloads = [
    { required: ["a"] },
    { properties: { a: { type: "string", maxLength: 2 } }, required: ["a"] },
    { properties: { a: { type: "integer", minimum: 1 }, b: { enum: ["x", 1, true] } } },
    { properties: { a: { enum: ["x"] } }, required: ["a"], additionalProperties: false },
    { properties: { a: { type: "object" }, b: { type: "array" }, c: { type: "boolean" } } },
    { properties: { a: { enum: [null] } } },
    ...WHOLE,
  ];
  registry.event_types = payloads.map((payload_schema, n) => ({
    id: `type/${n} ~%`,
    category: "engagement",
    payload_schema,
  }));
  const document = scene.gate(["export", "--registry", file(registry, "odd.json")]);
  const validator = new Ajv2020({ strict: false });
  const isValid = validator.compile(JSON.parse(document.said));
  const values = [
    null,
    "",
    " ",
    "\u2003",
    "\u0085",
    "\ufeff",
    "x",
    "xyz",
    "😀😀",
    0,
    1,
    1.5,
    2,
    true,
    false,
    {},
    [],
    [
      "x",
    ],
    { x: 1 },
    { x: "y" },
    [{ x: 1 }, null],
    "12",
  ];
  const events = payloads.flatMap((_, n) =>
    [
      {},
      ...values.map((a) => ({ a })),
      ...values.map((b) => ({ a: "x", b })),
      { a: null, b: "x", c: 1 },
      { b: null, c: "z" },
      { a: 2, c: null },
      { a: "x", tracker: "t" },
      { a: "x", other: 1 },
      { a: "x", other: null },
      { a: "x", x_of: "12" },
      { a: "x", x_of: null, other: "1" },
    ].map((metadata) => ({
      session_id: "exported-1",
      event_type: `type/${n} ~%`,
      event_category: "engagement",
      event_source: "web",
      metadata,
    }))
  );
  const input = events.map((event) => JSON.stringify(event)).join("\n");
  const { said: judged } = scene.gate(["check", "-", "--registry", "odd.json", "--format", "json"], input);
  const wrong = judged.trim().split("\n").map((line) => JSON.parse(line)).filter(({ violations, line }) =>
    violations.some((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id === "registry.payload") ===
      isValid(events[line - 1])
  );
  assert.deepEqual(wrong.map(({ line }) => events[line - 1]), []);
  const plan = file(document.said, "odd.schema.json");
  const { said } = scene.gate(["import", "--plan", "json-schema", plan, "--registry", "odd.json"]);
  assert.match(said, /There is nothing to change/);
  assert.doesNotMatch(said, /left out|changed/);
  assert.equal(judged.trim().split("\n").length, events.length);
});

describe("a database", () => {
  /** @type {import("../database/postgres.mjs").Postgres[]} */
  let servers = [];
  before(async () => {
    servers = [await startPostgres(), await startPostgres({ version: 15 })];
  });
  after(() => Promise.all(servers.map((server) => server.stop())));
  const exported = (/** @type {number} */ n, form = "schema") => {
    const { code, said } = scene.gate(["export", "--form", form, "--db-url", servers[n].url]);
    assert.equal(code, 0, said);
    return said;
  };

  test("is not changed until somebody says so, and then by the SQL that was shown", async () => {
    const [{ url }] = servers;
    const before = exported(0);
    const args = ["import", "--plan", "segment", join(plans, "segment.json"), "--db-url", url];
    assert.match(scene.gate(args).said, /Nothing is changed yet/);
    assert.equal(exported(0), before);
    assert.match(scene.gate([...args, "--apply"]).said, /2 event types are in the registry/);
    assert.match(scene.gate([...args, "--apply"]).said, /There is nothing to change/);
    const rows = await asClient(url, async (client) =>
      (await client.query(
        `select e.record ->> 'id' as id, e.notes, t.category from public.audience_registry_events e
         join public.audience_event_types t on t.id = e.record ->> 'id' where e.notes is not null order by 1`,
      )).rows);
    const notes = "from a tracking plan (segment)";
    assert.deepEqual(rows, [
      { id: "coupon_applied", notes, category: "engagement" },
      { id: "wishlist_shared", notes, category: "advocacy" },
    ]);
  });

  test("takes every plan as it is, and 2,000 types of a name that quotes", () => {
    const [{ url }] = servers;
    for (const { format, file } of JSON.parse(readFileSync(join(plans, "expected.json"), "utf8"))) {
      const { said } = scene.gate(["import", "--plan", format, join(plans, file), "--db-url", url, "--apply"]);
      assert.match(said, /in the registry|nothing to change/);
    }
    const many = Object.fromEntries(
      Array.from(
        { length: 2000 },
        (_, n) => [`It's \\ ${n}`, { description: "it's \\n '", properties: { "a'b\\": { enum: ["'", "\\"] } } }],
      ),
    );
    const { said } = scene.gate(["import", "--plan", "json-schema", file({ $defs: many }), "--db-url", url, "--apply"]);
    assert.match(said, /2000 event types are in the registry/);
  });

  test("exports what another takes, which exports the same bytes", async () => {
    const [one, other] = servers;
    await asClient(one.url, async (client) => {
      await client.query(
        `update public.audience_event_types set daily_cap = 3, score_weight = 0.25, payload_schema = '{"required": ["content_id"]}'
         where id = 'content_saved'`,
      );
      for (const [n, schema] of WHOLE.entries()) {
        await client.query(
          `insert into public.audience_event_types (id, category, tier, score_weight, daily_cap, description, payload_schema)
           values ($1, 'engagement', 'consumer', 0, 10, 'whole', $2)`,
          [`whole_${n}`, { ...schema, description: n % 2 === 0 ? "whole" : "of it", examples: [{ b: 1, aa: 2 }] }],
        );
      }
    });
    const first = exported(0);
    const plan = file(first, "exported.json");
    const { code, said } = scene.gate([
      "import",
      "--plan",
      "json-schema",
      plan,
      "--replace",
      "--db-url",
      other.url,
      "--apply",
    ]);
    assert.equal(code, 0, said);
    assert.equal(exported(1), first);
    assert.equal(exported(1, "types"), exported(0, "types"));
    const again = scene.gate(["import", "--plan", "json-schema", plan, "--db-url", one.url]);
    assert.match(again.said, /There is nothing to change/);
  });

  test("does what the document of both ways says", () => {
    file(readFileSync(join(plans, "segment.json"), "utf8"), "plan.json");
    const run = blocks("docs/tracking-plan.md").filter(({ language }) => language === "sh").flatMap(({ text }) =>
      commands(text)
    );
    assert.equal(run.length, 3);
    for (const command of run) {
      const [, ...words] = command.replaceAll('"$DATABASE_URL"', servers[1].url).split(" ").slice(1);
      const { code, said } = scene.gate(words);
      assert.ok(code === 0 || words[0] === "import" && code === 1, said);
      assert.match(
        said,
        /Nothing is changed yet|There is nothing to change|event types are in (plan\.schema\.json|src\/events\.ts)\./,
      );
    }
  });
});
