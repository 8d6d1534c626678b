/** Retention cohorts. */
import { cohortChart } from "../charts/cohorts.ts";
import { fitted, withTable } from "../charts/frame.ts";
import { count, day, percent } from "../format.ts";
import type { Cohort } from "../kpi.ts";
import { choice, type Spec } from "../panel.ts";
import { t } from "../texts.ts";

const SHOWN = 16;

export function retentionPanel(): Spec<readonly Cohort[]> {
  let grain = (): "week" | "day" => "week";
  return {
    id: "retention",
    title: t("Retention"),
    note: t("Newcomers by when they first came, and how many were active again later."),
    reload: true,
    tools: (redraw) => {
      const chosen = choice("cohort", t("Cohorts by"), { week: t("Weeks"), day: t("Days") }, redraw);
      grain = () => chosen.value() as "week" | "day";
      return chosen.element;
    },
    load: ({ kpi, filters: { range } }) => kpi.retention(range, grain()),
    empty: (
      rows,
    ) => (rows.some(({ people }) => people > 0) ? undefined : t("Nobody came for the first time in this range.")),
    render: (all) => {
      const rows = all.toSorted((a, b) => a.cohort.localeCompare(b.cohort)).slice(-SHOWN);
      const periods = Math.max(...rows.map(({ retained }) => retained.length));
      const now = grain();
      return withTable(
        fitted((width) => cohortChart(rows, { width, grain: now })),
        t("Retention"),
        [
          t("Cohort"),
          t("People"),
          ...Array.from({ length: periods }, (_, index) => (index === 0 ? t("First") : `+${index}`)),
        ],
        rows.map((
          row,
        ) => [
          day(row.cohort),
          count(row.people),
          ...Array.from(
            { length: periods },
            (_, index) => (index < row.retained.length ? percent(row.rates[index] ?? 0) : ""),
          ),
        ]),
      );
    },
  };
}
