/** The views of one site. Each is loaded when somebody first goes there. */
import type { Client } from "./client.ts";
import { byId, el } from "../shared/dom.ts";
import { ADDRESS_CHANGED, addressOf, asked, followLinks } from "./address.ts";
import { flag, text } from "./decode.ts";
import { read, rows, type Site } from "./kpi.ts";
import { explain } from "./panel.ts";
import { t } from "./texts.ts";

/** Where a view is drawn, and for whom. */
export interface Place {
  readonly main: HTMLElement;
  readonly client: Client;
  readonly site: string;
  /** Whether this member may change things: owners may. */
  readonly owner: boolean;
  /** Aborted when the reader leaves the view. */
  readonly signal: AbortSignal;
}
const firing = { state: text, active: flag };
type Show = (place: Place) => void | Promise<void>;

const VIEWS: Readonly<Record<string, { readonly title: string; readonly load: () => Promise<{ show: Show }> }>> = {
  figures: { title: t("Figures"), load: () => import("./board.ts") },
  explore: { title: t("Events"), load: () => import("./views/explore.ts") },
  refusals: { title: t("Refusals"), load: () => import("./views/refusals.ts") },
  rules: { title: t("Rules"), load: () => import("./views/rules.ts") },
  registry: { title: t("Registry"), load: () => import("./views/registry.ts") },
  lifecycles: { title: t("Lifecycles"), load: () => import("./views/lifecycles.ts") },
  alerts: { title: t("Alerts"), load: () => import("./views/alerts.ts") },
};

let place: Omit<Place, "signal"> | undefined;
let fires = 0;
let leaving: (() => void) | undefined;

followLinks();
addEventListener("popstate", () => void show());
// The range that a view is changed to goes along to the next one.
addEventListener(ADDRESS_CHANGED, () => place && drawLinks(place.main.dataset["view"] ?? ""));

/** Says beside the link to the alerts that some fire, wherever the reader is. */
async function markAlerts({ client, site }: Omit<Place, "signal">): Promise<void> {
  try {
    const alerts = rows(await read(client, "audience_alert_list", { site }), "audience_alert_list", firing);
    if (place?.site !== site) return;
    fires = alerts.filter(({ state, active }) => active && state === "fired").length;
    drawLinks(place.main.dataset["view"] ?? "");
  } catch (error) {
    console.error(error);
  }
}

export function open(main: HTMLElement, client: Client, { id, role }: Site): Promise<void> {
  place = { main, client, site: id, owner: role === "owner" };
  fires = 0;
  void markAlerts(place);
  offerSaved();
  return show();
}

/** The saved views of the site, which are read when somebody looks for them. */
function offerSaved(): void {
  const saved = byId<HTMLDetailsElement>("saved");
  saved.hidden = false;
  saved.open = false;
  saved.ontoggle = () => {
    const now = place;
    if (saved.open && now) void import("./saved.ts").then(({ savedViews }) => savedViews(saved, now));
  };
}

/** Whoever signs out leaves no view behind. */
export function close(): void {
  leaving?.();
  place = undefined;
  byId("views").replaceChildren();
}

async function show(): Promise<void> {
  if (!place) return;
  const now = place;
  const wanted = asked("view");
  const name = wanted in VIEWS ? wanted : "figures";
  const view = VIEWS[name];
  if (!view) return;
  const moved = now.main.dataset["view"] !== undefined && now.main.dataset["view"] !== name;
  leaving?.();
  const gone = new AbortController();
  leaving = () => gone.abort();
  now.main.dataset["view"] = name;
  delete now.main.dataset["loaded"];
  document.title = `${view.title}: audience-gate`;
  drawLinks(name);
  try {
    const module = await view.load();
    if (gone.signal.aborted) return;
    await module.show({ ...now, signal: gone.signal });
    if (moved && !gone.signal.aborted) now.main.focus();
  } catch (error) {
    console.error(error);
    if (gone.signal.aborted) return;
    now.main.replaceChildren(
      el(
        "div",
        { class: "page-note" },
        el("h1", {}, t("{view} could not be shown", { view: view.title })),
        el("p", {}, explain(error)),
      ),
    );
  }
}

function drawLinks(current: string): void {
  const links = byId("views");
  links.replaceChildren(
    ...Object.entries(VIEWS).map(([name, { title }]) =>
      el(
        "a",
        {
          href: addressOf({ view: name === "figures" ? "" : name }),
          "data-view": name,
          "aria-current": name === current ? "page" : null,
          "data-fires": name === "alerts" && fires > 0,
        },
        title,
        name === "alerts" && fires > 0 &&
          el("span", { class: "visually-hidden" }, t(", {count} firing", { count: fires })),
      )
    ),
  );
  // Where the row is longer than the screen, it stands at the view that is shown.
  const shown = links.querySelector<HTMLElement>("[aria-current]");
  if (shown && links.scrollWidth > links.clientWidth) {
    links.scrollLeft = shown.offsetLeft - links.offsetLeft - (links.clientWidth - shown.offsetWidth) / 2;
  }
}
