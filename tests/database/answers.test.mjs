import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { event } from "./events.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

/** What PostgREST runs for `POST /audience_events`: the settings are read in the statement that inserts. */
const POST = `
  with pgrst_source as (
    insert into "public"."audience_events" ("id", "session_id", "event_type", "event_category", "event_source", "metadata")
    select "id", "session_id", "event_type", "event_category", "event_source", "metadata"
    from (select $1::json as json_data) pgrst_payload,
      lateral (select "id", "session_id", "event_type", "event_category", "event_source", "metadata"
        from json_populate_recordset(null::"public"."audience_events", json_data)) pgrst_body
    returning 1
  )
  select '' as total_result_set, pg_catalog.count(_postgrest_t) as page_total, array[]::text[] as header, ''::text as body,
    nullif(current_setting('response.headers', true), '') as response_headers,
    nullif(current_setting('response.status', true), '') as response_status
  from (select pgrst_source.* from pgrst_source) _postgrest_t`;

const good = () => event();
const bad = () => event({ metadata: {} });

describe("a direct insert through the API", () => {
  for (const version of SCENARIO_VERSIONS) {
    it(`is told what became of it, on Postgres ${version}`, async () => {
      const postgres = await startPostgres({ version });
      const again = good();
      const cases = [
        { what: "accepted", events: [good()], status: null, rows: "1" },
        {
          what: "rejected",
          events: [bad()],
          status: "422",
          rows: "1",
          rule: "engagement.subject",
          rejected: "1",
        },
        {
          what: "accepted, then rejected",
          events: [good(), bad()],
          status: "207",
          rows: "2",
          rule: "engagement.subject",
          rejected: "1",
        },
        {
          what: "rejected, then accepted",
          events: [bad(), bad(), good()],
          status: "207",
          rows: "3",
          rule: "engagement.subject",
          rejected: "2",
        },
        { what: "sent twice", events: [again, again], status: null, rows: "1" },
      ];
      try {
        const failures = await asClient(postgres.url, async (client) => {
          const failures = [];
          for (const { what, events, ...expected } of cases) {
            await client.query("begin");
            await client.query("set local role service_role");
            const { rows: [answer] } = await client.query(POST, [
              JSON.stringify(events),
            ]);
            await client.query("commit");
            const headers = Object.assign(
              {},
              ...JSON.parse(answer.response_headers ?? "[]"),
            );
            const actual = {
              status: answer.response_status,
              rows: answer.page_total,
              ...("Audience-Gate-Rule" in headers
                ? {
                  rule: headers["Audience-Gate-Rule"],
                  rejected: headers["Audience-Gate-Rejected"],
                }
                : {}),
            };
            if (JSON.stringify(actual) !== JSON.stringify(expected)) {
              failures.push({ what, actual, expected });
            }
          }
          return failures;
        });
        assert.deepEqual(failures, []);
      } finally {
        await postgres.stop();
      }
    });
  }
});
