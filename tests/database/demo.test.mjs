/** docs/demo.md explains the numbers of the demo: each of them is what the figures of that demo say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { history } from "../../local/demo/history.mjs";
import { PODCAST, podcast } from "../../local/demo/podcast.mjs";
import { judgedDays, load } from "../../local/seed.mjs";
import { root } from "../runner/paths.mjs";
import { asClient, startPostgres } from "./postgres.mjs";

const FILLED = Date.parse("2026-11-28T12:00Z");
const HEARD = `'${PODCAST}', '2026-11-01Z', '2026-11-28T12:00Z'`;
const RANGE = "audience_gate.default_site(), '2026-11-01Z', '2026-11-28T12:00Z'";

/** Who each session is of: the demo writes it into the name. */
const CAST = `
  select s.kind, case s.kind when 'visitor' then e.session_id else substring(e.session_id from '[a-z]+-[0-9]+$') end as who, e.event_type,
    coalesce(e.occurred_at, e.created_at) as at
  from public.audience_events e
  join public.audience_event_types t on t.id = e.event_type
  cross join lateral (select split_part(e.session_id, '-', 3) as kind) s
  where not e.rejected and t.tier <> 'system' and t.category <> 'retention' and s.kind <> 'backend'`;

/** As the document writes it. */
const number = (/** @type {unknown} */ value) => Number(value).toLocaleString("en");
const percent = (/** @type {unknown} */ rate) => rate === undefined ? "" : `${Math.round(Number(rate) * 100)} %`;

