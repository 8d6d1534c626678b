// Every engine gives the same list of rules for every event. Each is compared with the written corpus first, then with
// the others on generated events, which a seed repeats: AUDIENCE_GATE_SEED=… npm test -- database.
// AUDIENCE_GATE_EVENTS=… generates more of them than usual.
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, test } from "node:test";
import { judge, loadRegistry } from "../../pkg/inline.js";
import { expected } from "../package/cases.mjs";
import { portions } from "./generated.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";
import { size } from "../long.mjs";

const { registry, receivedAt, cases } = expected();
const GENERATED = Number(process.env.AUDIENCE_GATE_EVENTS ?? size({ short: 4000, long: 100_000 }));
const seed = Number(process.env.AUDIENCE_GATE_SEED ?? Date.now() % 2 ** 31);

// Faults that only the text shows: Postgres refuses these before any rule is applied, or reads a value that hides them.
const ONLY_IN_TEXT = new Set(["parse.json", "parse.text", "parse.duplicate_key"]);

/** @typedef {import("./generated.mjs").Sent} Sent */

/** What the database says about events, in one round trip. @param {import("pg").Client} client @param {Sent[]} sent @returns {Promise<string[][]>} */
async function bySql(client, sent) {
  const { rows } = await client.query(
    `select audience_gate.violations(event::jsonb, caller, caller_id::uuid, origin, $5) as violated
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as t(event, caller, caller_id, origin, place)
     order by place`,
    [
      sent.map(({ text }) => text.replace(/^\ufeff/, "")),
      sent.map(({ caller }) => caller ?? "trusted"),
      sent.map(({ callerId }) => callerId ?? null),
      sent.map(({ origin }) => origin ?? null),
      new Date(receivedAt).toISOString(),
    ],
  );
  return rows.map(({ violated }) => violated);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIME =
  /^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-]0[0-9]:[0-5][0-9])$/;
/** What each column of the table accepts, so that an event can be put into a row. @type {Record<string, RegExp>} */
const COLUMNS = {
  ...Object.fromEntries(["id", "user_id", "site_id"].map((key) => [key, UUID])),
  occurred_at: TIME,
  ...Object.fromEntries(
    ["session_id", "event_type", "event_category", "event_source"].concat(
      ["source", "medium", "campaign", "content", "term"].map((tag) => `utm_${tag}`),
    ).map((key) => [key, /^/]),
  ),
};

/** Whether a row of the table can hold an event. @param {Sent} sent */
function fitsRow({ text }) {
  const event = JSON.parse(text);
  return Object.entries(event).every(([key, value]) =>
    key === "metadata" ||
    (key in COLUMNS && (value === null || (typeof value === "string" && COLUMNS[key].test(value))))
  );
}

/** What the trigger's function says about the rows of events. @param {import("pg").Client} client @param {Sent[]} sent @returns {Promise<string[][]>} */
async function byRow(client, sent) {
  const { rows } = await client.query(
    `select audience_gate.row_violations(
       jsonb_populate_record(null::public.audience_events,
         '{"site_id": "00000000-0000-4000-8000-000000000001"}' || jsonb_strip_nulls(event::jsonb - 'metadata')
           || jsonb_build_object('metadata', event::jsonb -> 'metadata')),
       caller, caller_id::uuid, origin, $5) as violated
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as t(event, caller, caller_id, origin, place)
     order by place`,
    [
      sent.map(({ text }) => text),
      sent.map(({ caller }) => caller ?? "trusted"),
      sent.map(({ callerId }) => callerId ?? null),
      sent.map(({ origin }) => origin ?? null),
      new Date(receivedAt).toISOString(),
    ],
  );
  return rows.map(({ violated }) => violated);
}

/** What the module says about an event. @param {Sent} sent @returns {string[]} */
function byWasm({ text, caller = "trusted", callerId = null, origin = null }) {
  const context = /** @type {import("../../pkg/inline.js").JudgeContext} */ ({
    caller,
    callerId,
    origin,
    receivedAt,
    seed: new Uint8Array(16).fill(7),
  });
  const { answer } = judge(new TextEncoder().encode(text), context);
  const { violations = [] } = JSON.parse(new TextDecoder().decode(answer)).results[0];
  return violations.map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id);
}

/** Fails with every event on which two lists differ. @param {{ sent: Sent, left: string[], right: string[] }[]} pairs @param {string} names */
function agree(pairs, names) {
  const wrong = pairs.filter(({ left, right }) => left.join() !== right.join());
  const shown = wrong.slice(0, 10).map(({ sent, left, right }) => `${JSON.stringify(sent)}\n  ${left}\n  ${right}`);
  assert.equal(wrong.length, 0, `${names} disagree on ${wrong.length} of ${pairs.length} events:\n${shown.join("\n")}`);
}

loadRegistry(JSON.stringify(registry));

for (const version of VERSIONS) {
  /** @type {Awaited<ReturnType<typeof startPostgres>>} */
  let server;
  before(async () => {
    server = await startPostgres({ version });
  });
  after(() => server.stop());

  test(`Postgres ${version} finds in every case of the corpus what is listed with it`, async () => {
    const judged = cases.filter(({ violates, first, only_in_text }) =>
      !only_in_text && !(violates ?? [first]).some((id) => ONLY_IN_TEXT.has(String(id))) && (first !== "parse.number")
    );
    const found = await asClient(server.url, (client) => bySql(client, judged));
    agree(
      judged.map((sent, index) => ({
        sent,
        left: sent.violates ?? [String(sent.first)],
        right: sent.violates ? found[index] : found[index].slice(0, 1),
      })),
      "the corpus and the database",
    );
  });

  test(`Postgres ${version} and the module agree on ${GENERATED} generated events (seed ${seed})`, async () => {
    await asClient(server.url, async (client) => {
      for (const events of portions(GENERATED, cases, seed)) {
        const found = await bySql(client, events);
        agree(
          events.map((sent, index) => ({ sent, left: byWasm(sent), right: found[index] })),
          "the module and the database",
        );
      }
    });
  });

  test(`Postgres ${version} finds the same in a row as in the document (seed ${seed})`, async () => {
    const written = cases.filter(({ violates, text }) =>
      violates && !violates.some((id) => ONLY_IN_TEXT.has(id)) && text.startsWith("{")
    );
    const all = function* () {
      yield written;
      yield* portions(GENERATED, cases, seed);
    };
    let fitting = 0;
    await asClient(server.url, async (client) => {
      for (const portion of all()) {
        const events = portion.filter(fitsRow);
        fitting += events.length;
        const [rows, documents] = [await byRow(client, events), await bySql(client, events)];
        agree(events.map((sent, index) => ({ sent, left: rows[index], right: documents[index] })), "row and document");
      }
    });
    assert.ok(fitting > GENERATED / 4, `only ${fitting} events fit a row`);
  });
}
