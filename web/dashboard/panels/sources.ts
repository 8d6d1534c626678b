/** What visits came by and where they began: campaigns, pages, referrers and devices, each the most visited first. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf } from "../address.ts";
import { withTable } from "../charts/frame.ts";
import { count, duration, percent } from "../format.ts";
import type { Campaign, FunnelChoice, VisitGroup } from "../kpi.ts";
import { choice, type Spec } from "../panel.ts";
import { t } from "../texts.ts";

const SHOWN = 8;

/** A row of a ranking: what it is of, how many visits, and what is said beside it. */
interface Ranked {
  readonly name: string;
  readonly visits: number;
  readonly beside: string;
  /** The words of the address where its events are listed. */
  readonly see?: Readonly<Record<string, string>>;
}
type Page = VisitGroup & { readonly page: string | null };
type Referrer = VisitGroup & { readonly referrer: string | null };
type Device = VisitGroup & { readonly device: string | null };

const NONE = t("not named");

export function pagesPanel(): Spec<readonly Page[]> {
  let by = (): "entry" | "exit" => "entry";
  return {
    id: "pages",
    title: t("Pages"),
    note: t("Where visits began, or where they ended."),
    reload: true,
    tools: (redraw) => {
      const chosen = choice("pages-by", t("Which page"), { entry: t("First"), exit: t("Last") }, redraw);
      by = () => chosen.value() as "entry" | "exit";
      return chosen.element;
    },
    load: ({ kpi, filters: { range, narrowed } }) => kpi.pages(range, by(), narrowed),
    empty,
    render: (rows) => groups(t("Pages"), t("Page"), rows, ({ page }) => page, (page) => ({ view: "explore", page })),
  };
}

export const referrersPanel: Spec<readonly Referrer[]> = {
  id: "referrers",
  title: t("Referrers"),
  note: t("What kind of place visits came from. The address itself is not kept."),
  load: ({ kpi, filters: { range, narrowed } }) => kpi.referrers(range, narrowed),
  empty,
  render: (rows) => groups(t("Referrers"), t("Referrer"), rows, ({ referrer }) => referrer),
};

export const devicesPanel: Spec<readonly Device[]> = {
  id: "devices",
  title: t("Devices"),
  note: t("What kind of device visits were made with."),
  load: ({ kpi, filters: { range, narrowed } }) => kpi.devices(range, narrowed),
  empty,
  render: (rows) => groups(t("Devices"), t("Device"), rows, ({ device }) => device),
};

interface Campaigns {
  readonly rows: readonly Campaign[];
  /** What a conversion is: the last step of the site's first funnel. */
  readonly goal: FunnelChoice | undefined;
}

export function campaignsPanel(): Spec<Campaigns> {
  let by = (): "first" | "last" => "last";
  return {
    id: "campaigns",
    title: t("Campaigns"),
    note: t("Whose visits each brought, and in how many of them somebody took the last step of the funnel."),
    reload: true,
    tools: (redraw) => {
      const chosen = choice(
        "campaigns-by",
        t("Credited to"),
        { last: t("Last touch"), first: t("First touch") },
        redraw,
      );
      by = () => chosen.value() as "first" | "last";
      return chosen.element;
    },
    load: async ({ kpi, filters: { range, narrowed } }) => {
      const funnels = await kpi.funnels();
      const goal = funnels.filter(({ funnel }) => funnel === funnels[0]?.funnel).at(-1);
      return { rows: goal ? await kpi.campaigns(range, by(), goal.funnel, narrowed) : [], goal };
    },
    empty: ({ rows, goal }) =>
      goal === undefined ? t("No funnel is set up, so nothing counts as a conversion.") : empty(rows),
    render: ({ rows, goal }) =>
      el(
        "div",
        {},
        withTable(
          ranking(rows.map((row) => ({
            name: campaignName(row),
            visits: row.visits,
            beside: `${percent(row.conversion_rate)} ${goal?.step.toLowerCase() ?? ""}`,
            ...(row.campaign === null ? {} : { see: { view: "explore", campaign: row.campaign } }),
          }))),
          t("Campaigns"),
          [
            t("Campaign"),
            t("Source"),
            t("Medium"),
            t("Content"),
            t("Term"),
            t("Visits"),
            t("People"),
            t("Conversions"),
            t("Rate"),
          ],
          rows.map((row) => [
            row.campaign ?? t("none"),
            row.source ?? "",
            row.medium ?? "",
            row.content ?? "",
            row.term ?? "",
            count(row.visits),
            count(row.people),
            count(row.conversions),
            percent(row.conversion_rate),
          ]),
        ),
        more(rows.length),
      ),
  };
}

function campaignName({ campaign, source, medium, content, term }: Campaign): string {
  if (source === null && campaign === null) return t("no campaign");
  return [campaign, [source, medium].filter(Boolean).join(" / "), content, term].filter(Boolean).join(", ");
}

function empty(rows: readonly unknown[]): string | undefined {
  return rows.length > 0 ? undefined : t("Nobody visited in this range.");
}

function groups<T extends VisitGroup>(
  caption: string,
  head: string,
  rows: readonly T[],
  name: (row: T) => string | null,
  see?: (name: string) => Readonly<Record<string, string>>,
): HTMLElement {
  return el(
    "div",
    {},
    withTable(
      ranking(rows.map((row) => {
        const known = name(row);
        return {
          name: known ?? NONE,
          visits: row.visits,
          beside: t("{rate} bounce, {time}", { rate: percent(row.bounce_rate), time: duration(row.average_seconds) }),
          ...(known === null || see === undefined ? {} : { see: see(known) }),
        };
      })),
      caption,
      [head, t("Visits"), t("People"), t("Bounces"), t("Bounce rate"), t("Mean length")],
      rows.map((row) => [
        name(row) ?? NONE,
        count(row.visits),
        count(row.people),
        count(row.bounces),
        percent(row.bounce_rate),
        duration(row.average_seconds),
      ]),
    ),
    more(rows.length),
  );
}

/** Bars that are text: each says its number, and opens the events behind it. */
function ranking(rows: readonly Ranked[]): HTMLElement {
  const most = Math.max(1, ...rows.map(({ visits }) => visits));
  return el(
    "ol",
    { class: "ranking" },
    rows.slice(0, SHOWN).map(({ name, visits, beside, see }) => {
      const bar = el("i", { "aria-hidden": "true" });
      bar.style.inlineSize = `${(visits / most) * 100}%`;
      return el(
        "li",
        {},
        bar,
        see
          ? el("a", {
            href: addressOf(see),
            "data-view": "explore",
            onclick: (event) => (event.currentTarget as HTMLAnchorElement).href = addressOf(see),
          }, name)
          : el("span", {}, name),
        el("span", { class: "quiet small" }, beside),
        el("strong", {}, count(visits)),
      );
    }),
  );
}

function more(rows: number): Child {
  return rows > SHOWN &&
    el(
      "p",
      { class: "quiet small" },
      t("The {shown} most visited of {all}; the table has them all.", { shown: SHOWN, all: rows }),
    );
}
