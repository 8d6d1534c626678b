/** How fast pages and servers answered. */
import { el } from "../../shared/dom.ts";
import { fitted, withTable } from "../charts/frame.ts";
import { latencyChart } from "../charts/latency.ts";
import { count, milliseconds, words } from "../format.ts";
import type { Latency } from "../kpi.ts";
import type { Spec } from "../panel.ts";
import { grainFor } from "../periods.ts";
import { t } from "../texts.ts";

interface Data {
  readonly over: readonly Latency[];
  readonly total: readonly Latency[];
}

export function latencyPanel(): Spec<Data> {
  const select = el("select", { "aria-label": t("Measure") });
  return {
    id: "latency",
    title: t("Speed"),
    note: t("Half the samples are at or under the line; the bands reach to the 75th, 95th and 99th percentile."),
    tools: (redraw) => {
      select.addEventListener("change", redraw);
      return select;
    },
    load: async ({ kpi, filters: { range } }) => {
      const [over, total] = await Promise.all([
        kpi.performance(range, grainFor(range)),
        kpi.performance(range, "total"),
      ]);
      offer(total);
      return { over, total };
    },
    empty: ({ total }) => (total.length > 0 ? undefined : t("No timing was reported in this range.")),
    render: ({ over, total }) => {
      const rows = over.filter(({ measure }) => measure === select.value);
      const format = unitFormat(rows[0]?.unit ?? "");
      return withTable(
        fitted((width) => latencyChart(rows, { width, format })),
        t("Percentiles of the whole range"),
        [t("Measure"), t("Samples"), t("Mean"), "p50", "p75", "p95", "p99", t("Longest")],
        total.map((row) => {
          const write = unitFormat(row.unit);
          return [
            row.measure,
            count(row.samples),
            write(row.mean),
            write(row.p50),
            write(row.p75),
            write(row.p95),
            write(row.p99),
            write(row.max),
          ];
        }),
      );
    },
  };

  function offer(total: readonly Latency[]): void {
    const kept = select.value;
    const measures = total.toSorted((a, b) => b.samples - a.samples).map(({ measure }) => measure);
    select.replaceChildren(
      ...measures.map((measure) => el("option", { value: measure, selected: measure === kept }, words(measure))),
    );
    select.hidden = measures.length === 0;
  }
}

function unitFormat(unit: string): (value: number) => string {
  if (unit === "ms") return milliseconds;
  return (value) => `${Number(value.toPrecision(3))}${unit === "" ? "" : ` ${unit}`}`;
}
