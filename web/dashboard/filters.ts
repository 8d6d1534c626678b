/** What the reader chose to look at. It is kept in the address, so that a view can be saved and sent. */
import { byId, el } from "../shared/dom.ts";
import { keep } from "./address.ts";
import { TIERS } from "./charts/frame.ts";
import type { Kpi, Narrowed, Range } from "./kpi.ts";
import { narrowed, narrowing } from "./narrowing.ts";
import { days, localDay } from "./periods.ts";
import { t } from "./texts.ts";

export interface Filters {
  readonly range: Range;
  readonly tier: string;
  readonly narrowed: Narrowed;
}

const PRESETS = {
  "1": t("Today"),
  "7": t("7 days"),
  "28": t("28 days"),
  "84": t("12 weeks"),
  "364": t("Year"),
} as const;
const DEFAULT = "28";
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DAY = 86_400_000;

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
  const dates = el("div", { class: "dates" }, labelled(t("From"), from), labelled(t("Until"), to));
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
    ...(api ? [narrowing(api, range, onchange)] : []),
  );
  showDates();
  bar.addEventListener("change", () => {
    showDates();
    if (preset() === "custom" && !(from.value !== "" && to.value !== "" && from.value <= to.value)) return;
    note();
    onchange();
  });

  return { read };

  function read(): Filters {
    return { range: range(), tier: tier.value, narrowed: api ? narrowed() : {} };
  }

  function preset(): string {
    return bar.querySelector<HTMLInputElement>("input[name=days]:checked")?.value ?? DEFAULT;
  }

  function range(): Range {
    const today = localDay(new Date(), zone.value);
    if (preset() === "custom") {
      return { from: midnight(from.value, zone.value), to: midnight(shift(to.value, 1), zone.value), zone: zone.value };
    }
    return {
      from: midnight(shift(today, 1 - Number(preset())), zone.value),
      to: midnight(shift(today, 1), zone.value),
      zone: zone.value,
    };
  }

  function showDates(): void {
    dates.hidden = preset() !== "custom";
    if (dates.hidden || from.value !== "") return;
    to.value = localDay(new Date(), zone.value);
    from.value = shift(to.value, -27);
  }

  function note(): void {
    if (!ranges) return keep({ zone: zone.value === "UTC" ? "" : zone.value });
    const isCustom = preset() === "custom";
    keep({
      days: isCustom || preset() === DEFAULT ? "" : preset(),
      from: isCustom ? from.value : "",
      to: isCustom ? to.value : "",
      tier: tier.value === "all" ? "" : tier.value,
      zone: zone.value === "UTC" ? "" : zone.value,
    });
  }
}

/** As many days just before, for comparison; where a clock was changed they are not as long. */
export function before(range: Range): Range {
  const { from, zone } = range;
  return { ...range, from: midnight(shift(localDay(from, zone), -days(range)), zone), to: from };
}

/**
 * When a calendar day begins in a zone: the difference of the two readings is the zone's distance from UTC then. Where the clock
 * was put forward at midnight, the day has none, and begins when it was.
 */
export function midnight(day: string, zone: string): Date {
  const guess = Date.parse(`${day}T00:00:00Z`);
  const once = new Date(guess - offset(guess, zone));
  const twice = new Date(guess - offset(once.getTime(), zone));
  return localDay(twice, zone) < day ? once : twice;
}

function offset(instant: number, zone: string): number {
  return Date.parse(`${new Date(instant).toLocaleString("sv-SE", { timeZone: zone }).replace(" ", "T")}Z`) -
    Math.floor(instant / 1000) * 1000;
}

function shift(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY).toISOString().slice(0, 10);
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

function labelled(name: string, control: HTMLInputElement | HTMLSelectElement): HTMLElement {
  return el("div", { class: "inline-field" }, el("label", { for: control.id }, name), control);
}
