/** How fresh the numbers are: what the views cover, and what the live tail adds to them. */
import { el } from "../shared/dom.ts";
import { table } from "./charts/frame.ts";
import type { Filters } from "./filters.ts";
import { clock, count, dateTime, duration, words } from "./format.ts";
import type { Freshness, Kpi } from "./kpi.ts";

export function freshnessNote(
  kpi: Kpi,
): { readonly element: HTMLElement; readonly refresh: (filters: Filters) => Promise<void> } {
  const summary = el("summary", {}, "Reading how fresh the numbers are");
  const detail = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Freshness of each view" });
  return { element: el("details", { class: "freshness small" }, summary, detail), refresh };

  async function refresh({ range: { zone } }: Filters): Promise<void> {
    try {
      const views = await kpi.freshness();
      summary.textContent = sentence(views, zone);
      detail.replaceChildren(
        table(
          "Freshness of each view",
          ["View", "State", "Refreshed", "Covers until", "Took", "Newer events, joined live", "Schedule"],
          views.map((view) => [
            words(view.view_name),
            view.outcome,
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
      summary.textContent = "How fresh the numbers are could not be read";
    }
  }
}

function sentence(views: readonly Freshness[], zone: string): string {
  const now = clock(new Date().toISOString(), zone);
  const failed = views.filter(({ outcome }) => outcome === "failed").length;
  const refreshed = views.filter(({ refreshed_at }) => refreshed_at !== null);
  const oldest = Math.max(0, ...refreshed.map(({ age_seconds }) => age_seconds ?? 0));
  const tail = Math.max(0, ...views.map(({ tail_events }) => tail_events ?? 0));
  const trouble = failed > 0
    ? ` ${failed} ${failed === 1 ? "view" : "views"} could not be refreshed; the live tail covers for them.`
    : "";
  const joined = `${count(tail)} ${tail === 1 ? "event" : "events"}`;
  if (refreshed.length === 0) return `Current as of ${now}: no view was refreshed yet, so all ${joined} are read live.`;
  return `Current as of ${now}: views refreshed at most ${
    duration(oldest)
  } ago, and ${joined} newer than that joined live.${trouble}`;
}

function when(instant: string | null, zone: string): string {
  return instant === null ? "never" : dateTime(instant, zone);
}
