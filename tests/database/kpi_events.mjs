/** Generates events and changes of state for kpi_property.test.mjs, and puts them into the tables. */
import { randomUUID } from "node:crypto";

/** @typedef {import("./kpi_model.mjs").Event} Event */
/** @typedef {import("./kpi_model.mjs").Move} Move */

export const SITES = [
  "00000000-0000-4000-8000-000000000001",
  "00000000-0000-4000-8000-0000000000b2",
];
export const FROM = Date.parse("2026-10-12T00:00:00Z"); // a Monday; Berlin leaves summer time on the 25th, New York on 1 November
const DAYS = 30;
const TYPES = [
  "page_view",
  "page_view",
  "content_view",
  "content_view",
  "email_subscribe",
  "plan_started",
  "protocol_logged",
  "teammate_invited",
  "benchmark_compared",
  "error_occurred",
  "page_performance",
  "event_validation_fail",
  "inactivity_detected",
];

/** Mulberry32. @param {number} seed */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {() => number} random @param {string[]} users @param {number} count @param {number} [received] @returns {Event[]} */
export function events(random, users, count, received) {
  const pick = (/** @type {any[]} */ list) => list[Math.floor(random() * list.length)];
  return Array.from({ length: count }, () => {
    // Times are whole minutes, so that events coincide; a third of them are within minutes of some zone's midnight.
    let at = FROM + Math.floor(random() * DAYS * 1440) * 60_000;
    if (random() < 0.33) {
      at = Math.floor(at / 86_400_000) * 86_400_000 +
        pick([0, -120, -345, 240, 300, -825]) * 60_000 +
        pick([-2, -1, 0, 1]) * 60_000;
    }
    const type = pick(TYPES);
    // One session in four is anybody's, one in four nobody's; the others are a user's, who signs in at some time.
    const number = Math.floor(random() * 60);
    const user = number % 4 === 0 ? pick(users) : number % 4 === 1 ? null : users[number % users.length];
    const sent = type === "content_view" ? pick([20, 33.5, 90, 100_000]) : 0;
    return {
      id: randomUUID(),
      site: SITES[random() < 0.8 ? 0 : 1],
      user: random() < 0.4 ? user : null,
      session: `session-${number}`,
      type,
      rejected: type === "event_validation_fail",
      unjudged: random() < 0.1,
      rule: type === "event_validation_fail" ? pick(["privacy.raw_email", "duplicate.double_fire"]) : undefined,
      at: type === "event_validation_fail" && received !== undefined ? received : at,
      received: received ?? at + Math.floor(random() * 5) * 1000,
      sent,
      seconds: Math.min(sent, 86_400),
      measure: type === "page_performance" ? Math.round(Math.exp(random() * 8) * 10) / 10 : undefined,
      code: type === "error_occurred" ? pick(["E1", "E2", undefined]) : undefined,
      campaign: random() < 0.2 ? pick(["spring", "autumn"]) : undefined,
      page: random() < 0.6 ? pick(["/", "/guides", "/pricing"]) : undefined,
      device: random() < 0.3 ? pick(["desktop", "mobile"]) : undefined,
      referrer: random() < 0.3 ? pick(["search", "social", "internal"]) : undefined,
    };
  });
}

/**
 * Replays of a third of the rejected events: each is recorded as an event of its own, and linked.
 *
 * @param {() => number} random @param {Event[]} list @param {number} received @returns {Event[]}
 */
export function replaysOf(random, list, received) {
  const due = list.filter(({ rejected, unjudged, replayed }) => rejected && !unjudged && !replayed && random() < 0.33);
  return due.map((audit) => {
    audit.replayed = true;
    const { site, user, session, at } = audit;
    const event = { site, user, session, at, type: "page_view", rejected: false, unjudged: false, sent: 0, seconds: 0 };
    return { ...event, id: randomUUID(), received, replayOf: audit.id };
  });
}

