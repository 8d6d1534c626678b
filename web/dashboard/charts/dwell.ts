/** How long people stay in a state: half have left by the dot, nine in ten by the end of the line. */
import * as Plot from "@observablehq/plot";
import { count, duration } from "../format.ts";
import type { StateDwell } from "../kpi.ts";
import { draw, type Size, TIP } from "./frame.ts";

export function dwellChart(rows: readonly StateDwell[], { width }: Size): SVGSVGElement {
  const sorted = rows.toSorted((a, b) => a.state.localeCompare(b.state));
  const days = (seconds: number): number => seconds / 86_400;
  return draw("Time spent in each state before leaving it", {
    width,
    height: sorted.length * 54 + 36,
    marginLeft: 36,
    marginRight: 64,
    marginBottom: 26,
    x: { zero: true, label: null },
    y: { domain: sorted.map(({ state }) => state), label: null },
    marks: [
      Plot.axisX({
        ticks: Math.floor(width / 90),
        tickSize: 0,
        label: null,
        tickFormat: (value: number) => `${value} d`,
      }),
      Plot.gridX({ stroke: "var(--line)", strokeOpacity: 1, ticks: Math.floor(width / 90) }),
      Plot.axisY({ tickSize: 0, label: null }),
      Plot.ruleY(sorted, {
        y: "state",
        x1: 0,
        x2: (row: StateDwell) => days(row.p90_seconds),
        stroke: "var(--heat-3)",
        strokeWidth: 6,
        strokeLinecap: "round",
      }),
      Plot.dot(sorted, {
        y: "state",
        x: (row: StateDwell) => days(row.p50_seconds),
        r: 6,
        fill: "var(--pine)",
        stroke: "var(--surface)",
        strokeWidth: 2,
        title: (row: StateDwell) =>
          `${row.state}: half leave within ${duration(row.p50_seconds)}\n9 in 10 within ${duration(row.p90_seconds)}\n${
            count(row.stays)
          } stays`,
        tip: TIP,
      }),
      Plot.text(sorted, {
        y: "state",
        x: (row: StateDwell) => days(row.p90_seconds),
        text: (row: StateDwell) => duration(row.p90_seconds),
        dx: 10,
        textAnchor: "start",
        fill: "var(--quiet)",
      }),
    ],
  });
}
