/** When versions were first seen: the same before a fold as after it, whoever is erased, and without reading the log. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { SITES } from "./kpi_events.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";

/** @typedef {import("pg").Client} Client */
/** @typedef {{ at: string, source?: string, type?: string, metadata?: object, refused?: boolean, contract?: string, user?: string }} Sent */

const ADA = "aaaaaaaa-1111-4000-8000-000000000001";
const OTHER = "0123456789abcdef";
/** Whatever a site has more of is not remembered. */
const REMEMBERED = 1000;

/** @type {readonly Sent[]} */
const SENT = [
  { at: "2026-10-04T10:00Z", metadata: { tracker: "audience-gate/0.1.0" } },
  { at: "2026-10-05T22:30Z", metadata: { tracker: "audience-gate/0.2.0" }, user: ADA },
  { at: "2026-10-06T09:00Z", metadata: { tracker: "audience-gate/0.1.0" } },
  { at: "2026-10-07T09:00Z", source: "ios", metadata: { tracker: "app 4.2.0" }, refused: true },
  { at: "2026-10-07T10:00Z", source: "ios", metadata: { tracker: "app 4.2.0" } },
  { at: "2026-10-08T08:00Z", source: "backend", type: "release_deployed", metadata: { release_id: "2026.40" } },
  { at: "2026-10-08T09:00Z", metadata: { tracker: "no version at all" } },
  { at: "2026-10-08T10:00Z", metadata: { tracker: `app of ${ADA}` }, user: ADA },
  { at: "2026-10-09T10:00Z", contract: OTHER },
  { at: "2026-11-09T10:00Z", metadata: { tracker: "audience-gate/9.0.0" } },
];
const SEEN = [
  ["tracker", "web", "audience-gate/0.1.0", "2026-10-04"],
  ["tracker", "web", "audience-gate/0.2.0", "2026-10-05"],
  ["tracker", "ios", "app 4.2.0", "2026-10-07"],
  ["release", "backend", "2026.40", "2026-10-08"],
  ["tracker", "web", `app of ${ADA}`, "2026-10-08"],
  ["contract", null, "9.9", "2026-10-09"],
];

/** @param {Client} client @param {readonly Sent[]} sent */
const store = (client, sent) =>
  client.query(
    `insert into public.audience_events
       (site_id, created_at, session_id, user_id, event_type, event_category, event_source, metadata, rejected, contract)
     select $1, r.at, 'session-1', r.user, coalesce(r.type, 'page_view'), 'engagement', coalesce(r.source, 'web'),
       case when r.refused then jsonb_build_object('original_payload_snapshot',
         jsonb_build_object('event_source', r.source, 'metadata', r.metadata)) else coalesce(r.metadata, '{}') end,
       coalesce(r.refused, false), coalesce(r.contract, audience_gate.contract_fingerprint())
     from jsonb_to_recordset($2) r (at timestamptz, source text, type text, metadata jsonb, refused boolean, contract text, "user" uuid)`,
    [SITES[0], JSON.stringify(sent)],
  );

for (const version of VERSIONS) {
  describe(`releases, on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    before(async () => {
      postgres = await startPostgres({ version, settings: { autovacuum: "off" } });
    });
    after(() => postgres.stop());

    const seen = async (/** @type {Client} */ client, zone = "UTC", to = "2026-10-20Z") => {
      const { rows } = await client.query(
        "select kind, sender, release, day::text from public.kpi_releases($1, '2026-10-01Z', $2, time_zone => $3)",
        [SITES[0], to, zone],
      );
      return rows.map(({ kind, sender, release, day }) => [kind, sender, release, day]);
    };
    const fold = async (/** @type {Client} */ client) => {
      const { rows: [{ outcome }] } = await client.query(
        "select audience_gate.fold_analytics() ->> 'outcome' as outcome",
      );
      assert.equal(outcome, "ok");
    };

    it("are those that events name, accepted or rejected, from the first of them on", () =>
      asClient(postgres.adminUrl, async (client) => {
        await client.query("insert into public.audience_contracts (fingerprint, version) values ($1, '9.9')", [OTHER]);
        await client.query("set session_replication_role = replica");
        await store(client, SENT.slice(0, 5));
        await fold(client);
        await store(client, SENT.slice(5));
        await client.query("set session_replication_role = origin");
        assert.deepEqual(await seen(client), SEEN, "some folded, some not");
        await fold(client);
        assert.deepEqual(await seen(client), SEEN, "folded");
        await client.query("select audience_gate.rebuild_figures()");
        await fold(client);
        assert.deepEqual(await seen(client), SEEN, "made anew");
        assert.deepEqual(
          (await seen(client, "Asia/Kolkata")).map(([, , , day]) => day),
          ["2026-10-04", "2026-10-06", "2026-10-07", "2026-10-08", "2026-10-08", "2026-10-09"],
          "a day begins earlier in the east",
        );
      }));

    it("stay when somebody is erased who was the first to send one, but for what quotes them", () =>
      asClient(postgres.adminUrl, async (client) => {
        await client.query("select audience_gate.erase_subject('user_id', $1, 'request 1', 'nothing')", [ADA]);
        const left = SEEN.filter(([, , release]) => !release?.includes(ADA));
        assert.deepEqual(await seen(client), left);
        await client.query("select audience_gate.rebuild_figures()");
        await fold(client);
        assert.deepEqual(await seen(client), left, "made anew");
      }));

    it("are remembered up to a thousand", () =>
      asClient(postgres.adminUrl, async (client) => {
        await client.query("set session_replication_role = replica");
        const more = async (/** @type {string} */ name) => {
          await client.query(
            `insert into public.audience_events
               (site_id, created_at, session_id, event_type, event_category, event_source, metadata, contract)
             select $1, timestamptz '2026-11-10Z' + n * interval '1 second', 'session-2', 'page_view', 'engagement', 'web',
               jsonb_build_object('tracker', $2 || n), audience_gate.contract_fingerprint()
             from generate_series(1, 5000) n`,
            [SITES[0], name],
          );
          await fold(client);
        };
        await more("once/");
        await more("twice/");
        await client.query("set session_replication_role = origin");
        const { rows: [{ remembered }] } = await client.query(
          "select count(*)::int as remembered from audience_gate.releases",
        );
        assert.ok(remembered <= 2 * REMEMBERED, `${remembered} are remembered`);
        assert.equal((await seen(client, "UTC", "2026-12-01Z")).length, 200);
      }));

    it("are read without a look at the log", () =>
      asClient(postgres.adminUrl, async (client) => {
        await client.query("begin");
        await seen(client);
        const { rows } = await client.query(
          `select relname, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_xact_user_tables
           where relname like 'audience\\_events%' and coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) > 0`,
        );
        await client.query("commit");
        assert.deepEqual(rows, [], "rows of the log were read");
      }));
  });
}
