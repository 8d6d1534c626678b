/** Tracking plans of other makers become event types: what each carries over, and that nothing is left out in silence. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../runner/paths.mjs";
import { project } from "./scene.mjs";

const plans = join(root, "tests/installer/tracking_plans");
const scene = project("import", { "config.toml": 'project_id = "import"\n' });

/**
 * @typedef {{ kind: string, place: string, about: string, why: string }} Line
 * @typedef {object} Answer
 * @property {{ carried: number, planned: number }} events
 * @property {{ carried: number, leftOut: number }} statements
 * @property {string[]} inserted
 * @property {string[]} replaced
 * @property {Line[]} lines
 * @property {Record<string, { id: string, category: string, tier?: string } | null>} mapping
 * @property {string} sql
 */

/** @param {string[]} args @returns {Answer} */
function imported(...args) {
  const { code, said } = scene.gate(["import", ...args, "--format", "json"]);
  assert.ok(code === 0 || code === 1, said);
  return JSON.parse(said);
}

/** A file of the test's own. @param {unknown} content @param {string} [name] */
function file(content, name = "plan.json") {
  const path = join(scene.folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** Schemas of metadata under their names. @param {Record<string, unknown>} $defs @param {string[]} args */
const ofSchemas = ($defs, ...args) => imported("--plan", "json-schema", file({ $defs }), ...args);
/** What is said of the kind. @param {Answer} answer @param {string} [kind] */
const said = ({ lines }, kind = "left out") => lines.filter((line) => line.kind === kind);

describe("a plan of another maker", () => {
  /** @type {{ format: string, file: string, carried: number[], rows: string[], leftOut: string[][] }[]} */
  const cases = JSON.parse(readFileSync(join(plans, "expected.json"), "utf8"));
  for (const { format, file, carried, rows, leftOut } of cases) {
    test(`${file} is carried over, and what is not is said with its place`, () => {
      const answer = imported("--plan", format, join(plans, file));
      const { events, statements } = answer;
      assert.deepEqual([events.carried, events.planned, statements.carried, statements.leftOut], carried);
      assert.deepEqual(answer.inserted, rows);
      assert.deepEqual(said(answer).map(({ place, about }) => [place.replace(`${plans}/`, ""), about]), leftOut);
      assert.ok(answer.lines.every(({ why }) => why.length > 10));
    });
  }
});

describe("a plan that goes against the registry", () => {
  const asked = { content_id: { type: "string" } };
  const schema = (/** @type {Record<string, unknown>} */ properties = {}, more = {}) => ({
    type: "object",
    properties: { ...asked, ...properties },
    ...more,
  });

  test("keeps the hands off what is taken, and says what to do", () => {
    const answer = ofSchemas({
      "Page View": schema(),
      job_completed: schema(),
      "A b": schema(),
      a_b: schema(),
      ok: schema(),
    });
    assert.deepEqual(said(answer).map(({ about, why }) => [about, /; (.*)/.exec(why)?.[1] ?? why]), [
      [
        "Page View",
        "keep it, give yours another id in the mapping, or change it with --replace. It ships with the gate.",
      ],
      ["job_completed", "the gate itself writes such events, and no plan changes them"],
      ["a_b", "give one of them another id in the mapping"],
      ["ok", "give it one in the mapping"],
    ]);
    assert.deepEqual(answer.inserted, ["a_b"]);
    const replacing = ofSchemas({ page_view: schema(), job_completed: schema() }, "--replace");
    assert.deepEqual([replacing.replaced, replacing.inserted, said(replacing).length], [["page_view"], [], 1]);
  });

  test("has its names in the registry's form", () => {
    const names = {
      "Order Shipped": "order_shipped",
      orderPacked: "order_packed",
      "HTTPRequest-Failed": "http_request_failed",
      " Über  uns ": "über_uns",
      "注文 完了": "注文_完了",
      "x'); drop table public.audience_sites; --": "x_drop_table_public_audience_sites",
    };
    const { mapping } = ofSchemas(Object.fromEntries(Object.keys(names).map((name) => [name, schema()])));
    assert.deepEqual(Object.fromEntries(Object.entries(mapping).map(([name, to]) => [name, to?.id])), names);
    const bad = ofSchemas({ ["n".repeat(65)]: schema(), "!!!": schema(), "Ask ada@example.com": schema() });
    assert.deepEqual([bad.inserted, said(bad).length], [[], 3]);
    assert.doesNotMatch(JSON.stringify(bad), /ada@/);
  });

  test("names what a payload schema cannot say, with its place", () => {
    const { lines, sql } = ofSchemas({
      it_happened: schema({
        a: { type: ["string", "number"], pattern: "(?=x)", maxLength: 1.5 },
        b: {
          type: "array",
          items: { type: "string", format: "email" },
          contains: { format: "colour" },
          maxContains: 2,
        },
        c: { enum: ["x", { y: 1 }, "ada@example.com", null] },
        e: { minimum: 9007199254740993 },
        "f/~": { unevaluatedProperties: false, contentEncoding: "base64" },
        g: { $ref: "https://example.com/x" },
        h: { properties: { first_name: {}, ok: { const: "ada@example.com" } }, required: ["last_name"] },
        i: { oneOf: [{ format: "email" }, { type: "string" }] },
        j: { oneOf: [{ format: "email", type: "string" }, { type: "object" }] },
        k: { not: { pattern: "\\bx" } },
      }, { patternProperties: { x: {}, "(x": {} }, additionalProperties: { type: "string" } }),
    });
    const places = lines.filter(({ kind }) => kind === "left out").map(({ place }) =>
      place.replace("/$defs/it_happened", "")
    );
    assert.deepEqual(places, [
      "/properties/a/pattern",
      "/properties/a/maxLength",
      "/properties/b/items/format",
      "/properties/b/contains/format",
      "/properties/b/maxContains",
      "/properties/c/enum/2",
      "/properties/e/minimum",
      "/properties/f~1~0/unevaluatedProperties",
      "/properties/f~1~0/contentEncoding",
      "/properties/g/$ref",
      "/properties/h/properties/first_name",
      "/properties/h/properties/ok/const/0",
      "/properties/h/required/0",
      "/properties/i/oneOf/0/format",
      "/properties/i/oneOf",
      "/properties/j/oneOf/0/format",
      "/properties/k/not/pattern",
      "/properties/k/not",
      "/patternProperties/(x",
      "/additionalProperties",
    ]);
    assert.doesNotMatch(JSON.stringify(lines) + sql, /ada@example/);
    assert.match(sql, /"j":\{"anyOf":\[\{"type":"string"\},\{"type":"object"\}\]\}/);
  });

  test("says in the words of 2020-12 what older drafts say in others", () => {
    const node = { type: "object", properties: { next: { $ref: "#/$defs/node" } } };
    const { lines, sql } = ofSchemas({
      it_happened: schema({
        a: { minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
        b: { type: "array", items: [{ type: "string" }], additionalItems: { type: "number" } },
        c: {
          type: "object",
          properties: { of: { type: "string", nullable: true } },
          dependencies: { of: ["x"], x: {} },
        },
        d: { $ref: "#/$defs/node" },
        e: false,
        f: { type: "string", example: "it" },
      }),
      node,
    });
    assert.deepEqual(lines.filter(({ kind }) => kind === "left out"), []);
    const [, payload] = /'(\{"properties":\{"content_id".*\})'\)/.exec(sql) ?? [];
    assert.deepEqual(JSON.parse(payload), {
      properties: {
        ...asked,
        a: { exclusiveMinimum: 1, maximum: 9 },
        b: { type: "array", prefixItems: [{ type: "string" }], items: { type: "number" } },
        c: {
          type: "object",
          properties: { of: { type: ["string", "null"] } },
          dependentRequired: { of: ["x"] },
          dependentSchemas: { x: {} },
        },
        d: { $ref: "#/$defs/node" },
        e: { enum: [null] },
        f: { type: "string", examples: ["it"] },
      },
      $defs: { node },
    });
  });

  test("of more than a database takes leaves the event, without a schema", () => {
    const answer = ofSchemas({
      type_0: { type: "object", properties: { a: { $ref: "#/$defs/loop" } } },
      type_1: schema({ a: { description: "x".repeat(66_000) } }),
      type_2: schema({ a: { anyOf: Array.from({ length: 2001 }, () => ({ type: "string" })) } }),
      loop: { type: "string", anyOf: [{ $ref: "#/$defs/loop" }, { type: "string" }] },
    });
    assert.equal(answer.sql.match(/'type_\d', null\)/g)?.length, 3, answer.sql.slice(0, 2000));
    assert.deepEqual(said(answer).map(({ why }) => /leads back|longer than|more than 2000/.exec(why)?.[0]), [
      "leads back",
      "longer than",
      "more than 2000",
    ]);
  });

  test("has no key that names personal data, unless it says that it names none", () => {
    const answer = ofSchemas({
      seen: schema({
        email: {},
        phone_number: { type: "string" },
        first_name: { personal: false },
        has_email: { type: "boolean" },
      }, {
        required: ["email", "street_address", "first_name"],
      }),
    });
    assert.deepEqual(said(answer).map(({ place }) => place.replace("/$defs/seen", "")), [
      "/properties/email",
      "/properties/phone_number",
      "/required/0",
      "/required/1",
    ]);
    assert.match(answer.sql, /"first_name":\{"personal":false\},"has_email":\{"type":"boolean"\}/);
  });

  test("of 2,000 events is carried over whole", () => {
    const many = Object.fromEntries(
      Array.from({ length: 2000 }, (_, n) => [`Thing ${n} Done`, schema({ n: { type: "integer" } })]),
    );
    const answer = ofSchemas(many);
    assert.deepEqual([answer.inserted.length, said(answer).length], [2000, 0]);
  });

  test("or cannot be read is refused with the line, and nothing of it is repeated", () => {
    const broken = [
      { plan: "segment", content: '{"rules": {\n"events": [{"name": "hush', says: /is not JSON: .* in line 2/ },
      { plan: "segment", content: "{}", says: /no rules of a Segment tracking plan/ },
      { plan: "ga4", content: '{"hush": 1}', says: /no plan for GA4/ },
      { plan: "snowplow", content: "[{}]", says: /no self-describing schema/ },
      { plan: "json-schema", content: "[]", says: /is no JSON Schema/ },
      { plan: "rudderstack", name: "plan.yaml", content: "kind: tp\nspec: [hush\n", says: /is not YAML: .* in line/ },
      { plan: "rudderstack", name: "plan.yaml", content: "kind: events\nspec: {}\n", says: /hold no tracking plan/ },
      { plan: "rudderstack", name: "plan.yaml", content: "kind: &a [*b]\n", says: /is not YAML/ },
      { plan: "segment", name: "plan.json", content: "", says: /is not JSON/ },
    ];
    for (const { plan, content, name, says } of broken) {
      const { code, said } = scene.gate(["import", "--plan", plan, file(content, name)]);
      assert.equal(code, 1, said);
      assert.match(said, says);
      assert.doesNotMatch(said, /hush/);
    }
    for (const args of [["x.json"], ["x.json", "--plan", "excel"], ["x.json", "--plan", "ga4", "--apply"]]) {
      assert.equal(scene.gate(["import", ...args]).code, 2, args.join(" "));
    }
    assert.match(
      scene.gate(["import", "--plan", "ga4", "missing.json"]).said,
      /missing\.json cannot be read \(ENOENT\)/,
    );
  });

  test("follows the mapping, which is written to be edited and never again", () => {
    const mapping = join(scene.folder, "mapping.json");
    const plan = file({ $defs: { "Seminar Joined": schema(), gone: schema() } });
    const args = ["import", "--plan", "json-schema", plan, "--mapping", mapping];
    assert.ok(!existsSync(mapping) && scene.gate(args).code === 0);
    const first = JSON.parse(readFileSync(mapping, "utf8"));
    assert.deepEqual(first["Seminar Joined"], { id: "seminar_joined", category: "engagement", tier: "consumer" });
    writeFileSync(
      mapping,
      JSON.stringify({
        "Seminar Joined": { ...first["Seminar Joined"], id: "talk_joined", tier: "clinic" },
        gone: null,
      }),
    );
    const { code, said } = scene.gate(args);
    assert.equal(code, 1);
    assert.match(said, /Seminar Joined -> talk_joined \(engagement, clinic\)/);
    assert.match(said, /\('talk_joined', 'engagement', 'clinic'/);
    assert.match(said, /left out .*gone: the mapping leaves it out/);
    for (
      const wrong of [[], { x: 1 }, { x: { category: "sales" } }, { x: { tier: "any" } }, { x: { ids: "y" } }, {
        x: { score_weight: -1 },
      }]
    ) {
      writeFileSync(mapping, JSON.stringify(wrong));
      assert.equal(scene.gate(args).code, 1, JSON.stringify(wrong));
    }
  });
});
