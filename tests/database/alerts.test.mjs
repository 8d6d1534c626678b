/** Messages of alerts under many senders at once, on a real server: each is claimed by one of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

for (const version of SCENARIO_VERSIONS) {
  test(`eight senders get each of 120 messages once, and wait for nobody: Postgres ${version}`, async (t) => {
    const server = await startPostgres({ version });
    t.after(() => server.stop());
    await asClient(server.url, (client) =>
      client.query(`
        with made as (
          select public.audience_add_alert_destination(audience_gate.default_site(), 'd' || n, 'json', 'https://hooks.example.com/' || n) as id
          from generate_series(1, 10) n
        )
        insert into public.audience_alert_deliveries (site_id, destination_id, firing_id)
        select audience_gate.default_site(), made.id, n from made, generate_series(1, 12) n`));
    const claim = "select jsonb_path_query_array(public.audience_claim_alert_deliveries(), '$[*].id') as ids";
    const ids = await asClient(server.url, async (first) => {
      // Its claim is not committed while the others claim: they pass over what it holds.
      await first.query("begin");
      const { rows: [held] } = await first.query(claim);
      const others = await Promise.all(Array.from({ length: 7 }, () =>
        asClient(server.url, async (client) => {
          await client.query("set lock_timeout = '1s'");
          return (await client.query(claim)).rows[0].ids;
        })));
      await first.query("commit");
      return [held.ids, ...others].flat();
    });
    assert.deepEqual([ids.length, new Set(ids).size], [120, 120]);
  });
}
