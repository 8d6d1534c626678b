/** What becomes of states while nothing runs for a year, and of people who wait behind many others. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { asClient, startPostgres } from "./postgres.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const MEMBER = "00000000-0000-4000-8000-000000000016";

/** @type {import("./postgres.mjs").Postgres} */
let postgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

/** An advocate whose last activity was 462 days ago. */
const PAST = `
  set role audience_gate_store;
  insert into public.audience_events (id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, contract)
  select gen_random_uuid(), now() - day * interval '1 day' + n * interval '1 minute', '${MEMBER}', 'session-of-test', kind, category,
    'test', '{"channel": "web"}', audience_gate.contract_fingerprint()
  from generate_series(462, 473) day, generate_series(1, 9) n,
    (values ('network_plan_started', 'subscription'), ('content_complete', 'engagement'), ('content_share', 'advocacy')) k (kind, category);
  reset role`;

const STEPS = `
  select h.from_state || '>' || h.to_state as step, r.inactivity_days as days,
    extract(epoch from h.effective_at - lag(h.effective_at, 1, s.last_activity_at) over (order by h.id)) / 86400 as waited
  from public.audience_state_events h
  join public.audience_rules r on r.id = h.rule_id and r.kind = 'inactivity'
  join public.audience_site_state s on s.user_id = h.user_id and s.site_id = h.site_id
  where h.user_id = '${MEMBER}' order by h.id`;

const STANDING =
  `select current_state, engagement_score, idle_since from public.audience_site_state where user_id = '${MEMBER}'`;

test("after a year without runs, each step down is dated when its days were over, and a recomputation agrees", async () => {
  await asClient(postgres.url, async (client) => {
    await client.query(PAST);
    await client.query("select audience_gate.derive_states()");
    const { rows: [advocate] } = await client.query(STANDING);
    assert.equal(advocate.current_state, "S5");
    for (let run = 0; run < 8; run++) {
      await client.query("select audience_gate.sweep_inactivity('{}')");
      await client.query("select audience_gate.derive_states()");
    }
    const { rows: steps } = await client.query(STEPS);
    assert.ok(steps.length >= 3, JSON.stringify(steps));
    assert.deepEqual(steps.filter(({ days, waited }) => Number(waited) !== Number(days)), []);
    const { rows: derived } = await client.query(STANDING);
    await client.query(`select public.audience_recompute_states(null, '${MEMBER}')`);
    await client.query("select audience_gate.derive_states()");
    assert.deepEqual((await client.query(STANDING)).rows, derived);
  });
});

test("whoever has waited longest is derived first, wherever their row lies", async () => {
  await asClient(postgres.url, async (client) => {
    await client.query(`
      insert into audience_gate.state_pending (site_id, user_id, first_at, last_at)
      select '${SITE}', gen_random_uuid(), now(), now() from generate_series(1, 20000);
      insert into audience_gate.state_pending (site_id, user_id, first_at, last_at)
      values ('${SITE}', '00000000-0000-4000-8000-000000000017', now() - interval '1 hour', now())`);
    await client.query(`select audience_gate.derive_states('{"batch_size": 10, "max_seconds": 0}')`);
    const { rows } = await client.query(
      "select current_state from public.audience_site_state where user_id = '00000000-0000-4000-8000-000000000017'",
    );
    assert.deepEqual(rows, [{ current_state: "S0" }]);
  });
});
