/** The board of one site: the panels in reading order, each refreshed while somebody sees it. */
import { byId, el } from "../shared/dom.ts";
import { filterBar } from "./filters.ts";
import { freshnessNote } from "./freshness.ts";
import { kpi } from "./kpi.ts";
import { type Context, type Panel, panel } from "./panel.ts";
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
import { releaseMarks } from "./releases.ts";
import type { Place } from "./views.ts";
import { isWatched, onReturn } from "./watched.ts";
import { t } from "./texts.ts";

/** So often the board is read again: by itself, and where the project says itself when there is something new. */
const EVERY = 60_000;
const EVERY_TOLD = 15 * 60_000;
/** So many panels that are not on the screen ask at a time, so that they are not in the way of those that are. */
const AT_A_TIME = 3;

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
  const filters = filterBar(() => {
    live.narrow(context());
    void refresh();
  }, { api });
  const releases = releaseMarks(main, api, signal);
  byId("filters").append(releases.element);
  const slow = groups.flatMap(({ panels }) => panels).filter((one) => one !== live);
  const seen = new Set<Panel>();
  const stale = new Set<Panel>();
  const watcher = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      const one = slow.find(({ element }) => element === target);
      if (!one) continue;
      if (!isIntersecting) seen.delete(one);
      else if (seen.add(one) && stale.delete(one)) void one.refresh(context());
    }
  });
  for (const { element } of slow) watcher.observe(element);
  let refreshed = 0;
  let told = false;
  let turns = 0;
  void live.refresh(context());
  const first = refresh();
  const again = (): void => {
    if (isWatched() && Date.now() - refreshed >= (told ? EVERY_TOLD : EVERY)) renew();
  };
  const timer = setInterval(again, EVERY);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    watcher.disconnect();
  });
  onReturn(again, signal);
  void first.then(async () => {
    const { listen } = await import("./push.ts");
    if (!signal.aborted) listen(client, site, { listening, changed: renew }, signal);
  });

  function context(): Context {
    return { kpi: api, filters: filters.read() };
  }

  /** Everything, what is on the screen first. */
  async function refresh(): Promise<void> {
    refreshed = Date.now();
    stale.clear();
    const now = context();
    const turn = ++turns;
    for (const one of slow) one.overtake();
    releases.overtake(now.filters.range);
    const here = slow.filter(({ element }) => onScreen(element));
    const rest = slow.filter((one) => !here.includes(one));
    await Promise.all(here.map((one) => one.refresh(now)));
    const lane = async (): Promise<void> => {
      while (turn === turns && !signal.aborted) {
        const one = rest.shift();
        if (!one) return;
        await one.refresh(now);
      }
    };
    await Promise.all([
      releases.refresh(now.filters.range),
      freshness.refresh(now.filters),
      ...Array.from({ length: AT_A_TIME }, lane),
    ]);
    if (turn === turns && !signal.aborted) main.dataset["loaded"] = site;
  }

  /** What is on the screen, now; the rest, when it comes there. */
  function renew(): void {
    refreshed = Date.now();
    const now = context();
    void live.refresh(now);
    void freshness.refresh(now.filters);
    void releases.refresh(now.filters.range);
    for (const one of slow) {
      if (seen.has(one)) void one.refresh(now);
      else stale.add(one);
    }
  }

  function listening(yes: boolean): void {
    told = yes;
    live.listening(yes);
    main.dataset["told"] = String(yes);
  }
}

function onScreen(element: Element): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}
