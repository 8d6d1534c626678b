/**
 * The fold: whatever is recorded between two of them, whoever is still writing, and wherever it is killed, the tables of
 * figures hold what `kpi_check()` makes of all events, and the figures count every event once.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { size } from "../long.mjs";
import { events, generator, movesOf, replaysOf, SITES, store } from "./kpi_events.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

/** @typedef {import("pg").Client} Client */

const ZONES = ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"];
const KILLS = size({ short: 12, long: 1000 });
/** Nearly everybody here is somebody of whom a fold reads a part alone. */
const FEW = `create or replace function audience_gate.few_slots() returns integer language sql immutable
  set search_path = '' as $$ select 2 $$`;
/** Every figure that counts local days, by everything that it can be split by. */
const READS = [
  ...["overview", "people", "feature_adoption", "funnel", "referrers", "devices"].map((name) => `${name}($1, $2, $3)`),
  ...["engagement", "visits", "errors", "performance", "data_quality"].flatMap((name) =>
    ["total", "day", "week", "month"].map((grain) => `${name}($1, $2, $3, grain => '${grain}')`)
  ),
  ...["day", "week"].map((grain) => `retention($1, $2, $3, grain => '${grain}')`),
  ...["entry", "exit"].map((by) => `pages($1, $2, $3, by => '${by}')`),
  ...["first", "last"].map((by) => `campaigns($1, $2, $3, by => '${by}')`),
];
/** An hour, days, weeks and months, over changes of the clock. */
const RANGES = [
  ["2026-10-25T00:10Z", "2026-10-25T01:10Z"],
  ["2026-10-02T20:00Z", "2026-10-05T03:00Z"],
  ["2026-09-28T12:00Z", "2026-10-27T00:00Z"],
  ["2026-09-01T00:00Z", "2026-12-01T00:00Z"],
];

/** A direct insert of one event. @param {Client} client @param {string} session */
const record = (client, session) =>
  client.query(
    `insert into public.audience_events (session_id, event_type, event_category, event_source, site_id, metadata)
     values ($1, 'page_view', 'engagement', 'web', $2, '{"page_path": "/"}')`,
    [session, SITES[0]],
  );

