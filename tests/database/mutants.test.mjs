// A case of the corpus tells every mutant of a rule, written as SQL, from the rule. The mutants and the cases are those
// of `cargo test -p audience-gate-mutants`, judged by Postgres.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { expected } from "../package/cases.mjs";
import { root } from "../runner/paths.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";

const { receivedAt, cases } = expected();

const NO_TEXT = "a value that is not text violates the part that asks for its form";
const TWO_TEXTS = "anything but the texts of two states is not a blocked jump";
const NO_SCHEMA = "a type that is not listed has no schema to violate";

/** Mutants that no event can tell from their rule, and why. @type {[rule: string, change: string, why: string][]} */
const EQUIVALENT = [
  [
    "subscription.email_hash",
    "`must`: in part 2: in part 2: in part 1: in part 1: Present(Email) becomes NonEmptyText",
    NO_TEXT,
  ],
  [
    "subscription.email_hash",
    "`must`: in part 2: in part 2: in part 1: in part 2: Present(EmailHash) becomes NonEmptyText",
    NO_TEXT,
  ],
  ["state.escalation", "`when` always holds", TWO_TEXTS],
  ["state.escalation", "`when`: All becomes Any", TWO_TEXTS],
  ["state.escalation", "`when`: part 1 is dropped", TWO_TEXTS],
  ["state.escalation", "`when`: part 2 is dropped", TWO_TEXTS],
  ["state.escalation", "`when`: in part 1: Is(PriorState, Text) becomes Is(NewState, Text)", TWO_TEXTS],
  ["state.escalation", "`when`: in part 2: Is(NewState, Text) becomes Is(PriorState, Text)", TWO_TEXTS],
  ["registry.payload", "`when` always holds", NO_SCHEMA],
  ["registry.payload", "`when`: Listed(EventType, EventTypes) becomes NonEmptyText(EventType)", NO_SCHEMA],
];

/** What the database says about the corpus, at a site that accepts every origin and at one that accepts none. @param {import("pg").Client} client @param {import("../package/cases.mjs").Case[]} sent @returns {Promise<string[][]>} */
async function verdicts(client, sent) {
  const judged = async (/** @type {string | null} */ from) => {
    const { rows } = await client.query(
      `select audience_gate.violations(event::jsonb, caller, caller_id::uuid, origin, $5) as violated
       from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as t(event, caller, caller_id, origin, place)
       order by place`,
      [
        sent.map(({ text }) => text.replace(/^\ufeff/, "")),
        sent.map(({ caller }) => caller),
        sent.map(({ callerId }) => callerId ?? null),
        sent.map(({ origin }) => from ?? origin ?? null),
        new Date(receivedAt).toISOString(),
      ],
    );
    return rows.map(({ violated }) => violated);
  };
  const open = await judged(null);
  await client.query("savepoint open");
  await client.query("update public.audience_sites set origins = '{}'");
  const strict = await judged("https://example.com");
  await client.query("rollback to savepoint open");
  return [...open, ...strict];
}

for (const version of VERSIONS) {
  /** @type {Awaited<ReturnType<typeof startPostgres>>} */
  let server;
  before(async () => {
    server = await startPostgres({ version });
  });
  after(() => server.stop());

  test(`Postgres ${version} tells every mutant from its rule by a case`, async () => {
    const command = ["run", "--quiet", "--locked", "-p", "audience-gate-emit", "--example", "mutants"];
    const out = execFileSync("cargo", command, { cwd: root, maxBuffer: 2 ** 28, encoding: "utf8" });
    /** @type {{ mutants: [rule: string, change: string][], sql: string }} */
    const { mutants, sql } = JSON.parse(out);
    const readable = cases.filter(({ violates }) => violates && !violates.some((id) => id.startsWith("parse.")));

    const [rules, changed] = await asClient(server.url, async (client) => {
      await client.query("begin");
      const rules = await verdicts(client, readable);
      await client.query(sql);
      const changed = await verdicts(client, readable);
      await client.query("rollback");
      return [rules, changed];
    });

    const killed = new Set();
    changed.forEach((violated, index) => {
      const own = new Set(violated);
      const says = new Set(rules[index]);
      mutants.forEach(([rule], place) => {
        if (own.has(String(place)) !== says.has(rule)) killed.add(place);
      });
    });
    const isEquivalent = (/** @type {[string, string]} */ [rule, change]) =>
      EQUIVALENT.some((known) => known[0] === rule && change.startsWith(known[1]));
    const wrong = mutants.filter((mutant, place) => killed.has(place) === isEquivalent(mutant));
    assert.ok(mutants.length > 900, `only ${mutants.length} mutants`);
    assert.deepEqual(wrong, [], "told by no case of tests/corpus, or told though they are said to be equivalent");
  });
}
