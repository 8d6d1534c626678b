/** One measure's percentiles over time: the middle as a line, the slow tail as bands above it. */
import * as Plot from "@observablehq/plot";
import { utc } from "../format.ts";
import type { Latency } from "../kpi.ts";
import { axisCount, axisTime, base, draw, grid, type Size } from "./frame.ts";

export function latencyChart(
  rows: readonly Latency[],
  { width, format }: Size & { readonly format: (value: number) => string },
): SVGSVGElement {
  const sorted = rows.toSorted((a, b) => a.period.localeCompare(b.period));
  const x = (row: Latency): Date => utc(row.period);
  const title = (row: Latency): string =>
    `p50 ${format(row.p50)}, p75 ${format(row.p75)}\np95 ${format(row.p95)}, p99 ${
      format(row.p99)
    }\n${row.samples} samples`;
  return draw(`Percentiles of ${sorted[0]?.measure ?? "nothing"} over time`, {
    width,
    height: 230,
    marginLeft: 56,
    x: { type: "utc" },
    y: { zero: true },
    marks: [
      grid(),
      axisCount(format),
      axisTime(width),
      Plot.areaY(sorted, { x, y1: "p95", y2: "p99", fill: "var(--heat-1)" }),
      Plot.areaY(sorted, { x, y1: "p75", y2: "p95", fill: "var(--heat-2)" }),
      Plot.areaY(sorted, { x, y1: "p50", y2: "p75", fill: "var(--heat-3)" }),
      Plot.lineY(sorted, { x, y: "p50", stroke: "var(--pine)", strokeWidth: 2.25 }),
      sorted.length === 1 ? Plot.dot(sorted, { x, y: "p50", fill: "var(--pine)" }) : null,
      Plot.tip(sorted, Plot.pointerX({ x, y: "p95", title, fill: "var(--raised)", stroke: "var(--edge)" })),
      base(),
    ],
  });
}
