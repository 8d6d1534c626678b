/** Errors by code. */
import { el } from "../../shared/dom.ts";
import { errorName, errorNames, errorsChart } from "../charts/errors.ts";
import { fitted, legend, seriesScale, withTable } from "../charts/frame.ts";
import { count, day, fixed } from "../format.ts";
import type { ErrorCount } from "../kpi.ts";
import type { Spec } from "../panel.ts";
import { filled, grainFor, periodsOf } from "../periods.ts";
import { t } from "../texts.ts";

export const errorsPanel: Spec<readonly ErrorCount[]> = {
  id: "errors",
  title: t("Errors"),
  note: t("Error events of pages and servers, by code."),
  load: ({ kpi, filters: { range } }) => kpi.errors(range, grainFor(range)),
  empty: (rows) => (rows.length > 0 ? undefined : t("No error was reported in this range.")),
  render: (found, { filters: { range } }) => {
    const grain = grainFor(range);
    const rows = filled(found, periodsOf(range, grain), (row) => `${row.event_type}/${row.code}`, none);
    const names = errorNames(found);
    return el(
      "div",
      {},
      legend(seriesScale(names), names),
      withTable(
        fitted((width) => errorsChart(rows, { width, grain })),
        t("Errors by code"),
        [t("Period"), t("Code"), t("Events"), t("Per thousand")],
        found.map((row) => [day(row.period), errorName(row), count(row.events), fixed(row.per_thousand, 2)]),
      ),
    );
  },
};

function none(period: string, key: string): ErrorCount {
  // No type of event has a slash in its name; a code may.
  const slash = key.indexOf("/");
  return { period, event_type: key.slice(0, slash), code: key.slice(slash + 1), events: 0, per_thousand: 0 };
}
