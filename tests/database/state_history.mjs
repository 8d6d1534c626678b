/** Generates history for the derivation of states, and compares what was derived from it with the model. */
import { fold, readRegistry } from "./state_model.mjs";

export const SITES = [
  "00000000-0000-4000-8000-000000000001",
  "00000000-0000-4000-8000-00000000000b",
  "00000000-0000-4000-8000-00000000000c",
];
const TYPES = [
  ["page_view", "engagement"],
  ["content_view", "engagement"],
  ["email_subscribe", "subscription"],
  ["plan_started", "subscription"],
  ["content_share", "advocacy"],
  ["campaign_landing", "attribution"],
  ["network_plan_started", "subscription"],
  ["push_subscribe", "subscription"],
  ["consent_withdrawn", "engagement"],
  ["error_occurred", "engagement"],
  ["server_error", "system"],
];
const RULES = [
  ["inactivity_14d", "S2", "S1"],
  ["inactivity_30d", "S3", "S2"],
  ["inactivity_45d", "S4", "S3"],
  ["inactivity_60d", "S5", "S4"],
  ["inactivity_90d", "S1", "S0"],
  ["consent_withdrawal", "S3", "S2"],
  ["score_threshold", "S2", "S1"],
  ["inactivity_14d", "S1", "S2"],
  ["inactivity_30d", "S3", "S0"],
];

/** Loads events as judged history, with the role whose rows are taken as they are, including their times. */
export async function load(
  /** @type {import("pg").Client} */ client,
  /** @type {unknown[]} */ events,
) {
  await client.query("begin; set local role audience_gate_store");
  await client.query(
    `insert into public.audience_events
       (id, created_at, user_id, site_id, session_id, event_type, event_category, event_source, metadata, contract)
     select id, created_at, user_id, site_id, 'session-of-test', event_type, event_category, 'test', metadata,
       audience_gate.contract_fingerprint()
     from jsonb_to_recordset($1) as x (id uuid, created_at timestamptz, user_id uuid, site_id uuid,
       event_type text, event_category text, metadata jsonb)`,
    [JSON.stringify(events)],
  );
}

/** @param {ReturnType<typeof import("./state_model.mjs").randomNumbers>} random @param {string[]} members @param {number} from @param {number} until milliseconds */
export function event(random, members, from, until) {
  const base = {
    id: random.uuid(),
    created_at: new Date(from + random.below(until - from)).toISOString(),
    // A few members are busy; most are rarely seen and lapse.
    user_id: random.next() < 0.05 ? null : members[Math.floor(random.next() ** 3 * members.length)],
    site_id: random.pick(SITES),
  };
  if (random.next() < 0.2) {
    const [rule_id, prior_state, new_state] = random.pick(RULES);
    return {
      ...base,
      event_type: "inactivity_detected",
      event_category: "retention",
      metadata: {
        rule_id,
        prior_state,
        new_state,
        inactivity_days: random.below(100),
      },
    };
  }
  const [event_type, event_category] = random.pick(TYPES);
  const speaksOfConsent = event_category === "subscription" || event_type === "consent_withdrawn";
  return {
    ...base,
    event_type,
    event_category,
    metadata: speaksOfConsent ? { channel: random.pick(["email", "email", "push", "web"]) } : {},
  };
}

/** Every difference between what was derived and the model, and every flaw of the history. */
export async function differences(/** @type {import("pg").Client} */ client) {
  const registry = await readRegistry(client);
  const { rows: happenings } = await client.query(
    `select site_id, user_id, (extract(epoch from created_at) * 1000000)::bigint as at, id::text, event_type as type,
       event_category as category, metadata, null as placed
     from public.audience_events where user_id is not null
     union all
     select site_id, user_id, (extract(epoch from effective_at) * 1000000)::bigint, lpad(id::text, 20, '0'), null, null, null, to_state
     from public.audience_state_events where site_id is not null and changed_by <> 'system:derivation'`,
  );
  const known = new Map();
  for (const { site_id, user_id, at, placed, ...rest } of happenings) {
    const key = `${site_id} ${user_id}`;
    known.set(key, [...known.get(key) ?? [], {
      ...rest,
      at: Number(at),
      ...(placed ? { placed } : {}),
    }]);
  }
  const { rows: derived } = await client.query(
    `select site_id || ' ' || user_id as key, user_id, current_state as state, engagement_score::float8 as score,
       highest_state as highest, last_event_type as "lastType", (extract(epoch from last_activity_at) * 1000000)::bigint as "lastActivity",
       (extract(epoch from idle_since) * 1000000)::bigint as "idleSince", has_advocated as advocated, consents,
       day_score::float8 as "dayScore", day_counts as "dayCounts"
     from public.audience_site_state`,
  );
  const found = [];
  const overall = new Map();
  for (const { key, user_id, ...row } of derived) {
    const is = {
      ...row,
      lastActivity: row.lastActivity === null ? null : Number(row.lastActivity),
      idleSince: row.idleSince === null ? null : Number(row.idleSince),
      consents: row.consents?.sort().join(),
      dayCounts: Object.entries(row.dayCounts).sort().join(),
    };
    const should = fold(known.get(key) ?? [], registry);
    if (JSON.stringify(sorted(is)) !== JSON.stringify(sorted(should))) {
      found.push({ key, is, should });
    }
    const sum = overall.get(user_id) ?? { state: "", score: 0 };
    overall.set(user_id, {
      state: row.state > sum.state ? row.state : sum.state,
      score: sum.score + row.score,
    });
  }
  const withState = new Set(derived.map(({ key }) => key));
  for (const [key, list] of known) {
    if (
      !withState.has(key) && list.some((/** @type {{ category: string }} */ { category }) => category !== "system")
    ) found.push({ key, is: "missing" });
  }
  const { rows: users } = await client.query(
    "select user_id, current_state as state, engagement_score::float8 as score from public.audience_state",
  );
  for (const { user_id, state, score } of users) {
    const should = overall.get(user_id);
    if (should?.state !== state || Math.abs(should.score - score) > 1e-6) {
      found.push({ user_id, is: { state, score }, should });
    }
  }
  const { rows: flaws } = await client.query(
    `select h.* from (
       select e.*, lag(e.to_state) over person as before, lag(e.effective_at) over person as moment, f.rank as from_rank, t.rank as to_rank
       from public.audience_state_events e
       join public.audience_states t on t.id = e.to_state left join public.audience_states f on f.id = e.from_state
       window person as (partition by e.site_id, e.user_id order by e.id)) h
     where h.from_state is distinct from h.before or h.effective_at < h.moment
       or (h.from_rank is null and h.to_rank <> 0) or (h.from_rank is not null and abs(h.to_rank - h.from_rank) <> 1
         and h.rule_id not in ('state_revert', 'manual_correction'))`,
  );
  return [...found, ...flaws];
}

const sorted = (/** @type {object} */ value) => Object.fromEntries(Object.entries(value).sort());
