/** The board of one site: the panels in reading order, refreshed while the page is visible. */
import { el } from "../shared/dom.ts";
import { filterBar } from "./filters.ts";
import { freshnessNote } from "./freshness.ts";
import { kpi } from "./kpi.ts";
import { type Panel, panel } from "./panel.ts";
import { adoptionPanel } from "./panels/adoption.ts";
import { engagementPanel } from "./panels/engagement.ts";
import { errorsPanel } from "./panels/errors.ts";
import { funnelPanel } from "./panels/funnel.ts";
import { latencyPanel } from "./panels/latency.ts";
import { livePanel } from "./panels/live.ts";
import { overviewPanel } from "./panels/overview.ts";
import { qualityPanel, refusalsPanel } from "./panels/refusals.ts";
import { retentionPanel } from "./panels/retention.ts";
import { campaignsPanel, devicesPanel, pagesPanel, referrersPanel } from "./panels/sources.ts";
import { dwellPanel, flowPanel, statesPanel } from "./panels/states.ts";
import { visitsPanel } from "./panels/visits.ts";
import type { Place } from "./views.ts";
import { isWatched, onReturn } from "./watched.ts";
import { t } from "./texts.ts";

const EVERY = 60_000;

export function show({ main, client, site, signal }: Place): void {
  const api = kpi(client, site);
  const live = livePanel(signal);
  const freshness = freshnessNote(api);
  const groups: readonly { readonly title: string; readonly panels: readonly Panel[] }[] = [
    { title: t("Now"), panels: [panel(overviewPanel), panel(engagementPanel()), live] },
    {
      title: t("Traffic"),
      panels: [
        panel(visitsPanel()),
        panel(campaignsPanel()),
        panel(pagesPanel()),
        panel(referrersPanel),
        panel(devicesPanel),
      ],
    },
    { title: t("Use"), panels: [panel(adoptionPanel), panel(funnelPanel())] },
    { title: t("Return"), panels: [panel(retentionPanel())] },
    { title: t("States"), panels: [panel(flowPanel), panel(dwellPanel), panel(statesPanel)] },
    {
      title: t("Quality"),
      panels: [panel(qualityPanel), panel(refusalsPanel), panel(errorsPanel), panel(latencyPanel())],
    },
  ];

  main.replaceChildren(
    el("h1", { class: "visually-hidden" }, t("Dashboard")),
    el("div", { id: "filters", class: "filters", role: "group", "aria-label": t("What to show") }),
    freshness.element,
    ...groups.map(({ title, panels }) =>
      el(
        "section",
        { class: "group", "aria-label": title },
        el("h2", { class: "group-title" }, title),
        el("div", { class: "panels" }, panels.map(({ element }) => element)),
      )
    ),
  );
  const filters = filterBar(() => void refresh());
  const slow = groups.flatMap(({ panels }) => panels).filter((one) => one !== live);
  let refreshed = 0;
  void refresh();
  const again = (): void => {
    if (isWatched() && Date.now() - refreshed >= EVERY) void refresh();
  };
  const timer = setInterval(again, EVERY);
  signal.addEventListener("abort", () => clearInterval(timer));
  onReturn(again, signal);

  async function refresh(): Promise<void> {
    refreshed = Date.now();
    const context = { kpi: api, filters: filters.read() };
    void live.refresh(context);
    await Promise.all([...slow.map((one) => one.refresh(context)), freshness.refresh(context.filters)]);
    if (!signal.aborted) main.dataset["loaded"] = site;
  }
}