test("every number of docs/demo.md is the demo's", async () => {
  const postgres = await startPostgres();
  try {
    await asClient(postgres.adminUrl, async (client) => {
      /** @param {string} sql @param {unknown[]} [values] @returns {Promise<any[]>} */
      const rows = async (sql, values) => (await client.query(sql, values)).rows;
      const database = /** @type {import("../../local/seed.mjs").Sql} */ (/** @type {unknown} */ ({
        query: client.query.bind(client),
        exec: (/** @type {string} */ sql) => client.query(sql),
      }));
      await client.query("insert into public.audience_sites (id, name) values ($1, 'Sleep podcast')", [PODCAST]);
      await client.query("begin");
      const filled = { now: FILLED, days: 42 };
      await load(database, await judgedDays(database, [...history(filled), ...podcast(filled)]));
      await client.query("commit");
      await client.query("select audience_gate.fold_analytics()");

      const cast = Object.fromEntries(
        (await rows(
          `select c.kind, count(distinct c.who)::int as came, count(distinct c.who) filter (where c.event_type = 'content_view')::int
             as read, count(distinct c.who) filter (where c.event_type = 'plan_started')::int as plans
           from (${CAST}) c where c.at >= '2026-11-01Z' group by 1`,
        )).map((row) => [row.kind, row]),
      );
      const { visitor, consumer } = cast;
      const [people] = await rows(`select * from public.kpi_people(${RANGE})`);
      const funnel = await rows(`select * from public.kpi_funnel(${RANGE})`);
      const [, read, subscribed, planned] = funnel;
      const last = await rows(`select * from public.kpi_campaigns(${RANGE}) order by visits desc`);
      const first = await rows(`select * from public.kpi_campaigns(${RANGE}, by => 'first') order by visits desc`);
      const cohorts = await rows(
        `select r.cohort, r.people, r.rates, r.retained, v.passing, to_char(r.cohort, 'FMDD FMMonth') as week
         from public.kpi_retention(audience_gate.default_site(), '2026-10-19Z', '2026-11-22Z', grain => 'week') r
         join (
           select date_trunc('week', f.first)::date as cohort, count(*)::int as passing
           from (select min(c.at) as first from (${CAST}) c where c.kind = 'visitor' group by c.who) f group by 1
         ) v on v.cohort = r.cohort order by 1`,
      );
      const [broken] = await rows(
        `select e.metadata ->> 'validation_rule_id' as rule, e.metadata #>> '{original_payload_snapshot,metadata,tracker}' as tracker,
           to_char(min(e.created_at), 'FMDay, FMDD FMMonth') as day, count(distinct e.created_at::date)::int as days, count(*)::int as n
         from public.audience_events e
         where e.rejected and e.metadata #>> '{original_payload_snapshot,event_source}' = 'ios'
           and e.metadata #>> '{original_payload_snapshot,metadata,tracker}' is not null group by 1, 2`,
      );
      const heard = await rows(`select * from public.kpi_campaigns(${HEARD}) order by visits desc`);
      const [listened] = await rows(`select * from public.kpi_people(${HEARD})`);
      const brought = (/** @type {string} */ source) => heard.find((row) => row.source === source);
      const conversions = last.reduce((sum, row) => sum + Number(row.conversions), 0);
      const viewing = visitor.came + consumer.came;

      const said = [
        ...[["passers-by", visitor], ["readers", consumer], ["practitioners", cast.practitioner], [
          "clinics",
          cast.clinic,
        ], [
          "networks",
          cast.network,
        ]].map(([who, { came }]) => `| ${who} | ${number(came)} |`),
        `the ${number(people.people)} people of the overview: ${
          number(people.signed_in_people)
        } are known by their sign-in, and ${number(people.visitors)} are not`,
        `joined ${number(people.stitched_sessions)} of the ${
          number(people.sessions)
        } visits to a reader. In the other ${number(people.signed_in_sessions)} somebody`,
        ...funnel.map((step) => `| ${step.step} | ${number(step.people)} |`),
        `${visitor.came} passers-by and ${consumer.came} readers; the other ${
          people.people - viewing
        } people view no page`,
        `(${visitor.read}), and every reader does`,
        `${read.dropped} people leave between Visit and Read`,
        `${subscribed.dropped} leave before they subscribe: the ${visitor.read} passers-by who read, and ${
          read.people - visitor.read - subscribed.people
        } readers`,
        `half a minute, to Subscribe about ${(subscribed.average_seconds / 86_400).toFixed(1)} days, to a plan about ${
          (planned.average_seconds / 86_400).toFixed(1)
        }`,
        `${consumer.plans} people started a plan in these days, and the funnel has ${planned.people} of them. The other ${
          consumer.plans - planned.people
        } had`,
        ...cohorts.map(({ week, people, passing, rates }) =>
          `| ${week} | ${people} | ${passing} | ${percent(rates[1])} | ${percent(rates[2])} |`
        ),
        `${cohorts[0].people - cohorts[0].passing} of the ${cohorts[0].people} of ${cohorts[0].week}, of whom ${
          cohorts[0].retained[1]
        } came again`,
        ...[...last, ...heard].map(({ source, medium, campaign, visits, people, conversions }) =>
          `| ${[source, medium, campaign].filter((part) => part !== null).join(", ") || "none"} | ${
            number(visits)
          } | ${people} | ${conversions} |`
        ),
        `${
          number(listened.people)
        } people came to it: ${listened.signed_in_people} listeners and ${listened.visitors} guests`,
        `brought ${brought("newsletter").visits} visits here and ${
          brought("newsletter").conversions
        } of the plans, the radio ${brought("radio").visits} and ${brought("radio").conversions}`,
        `the ${conversions} visits in which a plan was started`,
        `On ${broken.day}, there is one more: a release of the app, \`${broken.tracker}\`, forgot`,
        `all ${broken.n} of its sign-ups were refused by \`${broken.rule}\``,
      ];
      // A line of the document may end where a sentence goes on.
      const text = readFileSync(join(root, "docs", "demo.md"), "utf8").replaceAll(/(?<!\|)\n(?!\|)/g, " ")
        .replaceAll(/ {2,}\|/g, " |");
      assert.deepEqual(said.filter((words) => !text.includes(words.replaceAll(/ {2,}\|/g, " |"))), []);
      assert.deepEqual(first, last, "the first touch and the last say the same");
      assert.equal(broken.days, 1);
      assert.equal(consumer.read, consumer.came, "every reader reads");
      assert.equal(viewing, Number(funnel[0].people));
      assert.equal(conversions, consumer.plans);
    });
  } finally {
    await postgres.stop();
  }
});
