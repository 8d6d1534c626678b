/** The definitions of the figures about states, computed the slow way; see kpi_model.mjs. */
import { between, groups, inside, localDay, periodOf, plus, ratio, sum } from "./kpi_periods.mjs";

/**
 * @typedef {import("./kpi_model.mjs").Move} Move
 * @typedef {import("./kpi_model.mjs").Range} Range
 */

/** @param {Move[]} moves in order of writing */
export function states(moves) {
  const before = new Map();
  const placed = moves.map((move) => {
    const stayed = before.has(move.user) ? Math.max(move.at - before.get(move.user), 0) / 1000 : null;
    before.set(move.user, move.at);
    return { ...move, stayed };
  });
  const within = (/** @type {Range} */ range) => placed.filter(({ at }) => inside(localDay(at, range.zone), range));
  return {
    state_funnel(/** @type {Range} */ range) {
      return [
        ...groups(within(range), ({ from, to }) => `${from} ${to}`).values(),
      ].map((group) => {
        const stays = group.flatMap(({ stayed }) => stayed === null ? [] : [stayed]);
        return {
          from_state: group[0].from,
          to_state: group[0].to,
          transitions: group.length,
          average_dwell_seconds: ratio(sum(stays), stays.length),
        };
      });
    },
    state_dwell(/** @type {Range} */ range) {
      const left = within(range).filter(({ stayed }) => stayed !== null);
      return [...groups(left, ({ from }) => String(from))].map(
        ([state, group]) => {
          const stays = group.map(({ stayed }) => Number(stayed)).sort((a, b) => a - b);
          const rank = (/** @type {number} */ q) => stays[Math.max(Math.ceil(q * stays.length), 1) - 1];
          return {
            state,
            stays: stays.length,
            mean_seconds: sum(stays) / stays.length,
            p50_seconds: rank(0.5),
            p90_seconds: rank(0.9),
          };
        },
      );
    },
    state_trend(/** @type {Range} */ range) {
      const days = Array.from(
        { length: between(range.last, range.first) + 1 },
        (_, index) => plus(range.first, index),
      );
      return [...groups(days, (day) => periodOf(day, range))].flatMap((
        [period, of],
      ) =>
        ["S0", "S1", "S2", "S3", "S4", "S5"].map((state) => {
          const here = placed.filter(({ at }) => of.includes(localDay(at, range.zone)));
          const sofar = placed.filter(({ at }) => localDay(at, range.zone) <= of[of.length - 1]);
          const count = (
            /** @type {typeof placed} */ list,
            /** @type {"from" | "to"} */ side,
          ) => list.filter((move) => move[side] === state).length;
          return {
            period,
            state,
            entered: count(here, "to"),
            left_state: count(here, "from"),
            people_at_end: count(sofar, "to") - count(sofar, "from"),
          };
        })
      );
    },
  };
}
