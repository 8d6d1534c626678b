/** What each tier did, period by period. Sums are stacked; people are lines, for one person may use two tiers. */
import * as Plot from "@observablehq/plot";
import { short, utc } from "../format.ts";
import type { Engagement } from "../kpi.ts";
import { axisCount, axisTime, base, draw, grid, interval, type Size, tierScale, TIP } from "./frame.ts";

export type Measure = "events" | "people" | "engaged_seconds" | "score";

export function engagementChart(
  rows: readonly Engagement[],
  { width, measure, grain }: Size & { readonly measure: Measure; readonly grain: "day" | "week" | "month" },
): SVGSVGElement {
  const tiers = rows.filter(({ tier }) => tier !== "all");
  const value = (
    row: Engagement,
  ): number => (measure === "engaged_seconds" ? row.engaged_seconds / 3600 : row[measure]);
  const marks = measure === "people" ? lines(tiers, value) : bars(tiers, value, grain);
  return draw(`${NAMES[measure]} by tier, ${grain} by ${grain}`, {
    width,
    height: 330,
    x: { type: "utc" },
    color: tierScale,
    marks: [grid(), axisCount(short), axisTime(width), ...marks, base()],
  });
}

export const NAMES: Readonly<Record<Measure, string>> = {
  events: "Events",
  people: "People",
  engaged_seconds: "Engaged hours",
  score: "Score",
};

function bars(
  rows: readonly Engagement[],
  y: (row: Engagement) => number,
  grain: "day" | "week" | "month",
): Plot.Markish[] {
  const x = (row: Engagement): Date => utc(row.period);
  return [
    Plot.rectY(rows, {
      x,
      y,
      interval: interval(grain),
      fill: "tier",
      order: "sum",
      inset: 0.75,
      tip: { ...TIP, format: { y: short } },
    }),
  ];
}

function lines(rows: readonly Engagement[], y: (row: Engagement) => number): Plot.Markish[] {
  const x = (row: Engagement): Date => utc(row.period);
  return [
    Plot.lineY(rows, { x, y, z: "tier", stroke: "tier", strokeWidth: 2.25, curve: "monotone-x" }),
    Plot.tip(
      rows,
      Plot.pointer({
        x,
        y,
        stroke: "tier",
        fill: "var(--raised)",
        title: (row: Engagement) => `${row.tier}: ${short(y(row))}`,
      }),
    ),
  ];
}
