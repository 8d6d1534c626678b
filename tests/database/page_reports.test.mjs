// What pages report to have refused: one audit row for each report, of which the database believes nothing.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { event, newSession } from "./events.mjs";
import { SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const USER = randomUUID();
const OTHER = randomUUID();

/** @typedef {Record<string, any>} Row */

const found = (/** @type {string[]} */ ...ids) => ids.map((rule_id) => ({ rule_id, path: "/metadata" }));
const report = (
  /** @type {Row} */ changes = {},
  violations = /** @type {unknown} */ (found("engagement.subject")),
) => ({
  violations,
  event: event({ metadata: {}, ...changes }),
});

for (const version of SCENARIO_VERSIONS) {
  describe(`what pages report, on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let client;

    before(async () => {
      postgres = await startPostgres({ version });
      client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
    });
    after(async () => {
      await client.end();
      await postgres.stop();
    });

    /** Sends reports as the function does, under its role. @param {unknown[]} reports @param {Row} [batch] */
    async function send(reports, batch = {}) {
      await client.query("set role service_role");
      try {
        const { rows: [{ answer }] } = await client.query("select public.audience_report_rejections($1) as answer", [
          JSON.stringify({ caller: "visitor", caller_id: null, origin: null, rate: null, ...batch, reports }),
        ]);
        return answer;
      } finally {
        await client.query("reset role");
      }
    }

    /** The rows about an event. @param {unknown} id @returns {Promise<Row[]>} */
    const rowsOf = async (id) =>
      (await client.query("select * from public.audience_events where metadata ->> 'event_id' = $1", [id])).rows;

    it("each becomes one audit row under the contract, and a repeat adds none", async () => {
      const reports = [report(), report({ session_id: "short" }, found("sanity.session_id_length"))];
      for (let sent = 0; sent < 3; sent++) assert.deepEqual((await send(reports)).reported, [0, 1]);
      const [one, ...more] = await rowsOf(reports[0].event.id);
      assert.deepEqual(more, []);
      assert.deepEqual(
        [one.event_type, one.event_source, one.rejected, one.session_id, one.contract !== null],
        ["event_validation_fail", "browser", true, reports[0].event.session_id, true],
      );
      assert.deepEqual(
        [one.metadata.source_system, one.metadata.validation_rule_id, one.metadata.violations],
        ["browser", "engagement.subject", found("engagement.subject")],
      );
      const [two] = await rowsOf(reports[1].event.id);
      assert.equal(two.session_id, "unknown-session");
      const { rows } = await client.query(
        `select e.metadata ->> 'validation_rule_id' as rule, v.rule_id from public.audience_events e,
           public.validate_audience_event(to_jsonb(e) - array['created_at', 'rejected', 'contract', 'recorded_xid']) v
         where e.event_source = 'browser'`,
      );
      assert.deepEqual(rows, [], "an audit row is itself valid");
    });

    it("500 different reports under one id are 500 rows", async () => {
      const id = randomUUID();
      const session_id = newSession();
      const reports = Array.from({ length: 500 }, (_, n) => report({ id, session_id, metadata: { n } }));
      for (let at = 0; at < 500; at += 50) await send(reports.slice(at, at + 50));
      assert.equal((await rowsOf(id)).length, 500);
    });

    it("no personal value that a page left in a report is in any column", async () => {
      const canary = "canary.person@mail.example";
      const card = "4111 1111 1111 1111";
      const reports = [
        report({ metadata: { note: canary, card, [canary]: 1 } }, found("privacy.raw_email")),
        report({ session_id: canary, event_type: canary, utm_source: card }, found("privacy.raw_email")),
        report({ email: canary, unknown: canary }, found("base.field_known")),
        report({}, [{ rule_id: "privacy.raw_email", path: `/metadata/${canary}` }]),
        report({}, [{ rule_id: "privacy.raw_email", path: canary }]),
        report({}, [{ rule_id: canary, path: canary }, ...found("engagement.subject")]),
      ];
      assert.equal((await send(reports)).reported.length, reports.length);
      const { rows: [{ leaks }] } = await client.query(
        `select count(*)::int as leaks from public.audience_events e
         where to_jsonb(e)::text ~ 'canary.person|4111 1111'`,
      );
      assert.equal(leaks, 0);
    });

    it("a page speaks for nobody else, for no other site, and of no rule that it cannot judge", async () => {
      const { rows: [{ id: own }] } = await client.query(
        "insert into public.audience_sites (name, origins) values ('own', array['https://own.example']) returning id",
      );
      /** @type {[string, ReturnType<typeof report>, Row, Row | undefined][]} */
      const cases = [
        ["a visitor names a user", report({ user_id: USER }), {}, { user_id: null }],
        ["a user names another", report({ user_id: OTHER }), { caller: "user", caller_id: USER }, { user_id: null }],
        ["a user names themselves", report({ user_id: USER }), { caller: "user", caller_id: USER }, { user_id: USER }],
        ["a site from its page", report({ site_id: own }), { origin: "https://own.example" }, { site_id: own }],
        [
          "a site from another page",
          report({ site_id: own }),
          { origin: "https://other.example" },
          { site_id: "00000000-0000-4000-8000-000000000001" },
        ],
        ["a site that is none", report({ site_id: randomUUID() }), {}, {
          site_id: "00000000-0000-4000-8000-000000000001",
        }],
        ["a rule that is none", report({}, found("no.rule")), {}, undefined],
        ["a rule of the log", report({}, found("duplicate.double_fire")), {}, undefined],
        ["another rule of the log", report({}, found("identity.id_reuse")), {}, undefined],
        ["no rule", report({}, "privacy.raw_email"), {}, undefined],
        ["too large an event", report({ metadata: { a: "x".repeat(6000) } }), {}, undefined],
      ];
      /** @type {string[]} */
      const wrong = [];
      for (const [name, one, batch, expected] of cases) {
        const { reported } = await send([one], batch);
        const [row] = await rowsOf(one.event.id);
        const kept = expected && row && Object.fromEntries(Object.keys(expected).map((key) => [key, row[key]]));
        try {
          assert.deepEqual([reported.length, kept], [expected ? 1 : 0, expected]);
        } catch (error) {
          wrong.push(`${name}: ${/** @type {Error} */ (error).message}`);
        }
      }
      assert.deepEqual(wrong, []);
      const answer = await send([{ violations: found("parse.shape"), event: [1] }, { violations: {}, event: null }]);
      assert.deepEqual(answer.reported, []);
    });

    it("the largest report fits into an audit row", async () => {
      const rules = [
        "base.session_id",
        "base.event_type",
        "base.event_category",
        "base.event_source",
        "sanity.event_type_length",
        "engagement.subject",
        "privacy.raw_email",
        "privacy.personal_key",
        "privacy.personal_value",
        "registry.payload",
      ];
      const violations = rules.map((rule_id) => ({ rule_id, path: `/metadata/${"ä/".repeat(58)}` }));
      const full = report({ metadata: { a: "ä,".repeat(1800) } }, violations);
      assert.deepEqual((await send([full])).reported, [0]);
      const [row] = await rowsOf(full.event.id);
      const { rows } = await client.query(
        "select rule_id from public.validate_audience_event(jsonb_build_object('metadata', $1::jsonb)) where rule_id = $2",
        [JSON.stringify(row.metadata), "sanity.metadata_size"],
      );
      assert.deepEqual(rows, []);
      assert.deepEqual(row.metadata.violations.length, rules.length);
    });

    it("reports are charged like events, to the sender and the site", async () => {
      await client.query("update public.audience_rate_limits set burst = 60, per_minute = 1 where scope = 'address'");
      const rate = { keys: [{ key: randomUUID(), scope: "address" }] };
      const fifty = () => Array.from({ length: 50 }, () => report());
      const first = await send(fifty(), { rate });
      assert.deepEqual([first.reported.length, first.rate.remaining], [50, 10]);
      const second = await send(fifty(), { rate });
      assert.deepEqual([second.recorded, second.limited.retry_after > 0], [false, true]);
    });

    it("nobody but the function may report", async () => {
      for (const role of ["anon", "authenticated"]) {
        await client.query(`set role ${role}`);
        await assert.rejects(client.query("select public.audience_report_rejections('{}')"), /permission denied/);
        await client.query("reset role");
      }
    });
  });
}
