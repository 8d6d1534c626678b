/** How many people stand in each state at the end of each period. */
import { day, short, utc } from "../format.ts";
import type { StateTrend } from "../kpi.ts";
import { colourOf, stateScale, type StatesSize } from "./frame.ts";
import { between, marks, type Point, shape } from "./svg.ts";
import { overTime } from "./time.ts";
import { t } from "../texts.ts";

export function statesChart(rows: readonly StateTrend[], { width, states }: StatesSize): SVGSVGElement {
  const periods = [...new Set(rows.map(({ period }) => period))].toSorted();
  const scale = stateScale(states);
  const people = new Map(rows.map(({ period, state, people_at_end }) => [`${period} ${state}`, people_at_end]));
  const of = (period: string, state: string): number => people.get(`${period} ${state}`) ?? 0;
  const upTo = (period: string, last: number): number =>
    states.slice(0, last).reduce((sum, state) => sum + of(period, state), 0);
  const times = periods.map((period) => utc(period).getTime());
  const most = Math.max(1, ...periods.map((period) => upTo(period, states.length)));
  return overTime(
    { label: t("People in each state over time"), width, height: 240, write: short },
    [Math.min(...times), Math.max(...times)],
    [0, most],
    (x, y) => {
      // Each number holds from its period to the next.
      const edge = (last: number): readonly Point[] =>
        periods.flatMap((period, at): readonly Point[] => {
          const height = y(upTo(period, last));
          return [[x(times[at] ?? 0), height], [x(times[at + 1] ?? times[at] ?? 0), height]];
        });
      return {
        shapes: [
          marks(
            "area",
            states.map((state, at) =>
              shape("path", { d: between(edge(at + 1), edge(at)), fill: colourOf(scale, state) })
            ),
          ),
        ],
        tips: periods.map((period, at) => ({
          x: x(times[at] ?? 0),
          y: y(upTo(period, states.length) / 2),
          text: [day(period), ...states.toReversed().map((state) => `${state}: ${short(of(period, state))}`)].join(
            "\n",
          ),
        })),
      };
    },
  );
}
