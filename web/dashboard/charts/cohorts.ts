/** Who came back: one row per cohort and one column per period after its first, darker where more returned. */
import * as Plot from "@observablehq/plot";
import { count, dayShort, percent } from "../format.ts";
import type { Cohort } from "../kpi.ts";
import { draw, heat, type Size, TIP } from "./frame.ts";

const LABELS = 108;
const COLUMN = 84;

interface Cell {
  readonly cohort: string;
  readonly people: number;
  readonly period: number;
  readonly returned: number;
  readonly rate: number;
}

export function cohortChart(
  rows: readonly Cohort[],
  { width, grain }: Size & { readonly grain: "day" | "week" },
): SVGSVGElement {
  const sorted = rows.toSorted((a, b) => a.cohort.localeCompare(b.cohort));
  const cells = sorted.flatMap(cellsOf);
  const periods = Math.max(0, ...cells.map(({ period }) => period));
  const room = Math.min(COLUMN, (width - LABELS) / (periods + 1));
  // The colours span the later periods: in the first one everybody is there by definition.
  const most = Math.max(0.2, ...cells.filter(({ period }) => period > 0).map(({ rate }) => rate));
  return draw(`Share of each ${grain}'s newcomers who returned, by ${grain}s since`, {
    width: LABELS + room * (periods + 1),
    height: sorted.length * 30 + 34,
    marginLeft: LABELS - 4,
    marginRight: 4,
    marginTop: 24,
    marginBottom: 6,
    padding: 0.06,
    x: { domain: Array.from({ length: periods + 1 }, (_, index) => index) },
    y: { domain: sorted.map(({ cohort }) => cohort) },
    marks: [
      Plot.axisX({
        anchor: "top",
        tickSize: 0,
        label: null,
        tickFormat: (period: number) => (period === 0 ? "first" : `+${period}`),
      }),
      Plot.axisY({
        tickSize: 0,
        label: null,
        tickFormat: (cohort: string) =>
          `${dayShort(cohort)}  (${count(sorted.find((row) => row.cohort === cohort)?.people ?? 0)})`,
      }),
      Plot.cell(cells, {
        x: "period",
        y: "cohort",
        rx: 3,
        fill: (cell: Cell) => (cell.period === 0 ? "var(--sunken)" : heat(cell.rate / most)),
        title: (cell: Cell) =>
          `${dayShort(cell.cohort)}, ${cell.period} ${grain}${cell.period === 1 ? "" : "s"} on\n${
            count(cell.returned)
          } of ${count(cell.people)} (${percent(cell.rate)})`,
        tip: TIP,
      }),
      room < 30 ? null : Plot.text(cells, {
        x: "period",
        y: "cohort",
        text: (cell: Cell) => percent(cell.rate),
        fill: (cell: Cell) => (cell.period > 0 && cell.rate / most > 0.6 ? "var(--on-heat)" : "var(--ink)"),
      }),
    ],
  });
}

function cellsOf({ cohort, people, retained, rates }: Cohort): Cell[] {
  return retained.map((returned, period) => ({
    cohort,
    people,
    period,
    returned,
    rate: rates[period] ?? (people === 0 ? 0 : returned / people),
  }));
}
