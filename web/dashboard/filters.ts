/** What the reader chose to look at. It is kept in the address, so that a view can be saved and sent. */
import { byId, el } from "../shared/dom.ts";
import { keep } from "./address.ts";
import { TIERS } from "./charts/frame.ts";
import type { Kpi, Narrowed, Range } from "./kpi.ts";
import { narrowed, narrowing } from "./narrowing.ts";
import { days, localDay, localTime, moment, plusDays } from "./periods.ts";
import { t } from "./texts.ts";

export interface Filters {
  readonly range: Range;
  readonly tier: string;
  /** Of a range that is not of whole days, too. */
  readonly narrowed: Narrowed;
  readonly compare: keyof typeof COMPARISONS;
}

export const COMPARISONS = {
  before: t("The days before"),
  week: t("The same weekdays before"),
  year: t("A year before"),
  none: t("Nothing"),
} as const;

const PRESETS = {
  "1": t("Today"),
  "7": t("7 days"),
  "28": t("28 days"),
  "84": t("12 weeks"),
  "364": t("Year"),
} as const;
const DEFAULT = "28";
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const QUARTER = 900_000;

/** `tiers` and `ranges`: whether what is shown can be of one tier, and of a range; `api`: what figures can be narrowed with. */
export function filterBar(
  onchange: () => void,
  { tiers = true, ranges = true, api }: { tiers?: boolean; ranges?: boolean; api?: Kpi } = {},
): { readonly read: () => Filters } {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const address = new URLSearchParams(location.search);
  const given = { from: dateIn(address, "from"), to: dateIn(address, "to") };
  const custom = given.from !== "" && given.to !== "" && given.from <= given.to;
  const wanted = address.get("days") ?? DEFAULT;
  const chosen = custom ? "custom" : wanted in PRESETS ? wanted : DEFAULT;

  const presets = [...Object.entries(PRESETS), ["custom", t("Dates")] as const].map(([value, name]) =>
    el(
      "label",
      {},
      el("input", { type: "radio", name: "days", value, checked: value === chosen }),
      el("span", {}, name),
    )
  );
  const from = el("input", { type: "date", id: "from", value: given.from });
  const to = el("input", { type: "date", id: "to", value: given.to });
  const [since, until] = ([["since", t("From what time")], ["until", t("Until what time")]] as const).map((
    [id, name],
  ) => el("input", { type: "time", id, step: 900, value: timeIn(address, id), "aria-label": name })) as [
    HTMLInputElement,
    HTMLInputElement,
  ];
  const dates = el("div", { class: "dates" }, labelled(t("From"), from, since), labelled(t("Until"), to, until));
  const wished = address.get("compare") ?? "before";
  const compare = el(
    "select",
    { id: "compare" },
    Object.entries(COMPARISONS).map(([value, name]) => el("option", { value, selected: wished === value }, name)),
  );
  const tier = el(
    "select",
    { id: "tier" },
    el("option", { value: "all" }, t("All tiers")),
    TIERS.map((name) => el("option", { value: name, selected: address.get("tier") === name }, name)),
  );
  const sent = address.get("zone") ?? "UTC";
  const zones = [...new Set(["UTC", own, ...(isZone(sent) ? [sent] : [])])];
  const zone = el(
    "select",
    { id: "zone" },
    zones.map((name) => el("option", { value: name, selected: sent === name }, name)),
  );

  const bar = byId("filters");
  bar.replaceChildren(
    ...(ranges
      ? [
        el("fieldset", { class: "segments" }, el("legend", { class: "visually-hidden" }, t("Range")), presets),
        dates,
      ]
      : []),
    ...(tiers ? [labelled(t("Tier"), tier)] : []),
    labelled(t("Days end at midnight in"), zone),
    ...(api ? [labelled(t("Compared with"), compare), narrowing(api, range, onchange)] : []),
  );
  showDates();
  bar.addEventListener("change", () => {
    showDates();
    if (preset() === "custom" && !(from.value !== "" && to.value !== "" && range().from < range().to)) return;
    note();
    onchange();
  });

  return { read };

  function read(): Filters {
    return {
      range: range(),
      tier: tier.value,
      narrowed: api ? { ...narrowed(), ...(hours() && { exact: true }) } : {},
      compare: compare.value as keyof typeof COMPARISONS,
    };
  }

  function preset(): string {
    return bar.querySelector<HTMLInputElement>("input[name=days]:checked")?.value ?? DEFAULT;
  }

  function range(): Range {
    const today = localDay(new Date(), zone.value);
    if (preset() === "custom") {
      return {
        from: moment(from.value, since.value || "00:00", zone.value),
        to: until.value === "" ? midnight(plusDays(to.value, 1)) : moment(to.value, until.value, zone.value),
        zone: zone.value,
      };
    }
    return {
      from: midnight(plusDays(today, 1 - Number(preset()))),
      to: midnight(plusDays(today, 1)),
      zone: zone.value,
    };
  }

  function midnight(day: string): Date {
    return moment(day, "00:00", zone.value);
  }

  /** Whether the range begins or ends within a day. */
  function hours(): boolean {
    return preset() === "custom" && `${since.value}${until.value}` !== "";
  }

  function showDates(): void {
    dates.hidden = preset() !== "custom";
    if (dates.hidden || from.value !== "") return;
    to.value = localDay(new Date(), zone.value);
    from.value = plusDays(to.value, -27);
  }

  function note(): void {
    if (!ranges) return keep({ zone: zone.value === "UTC" ? "" : zone.value });
    const isCustom = preset() === "custom";
    keep({
      days: isCustom || preset() === DEFAULT ? "" : preset(),
      from: isCustom ? from.value : "",
      to: isCustom ? to.value : "",
      since: isCustom ? since.value : "",
      until: isCustom ? until.value : "",
      ...(api && { compare: compare.value === "before" ? "" : compare.value }),
      tier: tier.value === "all" ? "" : tier.value,
      zone: zone.value === "UTC" ? "" : zone.value,
    });
  }
}

