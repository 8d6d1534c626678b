/** Derivation on a real Postgres, against the model: many writers, several derivations at once, killed ones, and reverts. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";
import { differences, event, load, SITES } from "./state_history.mjs";
import { randomNumbers } from "./state_model.mjs";
import { until } from "../until.mjs";
import { size } from "../long.mjs";

const ROUNDS = size({ short: 60, long: 180 });

const derive = async (/** @type {pg.Client} */ client, settings = {}) =>
  (await client.query("select audience_gate.derive_states($1) as answer", [
    settings,
  ])).rows[0].answer;

const drain = (/** @type {pg.Client} */ client) =>
  until(
    async () => {
      const answer = await derive(client);
      return !answer.busy && !answer.remaining || answer;
    },
    "nothing is left to derive",
    120,
  );

/** Whether another session holds the lock of the derivation. @param {pg.Client} client @param {number} pid */
const derives = async (client, pid) =>
  (await client.query("select from pg_locks where locktype = 'advisory' and granted and pid = $1", [pid])).rows.length >
    0;

for (const version of SCENARIO_VERSIONS) {
  describe(`Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    before(async () => {
      postgres = await startPostgres({ version });
      await asClient(
        postgres.url,
        (client) =>
          client.query(
            "insert into public.audience_sites (id, name) values ($1, 'B'), ($2, 'C')",
            SITES.slice(1),
          ),
      );
    });
    after(() => postgres.stop());

    test(
      "states derived under concurrency equal a recomputation from all events",
      { timeout: 900_000 },
      async () => {
        const random = randomNumbers(20261121);
        const members = Array.from({ length: 150 }, random.uuid);
        const now = Date.now();
        let writing = true;

        /** Half of each writer's events are earlier than what is already derived; some transactions stay open for long. */
        const writer = (/** @type {number} */ number) =>
          asClient(postgres.adminUrl, async (client) => {
            const own = randomNumbers(number);
            for (let round = 0; round < ROUNDS; round++) {
              const [from, until] = own.next() < 0.5 ? [200, 0] : [ROUNDS - round, ROUNDS - round - 1];
              await load(
                client,
                Array.from(
                  { length: 1 + own.below(40) },
                  () =>
                    event(
                      own,
                      members,
                      now - from * 86_400_000,
                      now - until * 86_400_000,
                    ),
                ),
              );
              // Some transactions stay open for a while.
              if (own.next() < 0.3) await pause(own.below(60));
              await client.query(own.next() < 0.1 ? "rollback" : "commit");
            }
          });
        const deriver = () =>
          asClient(postgres.url, async (client) => {
            while (writing) {
              await derive(client, { batch_size: 15, max_seconds: 0.05 });
            }
          });
        /** A derivation that is killed at any moment: what it had done is undone, and done again by another. */
        const victim = async () => {
          while (writing) {
            const client = new pg.Client({ connectionString: postgres.url });
            client.on("error", () => {});
            await client.connect();
            const { rows: [{ pid }] } = await client.query(
              "select pg_backend_pid() as pid",
            );
            const work = derive(client, { batch_size: 500 }).catch(() => {});
            // This may be any moment of its work.
            await pause(5 + random.below(40));
            await asClient(
              postgres.adminUrl,
              (admin) => admin.query("select pg_terminate_backend($1)", [pid]),
            );
            await work;
            await client.end().catch(() => {});
          }
        };
        let reverted = 0;
        const reverter = () =>
          asClient(postgres.url, async (client) => {
            while (writing) {
              const { rows: [member] } = await client.query(
                `select site_id, user_id from public.audience_site_state where current_state <> 'S0' offset $1 limit 1`,
                [random.below(100)],
              );
              if (member) {
                await client.query(
                  "select public.audience_state_revert($1, $2, 'checked by hand')",
                  [member.site_id, member.user_id],
                );
                reverted += 1;
              }
              // A person takes a moment before the next one.
              await pause(10);
            }
          });

        const others = [deriver(), deriver(), victim(), reverter()];
        await Promise.all([1, 2, 3, 4, 5].map(writer));
        writing = false;
        await Promise.all(others);

        await asClient(postgres.adminUrl, async (client) => {
          await drain(client);
          assert.ok(reverted > 10, `${reverted} reverts`);
          assert.deepEqual(await differences(client), []);
          const { rows: [{ recomputed }] } = await client.query(
            "select count(*)::int as recomputed from public.audience_state_events where rule_id = 'recomputed'",
          );
          assert.ok(
            recomputed > 0,
            "events that turned up late changed some states",
          );
        });
      },
    );

    test("a derivation that is killed loses nothing and doubles nothing", async () => {
      const random = randomNumbers(20261122);
      const members = Array.from({ length: 1000 }, random.uuid);
      const counts = async (/** @type {pg.Client} */ client) =>
        (await client.query(
          `select (select count(*) from audience_gate.state_pending)::int as pending,
          (select count(*) from public.audience_state_events)::int as changes`,
        )).rows[0];

      await asClient(postgres.adminUrl, async (client) => {
        await load(
          client,
          Array.from(
            { length: 3000 },
            () => event(random, members, Date.now() - 9e9, Date.now()),
          ),
        );
        await client.query("commit");
        const before = await counts(client);
        assert.ok(before.pending > 1000);

        const doomed = new pg.Client({ connectionString: postgres.url });
        doomed.on("error", () => {});
        await doomed.connect();
        const { rows: [{ pid }] } = await doomed.query(
          "select pg_backend_pid() as pid",
        );
        const ended = assert.rejects(derive(doomed));
        await until(() => derives(client, pid), "the first derivation is under way");
        assert.deepEqual(
          await derive(client),
          { busy: true },
          "a second derivation does not wait for the first",
        );
        await client.query("select pg_terminate_backend($1)", [pid]);
        await ended;
        await doomed.end().catch(() => {});
        assert.deepEqual(await counts(client), before);

        await drain(client);
        assert.deepEqual(await differences(client), []);
      });
    });

    test("changed weights take effect on the next recomputation, and only then", async () => {
      await asClient(postgres.adminUrl, async (client) => {
        await client.query(
          "update public.audience_event_types set score_weight = score_weight * 3 where category = 'engagement' and tier <> 'system'",
        );
        await drain(client);
        assert.notDeepEqual(await differences(client), []);
        await client.query("select public.audience_recompute_states()");
        await drain(client);
        assert.deepEqual(await differences(client), []);
        await client.query("select public.audience_recompute_states()");
        const { rows: [{ before }] } = await client.query(
          "select count(*)::int as before from public.audience_state_events",
        );
        await drain(client);
        const { rows: [{ after }] } = await client.query(
          "select count(*)::int as after from public.audience_state_events",
        );
        assert.equal(
          after,
          before,
          "a recomputation that finds the same leaves no trace",
        );
      });
    });
  });
}
