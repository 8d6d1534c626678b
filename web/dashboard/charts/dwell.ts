/** How long people stay in a state: half have left by the dot, nine in ten by the end of the line. */
import { duration } from "../format.ts";
import type { StateDwell } from "../kpi.ts";
import type { Size } from "./frame.ts";
import { linear, marks, picture, roomFor, shape, shortened, words } from "./svg.ts";
import { t } from "../texts.ts";

const ROW = 54;
const LEFT = 36;
const RIGHT = 64;
const DAY = 86_400;

export function dwellChart(sorted: readonly StateDwell[], { width }: Size): SVGSVGElement {
  const bottom = sorted.length * ROW + 8;
  const longest = Math.max(1, ...sorted.map(({ p90_seconds }) => p90_seconds / DAY));
  const left = roomFor(sorted.map(({ state }) => state), LEFT, width);
  const x = linear([0, longest], [left, width - RIGHT]);
  const days = (seconds: number): number => x(seconds / DAY);
  const height = (row: number): number => (row + 0.5) * ROW;
  const ticks = x.ticks(Math.max(2, Math.floor(width / 90)));
  return picture(
    t("Time spent in each state before leaving it"),
    [width, bottom + 26],
    [
      marks("grid", ticks.map((at) => shape("line", { x1: x(at), x2: x(at), y1: 0, y2: bottom })), {
        stroke: "var(--line)",
      }),
      marks("axis", ticks.map((at) => words(x(at), bottom + 14, duration(at * DAY))), { "text-anchor": "middle" }),
      marks("axis", sorted.map(({ state }, row) => words(left - 12, height(row), shortened(state, left - 12))), {
        "text-anchor": "end",
      }),
      marks(
        "rule",
        sorted.map(({ p90_seconds }, row) =>
          shape("line", { x1: x(0), x2: days(p90_seconds), y1: height(row), y2: height(row) })
        ),
        { stroke: "var(--heat-3)", "stroke-width": 6, "stroke-linecap": "round" },
      ),
      marks(
        "dot",
        sorted.map(({ p50_seconds }, row) => shape("circle", { cx: days(p50_seconds), cy: height(row), r: 6 })),
        { fill: "var(--pine)", stroke: "var(--surface)", "stroke-width": 2 },
      ),
      marks(
        "text",
        sorted.map(({ p90_seconds }, row) => words(days(p90_seconds) + 10, height(row), duration(p90_seconds))),
        { fill: "var(--quiet)" },
      ),
    ],
    sorted.map((row, at) => ({
      x: days(row.p50_seconds),
      y: height(at),
      text: [
        t("{state}: half leave within {half}", { state: row.state, half: duration(row.p50_seconds) }),
        t("9 in 10 within {most}", { most: duration(row.p90_seconds) }),
        t("{count} stay | {count} stays", { count: row.stays }),
      ].join("\n"),
    })),
  );
}
