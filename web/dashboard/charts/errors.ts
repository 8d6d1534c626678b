/** Errors reported by pages and servers, by their code. */
import { day, short } from "../format.ts";
import type { ErrorCount } from "../kpi.ts";
import { colourOf, seriesScale, type Size } from "./frame.ts";
import { barsOverTime, byGrain, type Grain } from "./time.ts";
import { t } from "../texts.ts";

const NAMED = 5;
const OTHERS = t("other codes");

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
  { width, grain }: Size & { readonly grain: Grain },
): SVGSVGElement {
  const names = errorNames(rows);
  const colours = seriesScale(names);
  const sums = summed(rows, (row) => (names.includes(errorName(row)) ? errorName(row) : OTHERS));
  const periods = [...new Set(sums.map(({ period }) => period))].toSorted();
  return barsOverTime(
    { label: byGrain(t("Errors by code"), grain), width, grain, inset: 0.5, write: short },
    periods.map((period) => {
      const parts = names.flatMap((name) =>
        sums.filter((sum) => sum.period === period && sum.name === name).map(({ events }) => ({
          name,
          value: events,
          fill: colourOf(colours, name),
        }))
      );
      const some = parts.filter(({ value }) => value > 0).map(({ name, value }) => `${name}: ${short(value)}`);
      return { period, parts, tip: [day(period), ...some.toReversed()].join("\n") };
    }),
  );
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
