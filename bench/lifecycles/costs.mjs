/** What a change costs in tables that take the same statements in turn. */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { PERSON, recordId, RECORDS, SETUP, TABLES } from "./tables.mjs";

const NAMES = Object.keys(TABLES);
const STATEMENTS = 50;
const ROUNDS = 24;
const ROUNDS_OF_MANY = 6;

/** @typedef {{ processor: number, answer: number }} Cost microseconds of the server process, and until the answer */
/** @typedef {{ title: string, of: Record<string, Cost> }} Compared */

export const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Tells how many nanoseconds a client's server process has worked. @param {import("pg").Client} client */
export async function processorTime(client) {
  const { rows: [{ pid }] } = await client.query("select pg_backend_pid() as pid");
  return () => Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
}

/** What PostgREST says of a request, before it runs it as the role of the token. */
const REQUEST = [
  ["search_path", '"public", "extensions"'],
  ["role", "authenticated"],
  ["request.jwt.claims", JSON.stringify({ sub: PERSON, role: "authenticated", aal: "aal1", session_id: recordId(0) })],
  ["request.method", "PATCH"],
  ["request.path", "/"],
  ["request.headers", '{"user-agent":"supabase-js"}'],
  ["request.cookies", "{}"],
];

/** An update as PostgREST runs it. @param {string} table @param {string} column */
const patch = (table, column) => `
  with pgrst_source as (
    with pgrst_payload as (select $1::json as json_data), pgrst_body as (
      select case when json_typeof(json_data) = 'array' then json_data else json_build_array(json_data) end as val
      from pgrst_payload)
    update public.${table} set ${column} = pgrst_body.${column}
    from (select ${column} from json_to_recordset((select val from pgrst_body)) as _(${column} text) limit 1) pgrst_body
    where public.${table}.id = $2 returning 1)
  select '' as total_result_set, count(_postgrest_t) as page_total, array[]::text[] as header, '' as body,
    nullif(current_setting('response.headers', true), '') as response_headers,
    nullif(current_setting('response.status', true), '') as response_status
  from (select * from pgrst_source) _postgrest_t`;

/** @param {import("pg").Client} client @param {string} table @param {string} column @param {string} value @param {string} id */
async function request(client, table, column, value, id) {
  await client.query("begin isolation level read committed read write");
  await client.query({
    name: "request",
    text: `select ${REQUEST.map((_, i) => `set_config($${2 * i + 1}, $${2 * i + 2}, true)`).join(", ")}`,
    values: REQUEST.flat(),
  });
  const values = [JSON.stringify({ [column]: value }), id];
  await client.query({ name: `${table} ${column}`, text: patch(table, column), values });
  await client.query("commit");
}

/** @typedef {(client: import("pg").Client, table: string, round: number, id: string) => Promise<unknown>} Statement */

/** What each table is put through; the round makes every value a new one. @type {[string, number, Statement][]} */
const CASES = [
  [
    "an update that leaves the stage alone",
    STATEMENTS,
    (client, t, round, id) => client.query(`update ${t} set first_name = 'n${round}' where id = $1`, [id]),
  ],
  [
    "the same, naming every column",
    STATEMENTS,
    (client, t, round, id) =>
      client.query(
        `update ${t} set first_name = 'a${round}', last_name = 'b', email = null, phone = null, stage = stage,
           assigned_to = null, updated_at = now() where id = $1`,
        [id],
      ),
  ],
  [
    "the same, through the API",
    STATEMENTS,
    (client, t, round, id) => request(client, t, "first_name", `r${round}`, id),
  ],
  [
    "an update that moves a record",
    STATEMENTS,
    (client, t, round, id) => client.query(`update ${t} set stage = 's${round}' where id = $1`, [id]),
  ],
  ["the same, through the API", STATEMENTS, (client, t, round, id) => request(client, t, "stage", `r${round}`, id)],
  [
    "an insert",
    STATEMENTS,
    (client, t, _, id) => client.query(`insert into ${t} (first_name, last_name) values ('n', $1)`, [id]),
  ],
  [
    `an update of ${RECORDS} records, no stage moved`,
    1,
    (client, t, round) => client.query(`update ${t} set first_name = 'w${round}' where first_name <> 'n'`),
  ],
  [
    `a move of ${RECORDS} records by one statement`,
    1,
    (client, t, round) => client.query(`update ${t} set stage = 'w${round}' where first_name <> 'n'`),
  ],
];

/** @param {import("pg").Client} client @returns {Promise<Compared[]>} */
export async function costs(client) {
  const spent = await processorTime(client);
  await client.query(SETUP);
  const compared = [];
  for (const [title, times, statement] of CASES) {
    const took = NAMES.map(() => ({ processor: /** @type {number[]} */ ([]), answer: /** @type {number[]} */ ([]) }));
    for (let round = 0; round < (times > 1 ? ROUNDS : ROUNDS_OF_MANY); round++) {
      // Each in turn goes first, so that none always comes after the same other.
      for (const index of NAMES.keys()) {
        const turn = (index + round) % NAMES.length;
        const [begun, before] = [performance.now(), spent()];
        for (let id = 1; id <= times; id++) await statement(client, NAMES[turn], round, recordId(id));
        took[turn].processor.push((spent() - before) / times / 1000);
        took[turn].answer.push((performance.now() - begun) / times * 1000);
      }
      if (round % 10 === 9 || times === 1) { for (const name of NAMES) await client.query(`vacuum ${name}`); }
    }
    const of = Object.fromEntries(
      took.map(({ processor, answer }, i) => [NAMES[i], { processor: median(processor), answer: median(answer) }]),
    );
    compared.push({ title, of });
  }
  return compared;
}
