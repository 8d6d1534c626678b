/**
 * The reading functions against the definitions: on generated events of two sites, in five time zones (two with
 * views, three without), around changes of the clock and borders of weeks, before a refresh, with a live tail
 * of late arrivals, after the next refresh, after edits, and after people were erased. A failing seed is printed and can be run alone: SEED=7.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { test } from "node:test";
import { events, FROM, generator, movesOf, replaysOf, SITES, store } from "./kpi_events.mjs";
import { model } from "./kpi_model.mjs";
import { callsOf, differences, NARROWABLE, NARROWINGS, ordered } from "./kpi_calls.mjs";
import { localDay, quarters } from "./kpi_periods.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";
import { size } from "../long.mjs";

/** @typedef {import("./kpi_model.mjs").Event} Event */
/** @typedef {import("./kpi_model.mjs").Move} Move */

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kathmandu",
  "Pacific/Chatham",
  "Australia/Lord_Howe",
];
const REGISTERED = "Europe/Berlin";
const STEPS = [
  { name: "Visit", type: "page_view" },
  { name: "Read", type: "content_view" },
  { name: "Subscribe", type: "email_subscribe" },
  { name: "Start a plan", type: "plan_started" },
];
const SEEDS = process.env.SEED
  ? [Number(process.env.SEED)]
  : Array.from({ length: size({ short: 1, long: 10 }) }, (_, index) => index + 1);

