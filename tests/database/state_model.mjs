/**
 * The derivation of states, written a second time and as plainly as possible: one pass over everything that ever
 * happened to a member at a site. What the database derives in batches must equal this.
 *
 * @typedef {object} Happening an accepted event, or a change of state that a person made
 * @property {number} at microseconds, when it was recorded
 * @property {string} id
 * @property {string} [type] of an event
 * @property {string} [category] of an event
 * @property {Record<string, unknown>} [metadata] of an event
 * @property {string} [placed] the state a person put the member into
 *
 * @typedef {object} Registry
 * @property {{ id: string, min_score: number }[]} states lowest first
 * @property {Map<string, number>} weights by event type
 * @property {Map<string, { prior_state: string | null, new_state: string | null, inactivity_days: number | null }>} rules
 * @property {Set<string>} blocked "S0>S3"
 */

const DAY = 86_400_000_000;

/** @param {Happening[]} happenings @param {Registry} registry */
export function fold(happenings, { states, weights, rules, blocked }) {
  const floor = (/** @type {number} */ rung) => states[rung].min_score;
  let rung = 0;
  let highest = 0;
  let score = 0;
  let lastActivity = /** @type {number | null} */ (null);
  let lastType = /** @type {string | null} */ (null);
  const place = (/** @type {number} */ to) => {
    score = to < rung ? Math.min(score, floor(to)) : Math.max(score, floor(to));
    rung = to;
    highest = Math.max(highest, rung);
  };

  for (const happening of [...happenings].sort(inOrder)) {
    if (happening.placed !== undefined) {
      place(states.findIndex(({ id }) => id === happening.placed));
      continue;
    }
    if (happening.category === "system") continue;
    lastType = happening.type ?? null;
    score = rounded(score + (weights.get(happening.type ?? "") ?? 0));
    if (happening.category === "retention") {
      const claim = happening.metadata ?? {};
      const rule = rules.get(String(claim.rule_id));
      const holds = rung > 0 && rule !== undefined &&
        [rule.prior_state, claim.prior_state].every((state) => state === states[rung].id) &&
        [rule.new_state, claim.new_state].every((state) => state === states[rung - 1].id) &&
        (rule.inactivity_days === null ||
          (lastActivity !== null &&
            lastActivity <= happening.at - rule.inactivity_days * DAY));
      if (holds && !blocked.has(`${states[rung].id}>${states[rung - 1].id}`)) {
        place(rung - 1);
      }
      continue;
    }
    lastActivity = happening.at;
    const earned = states.reduce(
      (best, state, index) => state.min_score <= score ? index : best,
      0,
    );
    const next = rung + Math.sign(earned - rung);
    if (
      next !== rung && !blocked.has(`${states[rung].id}>${states[next].id}`)
    ) {
      rung = next;
      highest = Math.max(highest, rung);
    }
  }
  return {
    state: states[rung].id,
    score,
    highest: states[highest].id,
    lastType,
    lastActivity,
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
      "select id, min_score::float8 from public.audience_states order by rank",
    ),
    weights: new Map(
      (await rows(
        "select id, score_weight::float8 as weight from public.audience_event_types",
      ))
        .map(({ id, weight }) => [id, weight]),
    ),
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
