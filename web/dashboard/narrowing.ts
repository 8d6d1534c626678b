/** Which visits the figures are of: what the reader narrowed them to, kept in the address, and which panel follows what. */
import { el } from "../shared/dom.ts";
import { asked, keep } from "./address.ts";
import type { Filters } from "./filters.ts";
import type { Kpi, Narrowed, Range } from "./kpi.ts";
import { t } from "./texts.ts";

/** What can be narrowed by, each a word of the address. */
const NAMES = {
  campaign: t("Campaign"),
  utm_source: t("Source"),
  utm_medium: t("Medium"),
  referrer: t("Referrer"),
  page: t("First page"),
  device: t("Device"),
  type: t("Event type"),
} as const;
type Name = keyof typeof NAMES;
const WORDS = Object.keys(NAMES) as readonly Name[];
/** What the database calls them. */
const KEYS = {
  campaign: "campaign",
  utm_source: "source",
  utm_medium: "medium",
  referrer: "referrer",
  page: "entry_page",
  device: "device",
  type: "event_type",
} as const;

/** Which panel follows what; one that is not named here follows nothing. The last minutes are of no range. */
const ALL = [...WORDS, "hours"];
const FOLLOWS: Readonly<Record<string, readonly string[]>> = {
  overview: ALL,
  engagement: [...ALL, "tier"],
  adoption: [...ALL, "tier"],
  visits: ALL,
  campaigns: ALL,
  pages: ALL,
  referrers: ALL,
  devices: ALL,
  live: ["tier", "hours"],
};

export function narrowed(): Narrowed {
  return Object.fromEntries(WORDS.filter((name) => asked(name) !== "").map((name) => [KEYS[name], asked(name)]));
}

/** What a panel says of that which it cannot follow. */
export function unfollowed(panel: string, { tier, narrowed }: Filters): string {
  const follows = FOLLOWS[panel] ?? [];
  const names = [
    ...WORDS.filter((name) => asked(name) !== "" && !follows.includes(name)).map((name) => NAMES[name]),
    ...(tier !== "all" && !follows.includes("tier") ? [t("Tier")] : []),
    ...("exact" in narrowed && !follows.includes("hours") ? [t("Hours")] : []),
  ];
  return names.length === 0 ? "" : t("Not narrowed by: {filters}", { filters: names.join(", ") });
}

/** Chips of what is chosen, and a field to choose more from what the range has. */
export function narrowing(api: Kpi, range: () => Range, onchange: () => void): HTMLElement {
  const which = el(
    "select",
    { id: "narrow-by", "aria-label": t("Narrow by"), onchange: () => void offer() },
    WORDS.map((name) => el("option", { value: name }, NAMES[name])),
  );
  const list = el("datalist", { id: "narrow-choices" });
  const field = el("input", {
    id: "narrow-to",
    list: list.id,
    maxlength: 200,
    autocomplete: "off",
    "aria-label": t("Narrow to"),
    onfocus: () => void offer(),
  });
  const chips = el("ul", { class: "plain chips", "aria-label": t("Narrowed to") });
  draw();
  return el(
    "form",
    {
      class: "narrowing",
      onsubmit: (event) => {
        event.preventDefault();
        const value = field.value.trim();
        if (value !== "") choose(which.value as Name, value);
      },
      // What is typed here is chosen when it is sent, and is no change of the other filters.
      onchange: (event) => event.stopPropagation(),
    },
    which,
    field,
    list,
    el("button", { class: "button small", type: "submit" }, t("Narrow")),
    chips,
  );

  function choose(name: Name, value: string): void {
    keep({ [name]: value });
    field.value = "";
    draw();
    onchange();
  }

  function draw(): void {
    chips.replaceChildren(
      ...WORDS.filter((name) => asked(name) !== "").map((name) =>
        el(
          "li",
          {},
          el("button", {
            class: "button small",
            type: "button",
            "data-narrowed": name,
            "aria-label": t("No longer narrow by {name}: {value}", { name: NAMES[name], value: asked(name) }),
            onclick: () => {
              choose(name, "");
              field.focus();
            },
          }, `${NAMES[name]}: ${asked(name)} ×`),
        )
      ),
    );
    chips.hidden = chips.childElementCount === 0;
  }

  /** What the range has, the most frequent first. */
  async function offer(): Promise<void> {
    const name = which.value as Name;
    const values = await choices(name).catch((error: unknown) => {
      console.error(error);
      return [];
    });
    if (name !== which.value) return;
    const known = new Set(values.filter((value) => value !== null && value !== ""));
    list.replaceChildren(...[...known].map((value) => el("option", { value })));
  }

  async function choices(name: Name): Promise<readonly (string | null)[]> {
    const now = range();
    if (name === "page") return (await api.pages(now, "entry")).map(({ page }) => page);
    if (name === "device") return (await api.devices(now)).map(({ device }) => device);
    if (name === "type") return (await api.adoption(now)).map(({ event_type }) => event_type);
    if (name === "referrer") return (await api.referrers(now)).map(({ referrer }) => referrer);
    const [funnel] = await api.funnels();
    const campaigns = funnel ? await api.campaigns(now, "last", funnel.funnel) : [];
    return campaigns.map((one) => one[KEYS[name]]);
  }
}