for (const version of SCENARIO_VERSIONS) {
  test(`every figure is what the definitions say, on Postgres ${version}`, async () => {
    const postgres = await startPostgres({ version });
    try {
      await asClient(postgres.adminUrl, async (client) => {
        const { rows } = await client.query(
          "select id, category, tier, score_weight::float8 as weight from public.audience_event_types",
        );
        const types = Object.fromEntries(
          rows.map(({ id, ...type }) => [id, type]),
        );
        await client.query(
          "insert into public.audience_sites (id, name) values ($1, 'B')",
          [SITES[1]],
        );
        await client.query(
          "update audience_gate.analytics_settings set settle = '0'",
        );
        await client.query(
          "select audience_gate.add_site_zone(id, $1) from public.audience_sites",
          [REGISTERED],
        );

        let steps = STEPS;
        let rules = ["session", "session"];
        // What an administrator may change at any time: the registry, the funnels, and the rule that tells people apart.
        const edit = async (
          /** @type {string} */ rule,
          /** @type {typeof STEPS} */ wanted,
          /** @type {string} */ tier,
        ) => {
          await client.query(
            `insert into audience_gate.person_rules as r (site_id, rule) values ($1, $2)
             on conflict (site_id) do update set rule = excluded.rule`,
            [SITES[0], rule],
          );
          await client.query("delete from audience_gate.default_funnel_steps");
          await client.query(
            `insert into audience_gate.default_funnel_steps (position, name, event_type)
             select s.nth, s.step ->> 'name', s.step ->> 'type' from jsonb_array_elements($1) with ordinality s (step, nth)`,
            [JSON.stringify(wanted)],
          );
          await client.query("update public.audience_event_types set tier = $1 where id = 'content_view'", [tier]);
          types.content_view.tier = tier;
          steps = wanted;
          rules = [rule, "session"];
        };
        /** @type {string[]} */
        const failures = [];
        let compared = 0;
        let stitched = 0;
        for (const seed of SEEDS) {
          const random = generator(seed);
          await client.query("set session_replication_role = replica");
          await client.query(
            "truncate public.audience_events, public.audience_event_replays, public.audience_state_events",
          );
          await client.query("set session_replication_role = origin");
          await client.query("select audience_gate.rebuild_figures()");
          await client.query("select audience_gate.refresh_analytics()");
          await client.query(
            "update audience_gate.site_zones set covered_until = null, terms = null, funnel_terms = null",
          );
          await client.query(
            "update audience_gate.analytics_settings set covered_until = '-infinity'; update audience_gate.fold_state set folded = '3:3:'",
          );
          const users = Array.from({ length: 12 }, () => randomUUID());
          /** @type {Event[]} */
          const all = [];
          /** @type {Move[]} */
          const moves = [];
          const add = async (
            /** @type {number} */ count,
            /** @type {boolean} */ tail,
          ) => {
            const more = events(
              random,
              users,
              count,
              tail ? Date.now() : undefined,
            );
            more.push(...replaysOf(random, [...all, ...more], tail ? Date.now() : FROM + 40 * 86_400_000));
            const moved = movesOf(
              random,
              moves,
              users,
              Math.floor(count / 5),
              moves.at(-1)?.at ?? FROM,
            );
            await store(client, more, moved, tail);
            all.push(...more);
            moves.push(...moved);
          };
          // Somebody is erased: their events are those of a pseudonym, or of nobody, and say no more where they happened.
          const erase = async (/** @type {string} */ keep) => {
            const user = users.find((one) => all.some((event) => event.user === one));
            assert.ok(user);
            await client.query("select audience_gate.erase_subject('user_id', $1, 'request 1', $2)", [user, keep]);
            const { rows } = await client.query(
              `select e.id, e.user_id as user, e.session_id as session from public.audience_events e
               join audience_gate.erased_rows r on r.event_id = e.id`,
            );
            const now = new Map(rows.map((row) => [row.id, row]));
            for (const event of all) {
              if (!now.has(event.id)) continue;
              Object.assign(event, now.get(event.id), { page: undefined, device: undefined, referrer: undefined });
            }
            for (const move of moves) if (move.user === user) move.user = `erased ${user}`;
            users.splice(users.indexOf(user), 1);
          };
          const compare = async (/** @type {string} */ moment) => {
            const { rows: wrong } = await client.query("select * from audience_gate.kpi_check() limit 3");
            failures.push(...wrong.map((cell) => `seed ${seed}, ${moment}: the check found ${JSON.stringify(cell)}`));
            for (const site of SITES) {
              const truth = model(all, moves, types, site, rules[SITES.indexOf(site)]);
              for (const zone of ZONES) {
                const start = FROM + Math.floor(random() * 25) * 86_400_000 +
                  Math.floor(random() * 1440) * 60_000;
                const end = random() < 0.25 ? Date.now() + 1000 : start + 1 + Math.floor(random() * 20 * 86_400_000);
                const grain = ["total", "day", "week", "month"][Math.floor(random() * 4)];
                const range = {
                  first: localDay(start, zone),
                  last: localDay(end - 1, zone),
                  zone,
                  grain,
                };
                // By the hour a month can be asked for, and five days show what more would.
                const since = Math.max(start, end - 5 * 86_400_000);
                const today = localDay(Date.now(), zone);
                const cohorts = grain === "week" || grain === "month" ? "week" : "day";
                const more = { since, cohorts, today, steps };
                const some = NARROWINGS[Math.floor(random() * NARROWINGS.length)];
                const part = [{ exact: true }, some, { ...some, exact: true }][Math.floor(random() * 3)];
                const narrower = model(all, moves, types, site, rules[SITES.indexOf(site)], part);
                const exact = part.exact === true ? quarters(start, end) : undefined;
                const calls = [
                  ...callsOf(truth, range, more).map((call) => ({ call, narrowed: {} })),
                  ...callsOf(narrower, { ...range, exact }, more).filter(([name]) => NARROWABLE.includes(name))
                    .map((call) => ({ call, narrowed: part })),
                ];
                for (const { call: [name, more, wanted], narrowed } of calls) {
                  const isPart = Object.keys(narrowed).length > 0;
                  const { rows: [{ got }] } = await client.query(
                    `select coalesce(json_agg(k), '[]') as got
                     from public.kpi_${name}($1, $2::timestamptz, $3::timestamptz, time_zone => '${zone}'${more}${
                      isPart ? `, narrowed => '${JSON.stringify(narrowed)}'` : ""
                    }) k`,
                    [
                      site,
                      new Date(name === "visit_hours" ? since : start).toISOString(),
                      new Date(end).toISOString(),
                      ...more.includes("$4") ? [grain] : [],
                    ],
                  );
                  compared += 1;
                  if (name === "people" && !isPart) stitched += got[0].stitched_sessions;
                  const found = differences(
                    ordered(got),
                    ordered(wanted),
                    name,
                  );
                  if (got.length !== wanted.length) {
                    found.unshift(
                      `${name}: ${got.length} rows, not ${wanted.length}`,
                    );
                  }
                  failures.push(
                    ...found.slice(0, 3).map((difference) =>
                      `seed ${seed}, ${moment}, site ${
                        SITES.indexOf(site)
                      }, ${zone}, ${range.first}..${range.last} by ${grain}${
                        isPart ? ` of ${JSON.stringify(narrowed)}` : ""
                      }: ${difference}`
                    ),
                  );
                }
              }
            }
          };
          await add(250, false);
          await compare("before a refresh");
          const { rows: [{ result }] } = await client.query(
            "select audience_gate.refresh_analytics() as result",
          );
          assert.equal(result.outcome, "ok", JSON.stringify(result));
          await compare("after a refresh");
          await add(60, true);
          await compare("with a live tail");
          await client.query("select audience_gate.refresh_analytics()");
          await compare("after the next refresh");
          await add(30, true);
          await erase("pseudonym");
          await compare("after an erasure");
          await erase("nothing");
          await add(30, true);
          await client.query("select audience_gate.fold_analytics()");
          await compare("after another, more events and a fold");
          await edit("never", STEPS.filter(({ type }) => type !== "content_view"), "network");
          await compare("after an edit");
          await add(30, true);
          await client.query("select audience_gate.refresh_analytics()");
          await add(30, true);
          await compare("after an edit, a refresh and more events");
          await edit("session", STEPS, "consumer");
          await compare("after the edit was taken back");
        }
        assert.ok(stitched > 0, "no session was stitched: the generator tests nothing");
        assert.equal(
          failures.length,
          0,
          `${failures.length} differences, of ${compared} calls:\n${failures.slice(0, 25).join("\n")}`,
        );
      });
    } finally {
      await postgres.stop();
    }
  });
}
