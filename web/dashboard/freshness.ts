/** How fresh the numbers are: what the views cover, and what the live tail adds to them. */
import { el } from "../shared/dom.ts";
import { table } from "./charts/frame.ts";
import type { Filters } from "./filters.ts";
import { clock, count, dateTime, duration } from "./format.ts";
import { outcomeName, viewName } from "./outcomes.ts";
import type { Freshness, Kpi } from "./kpi.ts";
import { t } from "./texts.ts";

export function freshnessNote(
  kpi: Kpi,
): { readonly element: HTMLElement; readonly refresh: (filters: Filters) => Promise<void> } {
  const summary = el("summary", {}, t("Reading how fresh the numbers are"));
  const detail = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Freshness of each view") });
  return { element: el("details", { class: "freshness small" }, summary, detail), refresh };

  async function refresh({ range: { zone } }: Filters): Promise<void> {
    try {
      const views = await kpi.freshness();
      summary.textContent = sentence(views, zone);
      detail.replaceChildren(
        table(
          t("Freshness of each view"),
          [
            t("View"),
            t("State"),
            t("Refreshed"),
            t("Covers until"),
            t("Took"),
            t("Newer events, joined live"),
            t("Schedule"),
          ],
          views.map((view) => [
            viewName(view.view_name),
            outcomeName(view.outcome),
            when(view.refreshed_at, zone),
            when(view.covered_until, zone),
            view.duration_ms === null ? "" : duration(view.duration_ms / 1000),
            count(view.tail_events ?? 0),
            view.schedule ?? "",
          ]),
        ),
      );
    } catch (error) {
      console.error(error);
      summary.textContent = t("How fresh the numbers are could not be read");
    }
  }
}

function sentence(views: readonly Freshness[], zone: string): string {
  const now = clock(new Date().toISOString(), zone);
  const failed = views.filter(({ outcome }) => outcome === "failed").length;
  const refreshed = views.filter(({ refreshed_at }) => refreshed_at !== null);
  const oldest = Math.max(0, ...refreshed.map(({ age_seconds }) => age_seconds ?? 0));
  const tail = Math.max(0, ...views.map(({ tail_events }) => tail_events ?? 0));
  const trouble = failed > 0 &&
    t(
      "{count} view could not be refreshed; the live tail covers for it. | {count} views could not be refreshed; the live tail covers for them.",
      { count: failed },
    );
  const joined = refreshed.length === 0
    ? t(
      "Current as of {now}: no view was refreshed yet, so the {count} event is read live. | Current as of {now}: no view was refreshed yet, so all {count} events are read live.",
      { now, count: tail },
    )
    : t(
      "Current as of {now}: views refreshed at most {age} ago, and {count} event newer than that joined live. | Current as of {now}: views refreshed at most {age} ago, and {count} events newer than that joined live.",
      { now, age: duration(oldest), count: tail },
    );
  return [joined, trouble].filter(Boolean).join(" ");
}

function when(instant: string | null, zone: string): string {
  return instant === null ? t("never") : dateTime(instant, zone);
}
