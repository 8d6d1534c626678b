/** Errors reported by pages and servers, by their code. */
import * as Plot from "@observablehq/plot";
import { short, utc } from "../format.ts";
import type { ErrorCount } from "../kpi.ts";
import { axisCount, axisTime, base, draw, grid, interval, seriesScale, type Size, TIP } from "./frame.ts";

const NAMED = 5;
const OTHERS = "other codes";

interface Sum {
  readonly period: string;
  readonly name: string;
  readonly events: number;
}

export function errorName({ code, event_type }: Pick<ErrorCount, "code" | "event_type">): string {
  return code === "" ? event_type : code;
}

/** The most frequent codes, worst first; the others are counted together. */
export function errorNames(rows: readonly ErrorCount[]): readonly string[] {
  const totals = new Map<string, number>();
  for (const row of rows) totals.set(errorName(row), (totals.get(errorName(row)) ?? 0) + row.events);
  const names = [...totals].toSorted(([, a], [, b]) => b - a).map(([name]) => name);
  return names.length > NAMED + 1 ? [...names.slice(0, NAMED), OTHERS] : names;
}

export function errorsChart(
  rows: readonly ErrorCount[],
  { width, grain }: Size & { readonly grain: "day" | "week" | "month" },
): SVGSVGElement {
  const names = errorNames(rows);
  const named = summed(rows, (row) => (names.includes(errorName(row)) ? errorName(row) : OTHERS));
  return draw(`Errors ${grain} by ${grain}, by code`, {
    width,
    height: 230,
    x: { type: "utc" },
    color: seriesScale(names),
    marks: [
      grid(),
      axisCount(short),
      axisTime(width),
      Plot.rectY(named, {
        x: (row: Sum) => utc(row.period),
        y: "events",
        interval: interval(grain),
        fill: "name",
        inset: 0.5,
        order: [...names],
        tip: TIP,
      }),
      base(),
    ],
  });
}

/** One bar for each period and name, however many codes and event types share the name. */
function summed(rows: readonly ErrorCount[], name: (row: ErrorCount) => string): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    const key = `${row.period} ${name(row)}`;
    sums.set(key, { period: row.period, name: name(row), events: (sums.get(key)?.events ?? 0) + row.events });
  }
  return [...sums.values()];
}