/** @param {() => number} random @param {Move[]} earlier @param {string[]} users @param {number} count @param {number} from @returns {Move[]} */
export function movesOf(random, earlier, users, count, from) {
  const standing = new Map(
    earlier.map(({ site, user, to }) => [`${site} ${user}`, to]),
  );
  let clock = from;
  return Array.from({ length: count }, () => {
    const site = SITES[random() < 0.8 ? 0 : 1];
    const user = users[Math.floor(random() * users.length)];
    const state = standing.get(`${site} ${user}`) ?? null;
    const to = state === null ? "S0" : `S${(Number(state[1]) + 1 + Math.floor(random() * 5)) % 6}`;
    standing.set(`${site} ${user}`, to);
    clock += Math.floor(random() * 400) * 60_000;
    return { site, user, from: state, to, at: clock };
  });
}

/** Stores what was generated as the batch function does, without judging it again. @param {import("pg").Client} client @param {Event[]} list @param {Move[]} moves @param {boolean} tail */
export async function store(client, list, moves, tail) {
  const iso = (/** @type {number} */ at) => new Date(at).toISOString();
  await client.query("set role audience_gate_store");
  await client.query(
    `insert into public.audience_events
       (id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, occurred_at, rejected,
        contract, utm_source, utm_campaign)
     select r.id, r.created_at, r.user_id, r.session_id, r.event_type, t.category, 'web', r.metadata, r.site_id, r.occurred_at, r.rejected,
       case when r.contract <> '' then audience_gate.contract_fingerprint() end, r.utm_source, r.utm_campaign
     from jsonb_populate_recordset(null::public.audience_events, $1) r
     join public.audience_event_types t on t.id = r.event_type`,
    [JSON.stringify(list.map((event) => ({
      id: event.id,
      created_at: iso(event.received),
      user_id: event.user,
      session_id: event.session,
      event_type: event.type,
      metadata: {
        ...event.rejected ? { validation_rule_id: event.rule } : {},
        ...event.seconds ? { duration_seconds: event.sent } : {},
        ...event.measure === undefined ? {} : { load_ms: event.measure },
        ...event.code === undefined ? {} : { error_code: event.code },
        ...event.page === undefined ? {} : { page_path: event.page },
        ...event.device === undefined ? {} : { device_class: event.device },
        ...event.referrer === undefined ? {} : { referrer_kind: event.referrer },
      },
      site_id: event.site,
      occurred_at: event.rejected ? null : iso(event.at),
      rejected: event.rejected,
      contract: event.unjudged ? "" : "judged",
      utm_source: event.campaign === undefined ? null : "newsletter",
      utm_campaign: event.campaign ?? null,
    })))],
  );
  await client.query("reset role");
  await client.query(
    `insert into public.audience_event_replays (audit_id, event_id, site_id, replayed_by, replayed_at)
     select r.audit_id, r.event_id, r.site_id, 'role:test', r.replayed_at
     from jsonb_populate_recordset(null::public.audience_event_replays, $1) r`,
    [JSON.stringify(
      list.filter(({ replayOf }) => replayOf).map(({ id, site, replayOf, received }) => ({
        audit_id: replayOf,
        event_id: id,
        site_id: site,
        replayed_at: iso(received),
      })),
    )],
  );
  await client.query("set role audience_gate_owner");
  await client.query(
    `insert into public.audience_state_events (site_id, user_id, from_state, to_state, changed_by, changed_at, effective_at, rule_id)
     select m.site_id, m.user_id, m.from_state, m.to_state, 'system:derivation', m.changed_at, m.effective_at, 'score_threshold'
     from jsonb_populate_recordset(null::public.audience_state_events, $1) m`,
    [JSON.stringify(moves.map(({ site, user, from, to, at }) => ({
      site_id: site,
      user_id: user,
      from_state: from,
      to_state: to,
      changed_at: tail ? new Date().toISOString() : iso(at),
      effective_at: iso(at),
    })))],
  );
  await client.query("reset role");
}
