/** How fast a long history answers, to the owner of the table and to people who are signed in. */
import { performance } from "node:perf_hooks";
import { median, processorTime } from "./costs.mjs";
import { PERSON } from "./tables.mjs";

const ROUNDS = 3;

/**
 * A history of ten months, a move of each record in each, written past the guards; one record in a hundred is of somebody.
 *
 * @param {number} records
 */
const fill = (records) => `
  create table public.records (
    id bigint generated always as identity primary key, stage text not null default 's0', assigned_to uuid);
  select audience_gate.track_lifecycle('public.records', 'stage');
  alter table public.records disable trigger user;
  insert into public.records (assigned_to)
  select case when n % 100 = 0 then '${PERSON}'::uuid end from generate_series(1, ${records}) n;
  alter table public.records enable trigger user;
  alter table public.record_events disable trigger user;
  insert into public.record_events (record_id, from_stage, to_stage, changed_at, actor)
  select r, case when n > 0 then 's' || (n - 1) % 7 end, 's' || n % 7,
    now() - (10 - n) * interval '30 days' + r * interval '1 second', 'user:' || (r + n) % 40
  from generate_series(0, 9) n, generate_series(1, ${records}) r;
  alter table public.record_events enable trigger user;
  alter table public.records enable row level security;
  grant select on public.records, public.record_events to authenticated`;

const MONTHS = {
  "the last month": "now() - interval '31 days', now()",
  "a month before": "now() - interval '121 days', now() - interval '91 days'",
};

/** The document's questions and analyses. @type {[string, string, boolean][]} whether it is a report */
const QUESTIONS = [
  [
    "who moved this record to s3?",
    "select actor from lifecycle_timeline('records', '100') where to_stage = 's3'",
    false,
  ],
  ["how long was it in s2?", "select stayed from lifecycle_timeline('records', '100') where to_stage = 's2'", false],
  ["where was it on that day?", "select lifecycle_at('records', '100', now() - interval '100 days')", false],
  ["what moved in the last hour?", "select * from lifecycle_funnel('records', now() - interval '1 hour')", false],
  ...Object.entries(MONTHS).flatMap(([month, bounds]) => /** @type {[string, string, boolean][]} */ ([
    [`moves, ${month}`, `select * from lifecycle_funnel('records', ${bounds})`, true],
    [`stays, ${month}`, `select * from lifecycle_dwell('records', ${bounds})`, true],
    [`actors, ${month}`, `select * from lifecycle_actors('records', ${bounds})`, true],
    [`trend, ${month}`, `select * from lifecycle_trend('records', 'week', ${bounds})`, true],
  ])),
];

const SIGNED_IN = `set request.jwt.claims = '{"sub": "${PERSON}"}'; set role authenticated`;

/** Who asks, and by which policy they see records. */
export const VIEWERS = {
  owner: "",
  colleague: `create policy all_of_them on public.records for select to authenticated using (true); ${SIGNED_IN}`,
  person: `reset role; drop policy all_of_them on public.records;
    create policy own on public.records for select to authenticated using (assigned_to = (select auth.uid())); ${SIGNED_IN}`,
};

/** @typedef {{ question: string, isReport: boolean, of: Record<string, { answer: number, processor: number }> }} Answered in ms */

/** @param {import("pg").Client} client @param {number} records @returns {Promise<Answered[]>} */
export async function answers(client, records) {
  await client.query(fill(records));
  await client.query("vacuum analyze public.records, public.record_events");
  const spent = await processorTime(client);
  const answered = QUESTIONS.map(([question, , isReport]) => ({
    question,
    isReport,
    of: /** @type {Answered["of"]} */ ({}),
  }));
  for (const [viewer, sql] of Object.entries(VIEWERS)) {
    await client.query(sql);
    for (const [index, [, question]] of QUESTIONS.entries()) {
      const [times, busy] = [[], []].map((list) => /** @type {number[]} */ (list));
      for (let round = 0; round < ROUNDS; round++) {
        const [begun, before] = [performance.now(), spent()];
        await client.query(question);
        times.push(performance.now() - begun);
        busy.push((spent() - before) / 1e6);
      }
      answered[index].of[viewer] = { answer: median(times), processor: median(busy) };
    }
  }
  return answered;
}
