/** The conversion funnel; a site may have several. */
import { el } from "../../shared/dom.ts";
import { fitted, withTable } from "../charts/frame.ts";
import { funnelChart } from "../charts/funnel.ts";
import { count, duration, percent } from "../format.ts";
import type { FunnelChoice, FunnelStep } from "../kpi.ts";
import type { Spec } from "../panel.ts";
import { t } from "../texts.ts";

interface Data {
  readonly funnels: readonly FunnelChoice[];
  readonly steps: readonly FunnelStep[];
}

export function funnelPanel(): Spec<Data> {
  const select = el("select", { "aria-label": t("Funnel") });
  return {
    id: "funnel",
    title: t("Conversion"),
    note: t("People who took the steps in this order, within the funnel's window."),
    reload: true,
    tools: (redraw) => {
      select.addEventListener("change", redraw);
      select.hidden = true;
      return select;
    },
    load: async ({ kpi, filters: { range } }) => {
      const funnels = await kpi.funnels();
      offer(funnels);
      return { funnels, steps: select.value === "" ? [] : await kpi.funnel(range, select.value) };
    },
    empty: ({ funnels, steps }) =>
      funnels.length === 0
        ? t("No funnel is set up. Its steps are rows of audience_funnel_steps.")
        : steps.some(({ people }) => people > 0)
        ? undefined
        : t("Nobody took the first step in this range."),
    render: ({ steps }) =>
      withTable(
        fitted((width) => funnelChart(steps, { width })),
        t("Conversion"),
        [t("Step"), t("People"), t("From the start"), t("From the step before"), t("Lost"), t("Time since the start")],
        steps.map((
          step,
        ) => [
          step.step,
          count(step.people),
          percent(step.rate_from_start),
          percent(step.rate_from_previous),
          count(step.dropped),
          duration(step.average_seconds),
        ]),
      ),
  };

  function offer(funnels: readonly FunnelChoice[]): void {
    const names = new Map(funnels.map(({ funnel, name }) => [funnel, name]));
    const kept = select.value;
    select.replaceChildren(
      ...[...names].map(([value, name]) => el("option", { value, selected: value === kept }, name)),
    );
    select.hidden = names.size < 2;
  }
}