for (const version of SCENARIO_VERSIONS) {
  describe(`the fold, on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    const random = generator(version);
    const users = Array.from({ length: 12 }, () => randomUUID());
    /** @type {import("./kpi_model.mjs").Event[]} */
    const all = [];
    /** @type {import("./kpi_model.mjs").Move[]} */
    const moves = [];

    /** @template T @param {(client: Client) => Promise<T>} work */
    const run = (work) => asClient(postgres.adminUrl, work);
    const fold = async (/** @type {Client} */ client) => {
      const { rows: [{ result }] } = await client.query("select audience_gate.fold_analytics() as result");
      assert.equal(result.outcome, "ok", JSON.stringify(result));
      return result.events;
    };
    const counted = async (/** @type {Client} */ client) => {
      const { rows: [{ events }] } = await client.query(
        "select events::int from public.kpi_overview($1, '2020-01-01Z', now() + interval '1 day')",
        [SITES[0]],
      );
      return events;
    };
    const check = async (/** @type {Client} */ client, /** @type {string} */ moment) => {
      const { rows } = await client.query("select * from audience_gate.kpi_check() limit 5");
      assert.deepEqual(rows, [], moment);
    };
    const replay = async (/** @type {Client} */ client) => {
      const replays = replaysOf(random, all, Date.now());
      await store(client, replays, [], true);
      all.push(...replays);
    };
    /** Visitors sign in, weeks after what they did. @param {Client} client @param {number} most */
    const signIn = async (client, most) => {
      await client.query("set role audience_gate_store");
      await client.query(
        `insert into public.audience_events (user_id, session_id, event_type, event_category, event_source, site_id, contract)
         select ($1::uuid[])[1 + n % 12], v.session_id, 'auth_signed_in', 'system', 'web', v.site_id, audience_gate.contract_fingerprint()
         from (
           select e.site_id, e.session_id, row_number() over (order by md5(e.session_id)) as n from public.audience_events e
           where not e.rejected and e.session_id not like 'erased-%' group by 1, 2 having count(e.user_id) = 0 limit $2
         ) v`,
        [users, most],
      );
      await client.query("reset role");
    };
    const erase = async (
      /** @type {Client} */ client,
      /** @type {string} */ kind,
      /** @type {string} */ keep,
      /** @type {number} */ round,
    ) => {
      const { rows: [{ subject }] } = await client.query(
        `select ${kind}::text as subject from public.audience_events
         where ${kind} is not null and session_id not like 'erased-%'
         group by 1 order by md5(${kind}::text || $1) limit 1`,
        [String(round)],
      );
      await client.query("select audience_gate.erase_subject($1, $2, 'request 1', $3)", [kind, subject, keep]);
    };
    const add = async (
      /** @type {Client} */ client,
      /** @type {number} */ count,
      /** @type {number | undefined} */ received,
      /** @type {number | undefined} */ around = undefined,
    ) => {
      const more = events(random, users, count, received);
      if (around !== undefined) {
        for (const event of more) event.at = around + Math.floor((random() - 0.5) * 180) * 60_000;
      }
      const moved = movesOf(random, moves, users, Math.ceil(count / 5), moves.at(-1)?.at ?? Date.UTC(2026, 9, 12));
      await store(client, more, moved, true);
      all.push(...more);
      moves.push(...moved);
    };

    before(async () => {
      postgres = await startPostgres({ version });
      await run(async (client) => {
        await client.query("insert into public.audience_sites (id, name) values ($1, 'B')", [SITES[1]]);
        await client.query(FEW);
        for (const zone of ZONES) {
          await client.query("select audience_gate.add_site_zone(id, $1) from public.audience_sites", [zone]);
        }
        await add(client, 300, undefined);
        await fold(client);
        await check(client, "after the first fold");
      });
    });
    after(() => postgres.stop());

    it("takes late events, sign-ins, replays and changes of the clock for what they change", () =>
      run(async (client) => {
        for (let round = 0; round < 4; round++) {
          // Late by weeks; then around a change of the clock in two zones; then now.
          await add(client, 40, undefined);
          await add(client, 20, Date.UTC(2026, 9, 25, 0, 50));
          await add(client, 20, Date.now());
          await replay(client);
          assert.ok(await fold(client) > 0);
          await check(client, `round ${round}`);
        }
        await signIn(client, 1000);
        assert.ok(await fold(client) > 0);
        await check(client, "after sign-ins");
      }));

    it("takes one event for another in the same slot, whose score alone differs", () =>
      run(async (client) => {
        const [session, other] = [`session-${randomUUID()}`, `session-${randomUUID()}`];
        const did = (/** @type {(string | null)[][]} */ rows) =>
          client.query(
            `insert into public.audience_events
               (session_id, user_id, event_type, event_category, event_source, site_id, occurred_at, contract)
             select r ->> 0, (r ->> 1)::uuid, t.id, t.category, 'web', $2, (r ->> 3)::timestamptz, audience_gate.contract_fingerprint()
             from jsonb_array_elements($1) r join public.audience_event_types t on t.id = r ->> 2`,
            [JSON.stringify(rows), SITES[0]],
          );
        const [she, he] = [randomUUID(), randomUUID()];
        await client.query("set session_replication_role = replica");
        await did([
          [session, null, "page_view", "2026-10-20T10:00Z"],
          [session, she, "page_view", "2026-10-20T12:00Z"],
        ]);
        await fold(client);
        // The visitor of the first session is nobody's any more.
        await did([
          [session, he, "page_view", "2026-10-20T12:30Z"],
          [other, she, "protocol_logged", "2026-10-20T10:05Z"],
        ]);
        await client.query("set session_replication_role = origin");
        await fold(client);
        await check(client, "after one took the place of another");
      }));

    it("reads the same of a zone whether or not its days are counted, with a live tail", () =>
      run(async (client) => {
        // Around the change of the clock on Lord Howe, by half an hour; then in the tail.
        await add(client, 20, Date.UTC(2026, 9, 3, 15, 10));
        await fold(client);
        await add(client, 30, Date.now());
        const read = async (/** @type {string} */ zone) => {
          const found = [];
          for (const call of READS) {
            for (const [from, to] of RANGES) {
              const { rows: [{ rows }] } = await client.query(
                `select json_agg(to_jsonb(k) - 'covered_until') as rows from public.kpi_${
                  call.replace(")", `, time_zone => '${zone}')`)
                } k`,
                [SITES[0], from, to],
              );
              found.push({ call, from, to, rows });
            }
          }
          return found;
        };
        for (const zone of ZONES) {
          const counted = await read(zone);
          await client.query("begin");
          await client.query("delete from audience_gate.site_zones where time_zone = $1", [zone]);
          assert.deepEqual(await read(zone), counted, zone);
          await client.query("rollback");
        }
      }));

    it("makes anew what an edit, a new zone or a dump changes", () =>
      run(async (client) => {
        for (
          const [moment, change] of [
            [
              "an edit of the registry",
              "update public.audience_event_types set tier = 'network' where id = 'content_view'",
            ],
            ["another rule of people", `insert into audience_gate.person_rules values ('${SITES[0]}', 'never')`],
            ["another funnel", "delete from audience_gate.default_funnel_steps where position = 2"],
            ["what counts as an error", "insert into audience_gate.error_events values ('content_view', null)"],
            ["another timing", "delete from audience_gate.performance_measures where metadata_key = 'load_ms'"],
            ["a new zone", `select audience_gate.add_site_zone('${SITES[0]}', 'Pacific/Chatham')`],
            ["the rule as it was", "delete from audience_gate.person_rules"],
          ]
        ) {
          await add(client, 10, Date.now());
          await client.query(change);
          await fold(client);
          await check(client, moment);
          await add(client, 10, Date.now());
          await fold(client);
          await check(client, `${moment}, and more events`);
        }
        // A dump keeps the transactions of the database that it was made of, whose numbers mean nothing here.
        await client.query("set session_replication_role = replica");
        await client.query("update public.audience_events set recorded_xid = '900000000000'");
        await client.query("update audience_gate.fold_state set folded = '900000000001:900000000001:'");
        await client.query("set session_replication_role = origin");
        const before = await counted(client);
        await fold(client);
        await check(client, "after a restore");
        assert.equal(await counted(client), before);
        await record(client, `session-${randomUUID()}`);
        assert.equal(await fold(client), 1);
        await check(client, "after a restore, and an event");
        assert.equal(await counted(client), before + 1);
      }));

    it("takes an erasure for what it changes, before the next fold", () =>
      run(async (client) => {
        const due = async () => (await client.query("select from audience_gate.rebuilds_due")).rowCount;
        for (const keep of ["pseudonym", "nothing"]) {
          for (const kind of ["user_id", "session_id"]) {
            for (let round = 0; round < 2; round++) {
              if (round > 0) await add(client, 20, Date.now());
              const before = await counted(client);
              await erase(client, kind, keep, round);
              await check(client, `${kind}, ${keep}`);
              assert.equal(await counted(client), before, `${kind}, ${keep}`);
              assert.equal(await due(), 0, "no rebuild is due");
              await add(client, 20, undefined);
              await fold(client);
              await check(client, `${kind}, ${keep}, and a fold`);
            }
          }
        }
      }));

    it("takes an erasure between an edit and its undoing for no more than that", () =>
      run(async (client) => {
        await client.query(
          "update public.audience_event_types set score_weight = score_weight + 3 where id = 'content_view'",
        );
        await erase(client, "user_id", "nothing", 7);
        await client.query(
          "update public.audience_event_types set score_weight = score_weight - 3 where id = 'content_view'",
        );
        await check(client, "before a fold");
        await fold(client);
        await check(client, "after a fold");
      }));

    it("loses nothing that is committed late, and counts nothing twice", () =>
      run((client) =>
        run((early) =>
          run(async (late) => {
            let wanted = await counted(client);
            const settle = async (/** @type {string} */ moment, /** @type {number} */ more) => {
              wanted += more;
              assert.equal(await counted(client), wanted, `${moment}, before a fold`);
              await fold(client);
              await check(client, moment);
              assert.equal(await counted(client), wanted, moment);
            };
            const session = () => `session-${randomUUID()}`;
            await early.query("begin");
            await record(early, session());
            await early.query("savepoint s");
            await record(early, session());
            await record(late, session());
            await settle("somebody is writing still", 1);
            await early.query("rollback to s");
            await late.query("begin");
            await record(late, session());
            await record(early, session());
            await settle("two are", 0);
            await late.query("commit");
            await settle("the later has ended", 1);
            await early.query("commit");
            await settle("so has the earlier", 2);
            await early.query("begin");
            await record(early, session());
            await early.query("prepare transaction 'slow'").catch(() => early.query("rollback"));
            await settle("a transaction is prepared, or rolled back", 0);
            // The transaction that folds records too, before and after.
            await late.query("begin");
            await record(late, session());
            await fold(late);
            await record(late, session());
            assert.equal(await counted(late), wanted + 2, "within the transaction that folds");
            await late.query("commit");
            await settle("it has ended", 2);
            await early.query("rollback prepared 'slow'").catch(() => undefined);
          })
        )
      ));

    /** What is done between one kill and the next. @type {[string, (client: Client, round: number) => Promise<unknown>][]} */
    const BETWEEN = [
      ["events", (client) => add(client, 10, Date.now())],
      ["late events", (client) => add(client, 10, undefined)],
      ["Berlin's clock goes back", (client) => add(client, 10, Date.now(), Date.UTC(2026, 9, 25, 1))],
      ["Berlin's clock goes forward", (client) => add(client, 10, Date.now(), Date.UTC(2026, 2, 29, 1))],
      ["sign-ins", (client) => signIn(client, 3)],
      ["replays", replay],
      ["Lord Howe's clock goes forward", (client) => add(client, 10, Date.now(), Date.UTC(2026, 9, 3, 15, 30))],
      ["Lord Howe's clock goes back", (client) => add(client, 10, Date.now(), Date.UTC(2026, 3, 4, 15))],
      [
        "an erasure",
        (client, round) =>
          erase(client, round % 2 === 0 ? "session_id" : "user_id", round % 4 < 2 ? "pseudonym" : "nothing", round),
      ],
      [
        "an edit of the registry",
        (client, round) =>
          client.query("update public.audience_event_types set score_weight = $1 where id = 'content_view'", [
            round % 7,
          ]),
      ],
      [
        "an edit of the funnel",
        (client, round) =>
          client.query("update audience_gate.default_funnel_steps set event_type = $1 where position = 3", [
            round % 2 === 0 ? "protocol_logged" : "email_subscribe",
          ]),
      ],
    ];

    it("can be killed at any moment", () =>
      run(async (client) => {
        // Wherever in a fold: as long as one takes here after this, and some more.
        /** @type {number[]} */
        const spans = [];
        for (const [, change] of BETWEEN) {
          await change(client, spans.length);
          await add(client, 5, Date.now());
          const from = performance.now();
          await fold(client);
          spans.push((performance.now() - from) * 1.3);
        }
        for (let kill = 0; kill < KILLS; kill++) {
          const [moment, change] = BETWEEN[kill % BETWEEN.length];
          await change(client, kill);
          await add(client, 5, Date.now());
          const wanted = await counted(client);
          await run(async (victim) => {
            victim.on("error", () => undefined);
            const { rows: [{ pid }] } = await victim.query("select pg_backend_pid() as pid");
            const folding = victim.query("select audience_gate.fold_analytics()").catch(() => undefined);
            await sleep(random() * spans[kill % spans.length]);
            await client.query("select pg_terminate_backend($1)", [pid]);
            await folding;
          }).catch(() => undefined);
          await check(client, `kill ${kill}, ${moment}`);
          assert.equal(await counted(client), wanted, `kill ${kill}, ${moment}`);
          // Now and then one is left alone.
          if (random() < 0.3) {
            await fold(client);
            await check(client, `after kill ${kill}, ${moment}`);
          }
        }
        await fold(client);
        await check(client, "after the kills");
      }));
  });
}
