/** What came through and what was turned away: accepted above the line, refused below it. */
import * as Plot from "@observablehq/plot";
import { percent, short, utc } from "../format.ts";
import type { Quality } from "../kpi.ts";
import { axisCount, axisTime, base, draw, grid, interval, type Size } from "./frame.ts";

export function qualityChart(
  rows: readonly Quality[],
  { width, grain }: Size & { readonly grain: "day" | "week" | "month" },
): SVGSVGElement {
  const whole = rows.filter(({ rule_id }) => rule_id === null);
  const x = (row: Quality): Date => utc(row.period);
  const title = (row: Quality): string =>
    `${short(row.accepted)} accepted, ${short(row.rejected)} refused (${percent(row.rate)})`;
  return draw(`Accepted and refused events ${grain} by ${grain}`, {
    width,
    height: 230,
    x: { type: "utc" },
    marks: [
      grid(),
      axisCount((value) => short(Math.abs(value))),
      axisTime(width),
      Plot.rectY(whole, { x, y: "accepted", interval: interval(grain), fill: "var(--pine)", inset: 0.75 }),
      Plot.rectY(whole, {
        x,
        y: (row: Quality) => -row.rejected,
        interval: interval(grain),
        fill: "var(--madder)",
        inset: 0.75,
      }),
      Plot.tip(whole, Plot.pointerX({ x, y: "accepted", title, fill: "var(--raised)", stroke: "var(--edge)" })),
      base(),
    ],
  });
}
