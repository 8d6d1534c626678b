/** Errors by code. */
import { el } from "../../shared/dom.ts";
import { errorName, errorNames, errorsChart } from "../charts/errors.ts";
import { fitted, legend, seriesScale, withTable } from "../charts/frame.ts";
import { count, day } from "../format.ts";
import type { ErrorCount } from "../kpi.ts";
import type { Spec } from "../panel.ts";
import { filled, grainFor, periodsOf } from "../periods.ts";

export const errorsPanel: Spec<readonly ErrorCount[]> = {
  id: "errors",
  title: "Errors",
  note: "Error events of pages and servers, by code.",
  load: ({ kpi, filters: { range } }) => kpi.errors(range, grainFor(range)),
  empty: (rows) => (rows.length > 0 ? undefined : "No error was reported in this range."),
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
        "Errors by code",
        ["Period", "Code", "Events", "Per thousand"],
        found.map((row) => [day(row.period), errorName(row), count(row.events), row.per_thousand?.toFixed(2) ?? ""]),
      ),
    );
  },
};

function none(period: string, key: string): ErrorCount {
  const [event_type = "", code = ""] = key.split("/");
  return { period, event_type, code, events: 0, per_thousand: 0 };
}
