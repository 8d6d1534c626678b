/**
 * A team that recorded events before it installed the gate: nothing stops when it does, its rows count nowhere until they
 * have been judged, and afterwards each of them is accounted for.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { event, ingest } from "./events.mjs";
import { migrate, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const TEAM = readFileSync(new URL("legacy.sql", import.meta.url), "utf8");
const SITE = "00000000-0000-4000-8000-000000000001";
const ROWS = 500;

for (const version of SCENARIO_VERSIONS) {
  describe(`a team's rows from before the gate, on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let client;
    /** What every row holds, apart from what judging adds. @type {string} */
    let contents;
    before(async () => {
      postgres = await startPostgres({ version, migrations: [] });
      client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      await client.query(TEAM);
      contents = await hash();
    });
    after(async () => {
      await client.end();
      await postgres.stop();
    });

    /** The first column of the first row. @param {string} query @param {unknown[]} [values] */
    const one = async (query, values) => {
      const { rows } = await client.query({ text: query, values, rowMode: "array" });
      return rows[0]?.[0];
    };
    /** A hash of the team's rows, by the columns that they had. */
    const hash = () =>
      one(`select md5(string_agg(concat_ws('|', id, created_at, user_id, session_id, event_type, event_category,
          event_source, metadata), chr(10) order by id)) from public.audience_events
        where id in (select md5('event ' || n)::uuid from generate_series(0, ${ROWS - 1}) n)`);
    const figures = async () => {
      await client.query("select audience_gate.refresh_analytics()");
      const { rows: [quality] } = await client.query(
        `select accepted::int, rejected::int, unjudged::int
         from public.kpi_data_quality($1, now() - interval '100 days', now() + interval '1 day') where rule_id is null`,
        [SITE],
      );
      const { rows: [overview] } = await client.query(
        `select events::int, score::float, errors::int, rejected::int
         from public.kpi_overview($1, now() - interval '100 days', now() + interval '1 day')`,
        [SITE],
      );
      return { ...quality, ...overview };
    };
    /** Judges everything. @param {{ dryRun: boolean, again?: boolean, batch?: number, most?: number }} options */
    const judge = async ({ dryRun, again = false, batch = 97, most = Infinity }) => {
      const sums = {
        examined: 0,
        accepted: 0,
        rejected: 0,
        failed: 0,
        rules: /** @type {Record<string, number>} */ ({}),
      };
      let text = "";
      for (let next = null, batches = 0; batches === 0 || (next && batches < most); batches++) {
        const answer = await one("select audience_gate.legacy_judge($1, $2, $3, $4)", [next, batch, dryRun, again]);
        for (const key of /** @type {const} */ (["examined", "accepted", "rejected"])) sums[key] += answer[key];
        sums.failed += answer.failures.length;
        for (const [rule, { rows }] of Object.entries(answer.by_rule)) {
          sums.rules[rule] = (sums.rules[rule] ?? 0) + rows;
        }
        text += JSON.stringify(answer);
        next = answer.next;
      }
      assert.doesNotMatch(text, /canary/, "a sample shows what must not be shown");
      return sums;
    };

    it("the migrations apply, and mark every row as unjudged without touching it", async () => {
      await migrate(client);
      assert.equal(await hash(), contents);
      assert.equal(await one("select count(*)::int from public.audience_events where contract is null"), ROWS);
    });

    it("they count in no figure, and have a count of their own", async () => {
      assert.deepEqual(await figures(), {
        accepted: 0,
        rejected: 0,
        unjudged: ROWS,
        events: 0,
        score: 0,
        errors: 0,
      });
      assert.equal(await one("select count(*)::int from public.audience_recent_events($1, 100)", [SITE]), 0);
    });

    it("each member's history begins with where they stood, and a foreign state stops nothing", async () => {
      const { rows } = await client.query(
        `select h.to_state, h.notes, count(*)::int as members from public.audience_state_events h
         where h.rule_id = 'taken_over' and h.from_state is null and h.site_id is null group by 1, 2 order by 3 desc, 1`,
      );
      assert.deepEqual(rows, [
        { to_state: "S1", notes: "stood here before the gate was installed", members: 29 },
        { to_state: "S0", notes: 'stood in "a_state_of_our_own_making", which is no registered state', members: 5 },
        { to_state: "S4", notes: "stood here before the gate was installed", members: 5 },
      ]);
      assert.equal(await one("select audience_gate.take_over_states()::int"), 0, "twice");
    });

    it("an old member's new event scores alone", async () => {
      const user = await one("select md5('user 1')::uuid");
      await ingest(client, [event({ user_id: user })]);
      const { remaining } = await one("select audience_gate.derive_states()");
      assert.equal(remaining, false);
      const { rows } = await client.query(
        "select engagement_score::float as score, current_state from public.audience_site_state where user_id = $1",
        [user],
      );
      assert.deepEqual(rows, [{ score: 0.2, current_state: "S0" }]);
      assert.deepEqual(await figures(), {
        accepted: 1,
        rejected: 0,
        unjudged: ROWS,
        events: 1,
        score: 0.2,
        errors: 0,
      });
    });

    it("a report says by rule what judging would find, and changes nothing", async () => {
      const { rows } = await client.query("select kind, fate from public.kinds where fate <> 'accepted'");
      const found = await judge({ dryRun: true, batch: 1000 });
      assert.deepEqual(found, {
        examined: ROWS,
        accepted: 150,
        rejected: 350,
        failed: 0,
        rules: Object.fromEntries(rows.map(({ fate }) => [fate, 50])),
      });
      assert.equal(await one("select count(*)::int from public.audience_events where contract is null"), ROWS);
      assert.equal(await one("select count(*)::int from public.audience_events where rejected"), 0);
    });

    it("types in use are proposed and registered, but not those that could never pass", async () => {
      const { types } = await one("select audience_gate.legacy_summary()");
      assert.deepEqual(types, [
        { event_type: "webinar_joined", event_category: "engagement", events: 50, obstacle: null },
        {
          event_type: "x",
          event_category: "engagement",
          events: 50,
          obstacle: "it has fewer than 3 or more than 64 characters",
        },
      ]);
      const { rows } = await client.query(
        "select event_type, event_category, events::int from audience_gate.legacy_register()",
      );
      assert.deepEqual(rows, [{ event_type: "webinar_joined", event_category: "engagement", events: 50 }]);
    });

    it("judging goes on where it stopped, and comes to the same end", async () => {
      const part = await judge({ dryRun: false, batch: 37, most: 4 });
      assert.equal(part.examined, 148);
      const rest = await judge({ dryRun: false });
      assert.equal(part.accepted + rest.accepted, 200);
      assert.equal(part.rejected + rest.rejected, 300);
      assert.equal((await judge({ dryRun: false })).examined, 0, "nothing is judged twice");
    });

    it("each row is as it was, and is stamped or has one audit row that says why not", async () => {
      assert.equal(await hash(), contents);
      const { rows } = await client.query(
        `select k.fate, count(*)::int as events, count(e.contract)::int as stamped, count(a.id)::int as audited,
           count(*) filter (where a.metadata ->> 'validation_rule_id' = k.fate and a.created_at = e.created_at
             and a.contract = audience_gate.contract_fingerprint())::int as right
         from generate_series(0, ${ROWS - 1}) n
         join public.kinds k on k.kind = n % 10
         join public.audience_events e on e.id = md5('event ' || n)::uuid
         left join audience_gate.legacy_judgements j on j.event_id = e.id
         left join public.audience_events a on a.id = j.audit_id
         group by k.kind, k.fate order by k.kind`,
      );
      assert.deepEqual(
        rows,
        rows.map(({ fate }) =>
          fate === "accepted" || fate === "registry.event_type"
            ? { fate, events: 50, stamped: 50, audited: 0, right: 0 }
            : { fate, events: 50, stamped: 0, audited: 50, right: 50 }
        ),
      );
      assert.equal(
        await one("select count(*)::int from public.audience_events where rejected and metadata::text like '%canary%'"),
        0,
      );
      const invalid = await client.query(
        `select e.id, v.rule_id from public.audience_events e
         cross join lateral public.validate_audience_event(
           jsonb_strip_nulls(to_jsonb(e) - array['metadata', 'created_at', 'rejected', 'contract', 'recorded_xid'])
             || jsonb_build_object('metadata', e.metadata)) v
         where e.rejected`,
      );
      assert.deepEqual(invalid.rows, [], "every audit row is a valid event");
    });

    it("the figures count what was judged, each row once", async () => {
      assert.deepEqual(await figures(), {
        accepted: 201,
        rejected: 300,
        unjudged: 0,
        events: 201,
        score: 50 * 0.2 + 50 * 1 + 50 * 4 + 0.2,
        errors: 0,
      });
    });

    it("the states are derived from the accepted rows, for everybody", async () => {
      for (let remaining = true; remaining;) ({ remaining } = await one("select audience_gate.derive_states()"));
      const { rows } = await client.query(
        `select e.user_id, sum(t.score_weight)::float as earned, s.engagement_score::float as score
         from public.audience_events e
         join public.audience_event_types t on t.id = e.event_type
         left join public.audience_site_state s on s.user_id = e.user_id
         where e.contract is not null and not e.rejected and e.user_id is not null group by e.user_id, s.engagement_score`,
      );
      assert.equal(rows.length, 12);
      assert.deepEqual(rows.filter(({ earned, score }) => score === null || Math.abs(earned - score) > 1e-9), []);
    });

    it("a rejected row that the corrected registry lets in is accepted, and counts once", async () => {
      await client.query("update public.audience_event_types set category = 'engagement' where id = 'account_created'");
      const again = await judge({ dryRun: false, again: true });
      assert.deepEqual({ ...again, rules: {} }, { examined: 300, accepted: 50, rejected: 250, failed: 0, rules: {} });
      const { accepted, rejected, unjudged } = await figures();
      assert.deepEqual({ accepted, rejected, unjudged }, { accepted: 251, rejected: 250, unjudged: 0 });
      assert.equal(await hash(), contents);
    });
  });
}
