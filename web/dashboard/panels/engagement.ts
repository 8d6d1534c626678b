/** Engagement by tier, over time. */
import { el } from "../../shared/dom.ts";
import { engagementChart, HEIGHT, type Measure, NAMES } from "../charts/engagement.ts";
import { fitted, legend, TIERS, tierScale, withTable } from "../charts/frame.ts";
import { count, day, fixed } from "../format.ts";
import type { Engagement } from "../kpi.ts";
import { choice, type Spec } from "../panel.ts";
import { filled, grainFor, periodsOf } from "../periods.ts";
import { t } from "../texts.ts";

export function engagementPanel(): Spec<readonly Engagement[]> {
  let measure = (): Measure => "events";
  return {
    id: "engagement",
    title: t("Engagement by tier"),
    note: t("Accepted events by when they happened. System events are not counted."),
    see: { view: "explore", kind: "accepted" },
    tools: (redraw) => {
      const chosen = choice("measure", t("Measure"), {
        events: t("Events"),
        people: t("People"),
        engaged_seconds: t("Hours"),
        score: t("Score"),
      }, redraw);
      measure = () => chosen.value() as Measure;
      return chosen.element;
    },
    load: ({ kpi, filters: { range, narrowed } }) => kpi.engagement(range, grainFor(range), narrowed),
    empty: (
      rows,
      { filters: { tier } },
    ) => (ofTier(rows, tier).length > 0
      ? undefined
      : tier === "all"
      ? t("Nobody did anything in this range.")
      : t("Nobody of this tier did anything in this range.")),
    render: (all, { filters: { range, tier } }) => {
      const grain = grainFor(range);
      const found = ofTier(all, tier);
      const tiers = TIERS.filter((name) => found.some((row) => row.tier === name));
      const rows = filled(found, periodsOf(range, grain), (row) => row.tier, none);
      const now = measure();
      return el(
        "div",
        {},
        legend(tierScale, tiers),
        withTable(
          fitted((width) => engagementChart(rows, { width, measure: now, grain }), HEIGHT),
          t("{what} by tier", { what: NAMES[now] }),
          [t("Period"), ...tiers],
          periodsOf(range, grain).map((
            period,
          ) => [
            day(period),
            ...tiers.map((name) => cell(rows.find((row) => row.period === period && row.tier === name), now)),
          ]),
        ),
      );
    },
  };
}

function ofTier(rows: readonly Engagement[], tier: string): readonly Engagement[] {
  return rows.filter((row) => (tier === "all" ? row.tier !== "all" : row.tier === tier));
}

function cell(row: Engagement | undefined, measure: Measure): string {
  if (!row) return "0";
  return measure === "engaged_seconds" ? fixed(row.engaged_seconds / 3600, 1) : count(row[measure]);
}

function none(period: string, tier: string): Engagement {
  return { period, tier, events: 0, people: 0, events_per_person: null, engaged_seconds: 0, score: 0 };
}
