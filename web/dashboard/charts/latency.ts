/** One measure's percentiles over time: the middle as a line, the slow tail as bands above it. */
import { day, utc } from "../format.ts";
import type { Latency } from "../kpi.ts";
import type { Size } from "./frame.ts";
import { between, line, marks, type Point, type Scale, shape } from "./svg.ts";
import { overTime } from "./time.ts";
import { t } from "../texts.ts";

type Percentile = "p50" | "p75" | "p95" | "p99";
/** From the outermost inwards. */
const BANDS = [["p95", "p99", 1], ["p75", "p95", 2], ["p50", "p75", 3]] as const;

export function latencyChart(
  rows: readonly Latency[],
  { width, format }: Size & { readonly format: (value: number) => string },
): SVGSVGElement {
  const sorted = rows.toSorted((a, b) => a.period.localeCompare(b.period));
  const times = sorted.map(({ period }) => utc(period).getTime());
  const label = t("Percentiles of {measure} over time", { measure: sorted[0]?.measure ?? "" });
  const most = Math.max(...sorted.map(({ p99 }) => p99), 0) || 1;
  return overTime(
    { label, width, left: 56, write: format },
    [Math.min(...times), Math.max(...times)],
    [0, most],
    (x, y) => {
      const points = (of: Percentile) => sorted.map((row): Point => [at(x, row), y(row[of])]);
      const middle = points("p50");
      return {
        shapes: [
          marks(
            "area",
            BANDS.map(([low, high, step]) =>
              shape("path", { d: between(points(high), points(low)), fill: `var(--heat-${step})` })
            ),
          ),
          marks("line", [shape("path", { d: line(middle) })], {
            fill: "none",
            stroke: "var(--pine)",
            "stroke-width": 2.25,
          }),
          marks(
            "dot",
            middle.length === 1 ? middle.map(([cx, cy]) => shape("circle", { cx, cy, r: 3, fill: "var(--pine)" })) : [],
          ),
        ],
        tips: sorted.map((row) => ({ x: at(x, row), y: y(row.p95), text: tip(row, format) })),
      };
    },
  );
}

const at = (x: Scale, { period }: Latency): number => x(utc(period).getTime());

function tip({ period, p50, p75, p95, p99, samples }: Latency, format: (value: number) => string): string {
  return `${day(period)}\np50 ${format(p50)}, p75 ${format(p75)}\np95 ${format(p95)}, p99 ${format(p99)}\n${
    t("{count} sample | {count} samples", { count: samples })
  }`;
}
