/** What the site accepts and who may do what with it, in the hands of its owners: all parts of it, loaded together. */
import { el } from "../../shared/dom.ts";
import { addressOf, asked } from "../address.ts";
import { filterBar } from "../filters.ts";
import { type RegistryApi, registryApi } from "../registry_api.ts";
import type { Place } from "../views.ts";
import { part as changes } from "./changes.ts";
import { part as types } from "./event_types.ts";
import { part as funnels } from "./funnels.ts";
import { part as jobs } from "./jobs.ts";
import { frame, loaded } from "./parts.ts";
import { part as site } from "./site.ts";
import { part as states } from "./states.ts";
import { part as wall } from "./wall_links.ts";
import { t } from "../texts.ts";

/** What a part of the registry is drawn with. */
export interface Around {
  readonly place: Place;
  readonly api: RegistryApi;
  readonly zone: string;
  /** The reader's own id. */
  readonly me: string;
  /** Whether the reader may change what all sites share. */
  readonly editor: boolean;
  /** Draws everything anew, and says what was done. */
  readonly done: (what: string) => Promise<void>;
}
type Part = (around: Around) => Promise<HTMLElement>;

const PARTS: Readonly<Record<string, { readonly title: string; readonly part: Part }>> = {
  types: { title: t("Event types"), part: types },
  states: { title: t("States"), part: states },
  funnels: { title: t("Funnels"), part: funnels },
  site: { title: t("Site and members"), part: site },
  jobs: { title: t("Schedules"), part: jobs },
  wall: { title: t("Screens"), part: wall },
  changes: { title: t("History"), part: changes },
};

export function show(place: Place): Promise<void> {
  const api = registryApi(place.client, place.site);
  const wanted = asked("part");
  const name = wanted in PARTS ? wanted : "types";
  const body = el("div", { class: "view-body" });
  const told = el("p", { class: "told", role: "status", tabindex: -1 });
  frame(
    place.main,
    t("Registry"),
    t("What is accepted, from where, and who may do what. Every change is kept, with who made it, and can be taken back."),
    el(
      "nav",
      { class: "trail", "aria-label": t("Parts of the registry") },
      Object.entries(PARTS).map(([key, { title }]) =>
        el("a", {
          href: addressOf({ view: "registry", part: key === "types" ? "" : key }),
          "data-view": "registry",
          "aria-current": key === name ? "page" : null,
        }, title)
      ),
    ),
    told,
    body,
  );
  const filters = filterBar(() => void draw(), { tiers: false, ranges: false });
  return draw();

  async function draw(): Promise<void> {
    const { range: { zone } } = filters.read();
    await loaded(
      body,
      async () => {
        const [editor, me] = await Promise.all([api.mayEdit(), api.me()]);
        return PARTS[name]?.part({ place, api, zone, me, editor, done });
      },
      (drawn) => drawn,
    );
    if (!place.signal.aborted) place.main.dataset["loaded"] = place.site;
  }

  async function done(what: string): Promise<void> {
    await draw();
    told.textContent = what;
    told.focus();
  }
}