/**
 * What the figures are compared with, if anything: as many days, just before or so much earlier. Of a range that goes on, as
 * much of them as has gone by, to the nearest quarter of an hour.
 */
export function comparedWith(
  { range, narrowed, compare }: Filters,
  now = new Date(),
): Pick<Filters, "range" | "narrowed"> | undefined {
  if (compare === "none") return undefined;
  const { from, to, zone } = range;
  const goesOn = from <= now && now < to;
  const earlier = (instant: Date): Date => {
    const day = localDay(instant, zone);
    const length = days(range);
    const then = compare === "year"
      ? `${Number(day.slice(0, 4)) - 1}${day.slice(4).replace("-02-29", "-02-28")}`
      : plusDays(day, -(compare === "week" ? 7 * Math.ceil(length / 7) : length));
    return moment(then, localTime(instant, zone), zone);
  };
  const until = goesOn
    ? new Date(Math.max(from.getTime() + QUARTER, Math.round(now.getTime() / QUARTER) * QUARTER))
    : to;
  return {
    range: { from: earlier(from), to: earlier(until), zone },
    narrowed: goesOn ? { ...narrowed, exact: true } : narrowed,
  };
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function dateIn(address: URLSearchParams, name: string): string {
  const value = address.get(name) ?? "";
  return DATE.test(value) && !Number.isNaN(Date.parse(value)) ? value : "";
}

function timeIn(address: URLSearchParams, name: string): string {
  const value = address.get(name) ?? "";
  return TIME.test(value) ? value : "";
}

function labelled(name: string, control: HTMLInputElement | HTMLSelectElement, beside?: HTMLInputElement): HTMLElement {
  return el("div", { class: "inline-field" }, el("label", { for: control.id }, name), control, beside);
}
