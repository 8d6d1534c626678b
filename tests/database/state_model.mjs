/**
 * The derivation of states, written a second time and as plainly as possible: one pass over everything that ever
 * happened to a member at a site. What the database derives in batches must equal this.
 *
 * @typedef {object} Happening an accepted event, or a change of state that the derivation did not make
 * @property {number} at microseconds, when it was recorded
 * @property {string} id
 * @property {string} [type] of an event
 * @property {string} [category] of an event
 * @property {Record<string, unknown>} [metadata] of an event
 * @property {string} [placed] the state that the member was put into
 *
 * @typedef {object} Registry
 * @property {{ id: string, min_score: number, requires: string | null }[]} states lowest first
 * @property {Map<string, { weight: number, cap: number, tier: string, withdraws: boolean }>} types
 * @property {Map<string, { prior_state: string | null, new_state: string | null, inactivity_days: number | null }>} rules
 * @property {Set<string>} blocked "S0>S3"
 * @property {number} dailyCap
 */

const DAY = 86_400_000_000;

/** @param {Happening[]} happenings @param {Registry} registry */
export function fold(happenings, { states, types, rules, blocked, dailyCap }) {
  const floor = (/** @type {number} */ rung) => states[rung].min_score;
  const lowestWithConsent = states.findIndex(({ requires }) => requires === "consent");
  let rung = 0;
  let highest = 0;
  let score = 0;
  let lastActivity = /** @type {number | null} */ (null);
  let idleSince = /** @type {number | null} */ (null);
  let lastType = /** @type {string | null} */ (null);
  let advocated = false;
  /** @type {Set<string>} */
  let consents = new Set();
  let day = { number: -1, score: 0, counts: /** @type {Record<string, number>} */ ({}) };
  const later = (/** @type {number} */ at) => Math.max(idleSince ?? at, at);
  const place = (/** @type {number} */ to) => {
    score = to < rung ? Math.min(score, floor(to)) : Math.max(score, floor(to));
    rung = to;
    highest = Math.max(highest, rung);
  };
  /** One rank, unless that jump is blocked. */
  const step = (/** @type {number} */ to, /** @type {number} */ at, placed = false) => {
    if (blocked.has(`${states[rung].id}>${states[to].id}`)) return false;
    if (placed) place(to);
    rung = to;
    highest = Math.max(highest, rung);
    idleSince = later(at);
    return true;
  };

  for (const happening of [...happenings].sort(inOrder)) {
    const { at, category, metadata = {} } = happening;
    if (happening.placed !== undefined) {
      place(states.findIndex(({ id }) => id === happening.placed));
      idleSince = later(at);
      continue;
    }
    const type = types.get(happening.type ?? "");
    if (!type || category === "system" || type.tier === "system") continue;
    const isEvidence = category === "subscription" || category === "advocacy";
    if (type.weight <= 0 && !type.withdraws && !isEvidence && category !== "retention") continue;
    lastType = happening.type ?? null;
    const channel = String(metadata.channel ?? "");
    if (category === "subscription") consents.add(channel);
    if (category === "advocacy") advocated = true;

    if (type.withdraws) {
      if (metadata.channel === undefined || !consents.delete(channel)) consents = new Set();
      if (consents.size > 0 || lowestWithConsent < 0) continue;
      while (rung >= lowestWithConsent && rung > 0 && step(rung - 1, at));
      continue;
    }
    if (category === "retention") {
      const rule = rules.get(String(metadata.rule_id));
      const holds = rung > 0 && rule !== undefined &&
        [rule.prior_state, metadata.prior_state].every((state) => state === states[rung].id) &&
        [rule.new_state, metadata.new_state].every((state) => state === states[rung - 1].id) &&
        (rule.inactivity_days === null || (idleSince !== null && idleSince <= at - rule.inactivity_days * DAY));
      const due = holds && rule.inactivity_days !== null && idleSince !== null
        ? idleSince + rule.inactivity_days * DAY
        : at;
      if (holds) step(rung - 1, Math.min(at, due), true);
      continue;
    }
    if (type.weight <= 0) continue;

    lastActivity = at;
    idleSince = later(at);
    const number = Math.floor(at / DAY);
    if (day.number !== number) day = { number, score: 0, counts: {} };
    const used = day.counts[happening.type ?? ""] ?? 0;
    const gain = used < type.cap ? rounded(Math.min(type.weight, dailyCap - day.score)) : 0;
    if (gain > 0) {
      score = rounded(score + gain);
      day.score = rounded(day.score + gain);
      day.counts[happening.type ?? ""] = used + 1;
    }
    const isEarned = states.some(({ min_score }, index) => index > rung && min_score <= score);
    const asked = states[rung + 1]?.requires;
    const isGiven = asked === "consent" ? consents.size > 0 : asked === "advocacy" ? advocated : true;
    if (isEarned && isGiven) step(rung + 1, at);
  }
  return {
    state: states[rung].id,
    score,
    highest: states[highest].id,
    lastType,
    lastActivity,
    idleSince,
    advocated,
    consents: [...consents].sort().join(),
    dayScore: day.score,
    dayCounts: Object.entries(day.counts).sort().join(),
  };
}

/** @param {Happening} a @param {Happening} b */
function inOrder(a, b) {
  return a.at - b.at ||
    Number(a.placed !== undefined) - Number(b.placed !== undefined) ||
    (a.id < b.id ? -1 : 1);
}

/** Score weights are decimals; doubles are not. @param {number} score */
function rounded(score) {
  return Math.round(score * 1e6) / 1e6;
}

/** @param {import("pg").Client} client @returns {Promise<Registry>} */
export async function readRegistry(client) {
  const rows = async (/** @type {string} */ sql) => (await client.query(sql)).rows;
  return {
    states: await rows(
      "select id, min_score::float8, requires from public.audience_states order by rank",
    ),
    types: new Map(
      (await rows(
        `select id, score_weight::float8 as weight, daily_cap as cap, tier, withdraws_consent as withdraws
         from public.audience_event_types`,
      ))
        .map(({ id, ...type }) => [id, type]),
    ),
    dailyCap: (await rows("select daily_cap::float8 from audience_gate.state_settings"))[0].daily_cap,
    rules: new Map(
      (await rows(
        "select id, prior_state, new_state, inactivity_days::float8 from public.audience_rules",
      ))
        .map(({ id, ...rule }) => [id, rule]),
    ),
    blocked: new Set(
      (await rows(
        "select from_state || '>' || to_state as jump from public.audience_blocked_jumps",
      ))
        .map(({ jump }) => jump),
    ),
  };
}

/** Numbers that look random and are the same in every run. @param {number} seed */
export function randomNumbers(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (/** @type {number} */ limit) => Math.floor(next() * limit);
  /** @template T @param {readonly T[]} items @returns {T} */
  const pick = (items) => items[below(items.length)];
  const uuid = () => {
    const hex = Array.from({ length: 32 }, () => below(16).toString(16)).join(
      "",
    );
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  return { next, below, pick, uuid };
}
