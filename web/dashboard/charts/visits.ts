/** Visits over time: how many, how long, how many of them were one event long. */
import { day, dayHour, duration, percent, short } from "../format.ts";
import type { Visits } from "../kpi.ts";
import type { Size } from "./frame.ts";
import { barsOverTime, byGrain, type Grain } from "./time.ts";
import { t } from "../texts.ts";

export type VisitMeasure = "visits" | "average_seconds" | "bounce_rate";

export const VISIT_MEASURES: Readonly<Record<VisitMeasure, string>> = {
  visits: t("Visits"),
  average_seconds: t("Length"),
  bounce_rate: t("Bounces"),
};
const WRITTEN: Readonly<Record<VisitMeasure, (value: number) => string>> = {
  visits: short,
  average_seconds: duration,
  bounce_rate: percent,
};

/** A period as it is named: an hour by the clock of the zone that the days are of. */
export function named(period: string, grain: Grain, zone: string): string {
  return grain === "hour" ? dayHour(period, zone) : day(period);
}

export function visitsChart(
  rows: readonly Visits[],
  { width, measure, grain, zone }: Size & {
    readonly measure: VisitMeasure;
    readonly grain: Grain;
    readonly zone: string;
  },
): SVGSVGElement {
  const write = WRITTEN[measure];
  const hoursOf = grain === "hour" ? zone : undefined;
  return barsOverTime(
    { label: byGrain(VISIT_MEASURES[measure], grain), width, left: 56, grain, write, hoursOf },
    rows.map((row) => {
      const value = row[measure] ?? 0;
      return {
        period: row.period,
        parts: [{ value, fill: "var(--tier-consumer)" }],
        tip: `${named(row.period, grain, zone)}\n${VISIT_MEASURES[measure]}: ${write(value)}`,
      };
    }),
  );
}
