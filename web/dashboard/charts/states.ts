/** How many people stand in each state at the end of each period. */
import * as Plot from "@observablehq/plot";
import { short, utc } from "../format.ts";
import type { StateTrend } from "../kpi.ts";
import { axisCount, axisTime, base, draw, grid, type Size, stateScale, TIP } from "./frame.ts";

export function statesChart(rows: readonly StateTrend[], { width }: Size): SVGSVGElement {
  const sorted = rows.toSorted((a, b) => a.period.localeCompare(b.period));
  return draw("People in each state over time", {
    width,
    height: 240,
    x: { type: "utc" },
    color: stateScale,
    marks: [
      grid(),
      axisCount(short),
      axisTime(width),
      Plot.areaY(sorted, {
        x: (row: StateTrend) => utc(row.period),
        y: "people_at_end",
        fill: "state",
        order: "state",
        curve: "step-after",
        tip: TIP,
      }),
      base(),
    ],
  });
}
