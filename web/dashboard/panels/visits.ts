/** Visits: how many, how long, and how many ended where they began. */
import { el } from "../../shared/dom.ts";
import { fitted, withTable } from "../charts/frame.ts";
import { named, VISIT_MEASURES, type VisitMeasure, visitsChart } from "../charts/visits.ts";
import { count, duration, fixed, percent } from "../format.ts";
import type { Visits } from "../kpi.ts";
import { choice, type Spec } from "../panel.ts";
import { byHour, filled, grainFor, hoursOf, periodsOf } from "../periods.ts";
import { t } from "../texts.ts";

interface Data {
  readonly periods: readonly Visits[];
  readonly total: Visits | undefined;
}

export function visitsPanel(): Spec<Data> {
  let measure = (): VisitMeasure => "visits";
  return {
    id: "visits",
    title: t("Visits"),
    note: t("Sessions by when they began. A bounce is a visit with one event of activity."),
    tools: (redraw) => {
      const chosen = choice("visit-measure", t("Measure"), VISIT_MEASURES, redraw);
      measure = () => chosen.value() as VisitMeasure;
      return chosen.element;
    },
    load: async ({ kpi, filters: { range, narrowed } }) => {
      const [periods, [total]] = await Promise.all([
        byHour(range) ? kpi.visitHours(range, narrowed) : kpi.visits(range, grainFor(range), narrowed),
        kpi.visits(range, "total", narrowed),
      ]);
      return { periods, total };
    },
    empty: ({ total }) => (total ? undefined : t("Nobody visited in this range.")),
    render: ({ periods, total }, { filters: { range } }) => {
      const grain = byHour(range) ? "hour" : grainFor(range);
      const all = grain === "hour" ? hoursOf(range) : periodsOf(range, grain);
      const rows = filled(periods, all, () => "", none);
      const now = measure();
      return el(
        "div",
        {},
        total && figures(total),
        withTable(
          fitted((width) => visitsChart(rows, { width, measure: now, grain, zone: range.zone }), 230),
          t("Visits over time"),
          [
            t("Period"),
            t("Visits"),
            t("People"),
            t("Bounces"),
            t("Bounce rate"),
            t("Mean length"),
            t("Events a visit"),
          ],
          rows.map((row) => [
            named(row.period, grain, range.zone),
            count(row.visits),
            count(row.people),
            count(row.bounces),
            row.visits === 0 ? "" : percent(row.bounce_rate),
            row.visits === 0 ? "" : duration(row.average_seconds),
            fixed(row.events_per_visit, 2),
          ]),
        ),
      );
    },
  };
}

function figures({ visits, people, bounce_rate, average_seconds, events_per_visit }: Visits): HTMLElement {
  const shown: readonly (readonly [key: string, name: string, value: string])[] = [
    ["visits", t("Visits"), count(visits)],
    ["visit_people", t("People"), count(people)],
    ["bounce_rate", t("Bounces"), percent(bounce_rate)],
    ["visit_seconds", t("Mean length"), duration(average_seconds)],
    ["events_per_visit", t("Events a visit"), events_per_visit === null ? t("none") : fixed(events_per_visit, 2)],
  ];
  return el(
    "dl",
    { class: "figures" },
    shown.map(([key, name, value]) =>
      el("div", {}, el("dt", {}, name), el("dd", { class: "value", "data-kpi": key }, value))
    ),
  );
}

function none(period: string): Visits {
  return {
    period,
    visits: 0,
    people: 0,
    bounces: 0,
    bounce_rate: null,
    average_seconds: null,
    events_per_visit: null,
  };
}
