/** Visits over time: how many, how long, how many of them were one event long. */
import * as Plot from "@observablehq/plot";
import { duration, percent, short, utc } from "../format.ts";
import type { Visits } from "../kpi.ts";
import { axisCount, axisTime, base, draw, grid, interval, type Size, TIP } from "./frame.ts";

export type VisitMeasure = "visits" | "average_seconds" | "bounce_rate";

export const VISIT_MEASURES: Readonly<Record<VisitMeasure, string>> = {
  visits: "Visits",
  average_seconds: "Length",
  bounce_rate: "Bounces",
};
const WRITTEN: Readonly<Record<VisitMeasure, (value: number) => string>> = {
  visits: short,
  average_seconds: duration,
  bounce_rate: percent,
};

export function visitsChart(
  rows: readonly Visits[],
  { width, measure, grain }: Size & { readonly measure: VisitMeasure; readonly grain: "day" | "week" | "month" },
): SVGSVGElement {
  const written = WRITTEN[measure];
  return draw(`${VISIT_MEASURES[measure]}, ${grain} by ${grain}`, {
    width,
    height: 230,
    marginLeft: 56,
    x: { type: "utc" },
    marks: [
      grid(),
      axisCount(written),
      axisTime(width),
      Plot.rectY(rows, {
        x: (row: Visits) => utc(row.period),
        y: (row: Visits) => row[measure] ?? 0,
        interval: interval(grain),
        fill: "var(--tier-consumer)",
        inset: 0.75,
        tip: { ...TIP, format: { y: written } },
      }),
      base(),
    ],
  });
}
