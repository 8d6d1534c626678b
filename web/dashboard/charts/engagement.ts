/** What each tier did, period by period. Sums are stacked; people are lines, for one person may use two tiers. */
import { day, short, utc } from "../format.ts";
import type { Engagement } from "../kpi.ts";
import { colourOf, type Size, TIERS, tierScale } from "./frame.ts";
import { line, marks, shape } from "./svg.ts";
import { barsOverTime, byGrain, type Grain, overTime } from "./time.ts";
import { t } from "../texts.ts";

export type Measure = "events" | "people" | "engaged_seconds" | "score";
export const HEIGHT = 330;

export const NAMES: Readonly<Record<Measure, string>> = {
  events: t("Events"),
  people: t("People"),
  engaged_seconds: t("Engaged hours"),
  score: t("Score"),
};

export function engagementChart(
  rows: readonly Engagement[],
  { width, measure, grain }: Size & { readonly measure: Measure; readonly grain: Grain },
): SVGSVGElement {
  const value = (
    row: Engagement,
  ): number => (measure === "engaged_seconds" ? row.engaged_seconds / 3600 : row[measure]);
  const frame = {
    label: byGrain(t("{what} by tier", { what: NAMES[measure] }), grain),
    width,
    height: HEIGHT,
    write: short,
  };
  const series = TIERS.flatMap((tier) => {
    const found = rows.filter((row) => row.tier === tier).toSorted((a, b) => a.period.localeCompare(b.period));
    return found.length === 0 ? [] : [{ tier, fill: colourOf(tierScale, tier), rows: found }];
  });
  const periods = [...new Set(series.flatMap(({ rows }) => rows.map(({ period }) => period)))].toSorted();
  const at = (period: string) =>
    series.flatMap(({ tier, fill, rows }) =>
      rows.filter((row) => row.period === period).map((row) => ({ tier, fill, value: value(row) }))
    );
  const tip = (period: string): string =>
    [day(period), ...at(period).toReversed().map((part) => `${part.tier}: ${short(part.value)}`)].join("\n");
  if (measure !== "people") {
    return barsOverTime(
      { ...frame, grain },
      periods.map((period) => ({ period, parts: at(period), tip: tip(period) })),
    );
  }
  const times = periods.map((period) => utc(period).getTime());
  const most = Math.max(1, ...series.flatMap(({ rows }) => rows.map(value)));
  return overTime(frame, [Math.min(...times), Math.max(...times)], [0, most], (x, y) => ({
    shapes: [
      marks(
        "line",
        series.map(({ fill, rows }) =>
          shape("path", { d: line(rows.map((row) => [x(utc(row.period).getTime()), y(value(row))])), stroke: fill })
        ),
        { fill: "none", "stroke-width": 2.25, "stroke-linejoin": "round" },
      ),
    ],
    tips: periods.map((period) => ({
      x: x(utc(period).getTime()),
      y: y(Math.max(...at(period).map((part) => part.value))),
      text: tip(period),
    })),
  }));
}
