/** The numbers that one looks at first, each compared with those of an earlier time. */
import { el } from "../../shared/dom.ts";
import { comparedWith } from "../filters.ts";
import { count, duration, percent, short, span } from "../format.ts";
import type { Overview, Quality } from "../kpi.ts";
import type { Spec } from "../panel.ts";
import { rich, t } from "../texts.ts";

interface Data {
  readonly now: Overview | undefined;
  readonly then: Overview | undefined;
  /** When that was. */
  readonly compared: string;
  /** By time of receipt, every event counted: what the gate itself says about the range. */
  readonly passage: Quality | undefined;
}

export const overviewPanel: Spec<Data> = {
  id: "overview",
  title: t("At a glance"),
  note: t("A visitor who signs in is one person with the user."),
  see: { view: "explore" },
  load: async ({ kpi, filters }) => {
    const { range, narrowed } = filters;
    const earlier = comparedWith(filters);
    const [now, then, quality] = await Promise.all([
      kpi.overview(range, narrowed),
      earlier && kpi.overview(earlier.range, earlier.narrowed),
      Object.keys(narrowed).length === 0 ? kpi.quality(range, "total") : [],
    ]);
    return {
      now,
      then,
      compared: earlier ? t("Compared with {range}", { range: span(earlier.range, "exact" in earlier.narrowed) }) : "",
      passage: quality.find(({ rule_id }) => rule_id === null),
    };
  },
  empty: ({ now, passage }) =>
    (now?.events ?? 0) + (passage?.received ?? 0) > 0
      ? undefined
      : t("No event reached this site in this range. Choose a longer one, or put the tracker on a page."),
  render: ({ now, then, compared, passage }) =>
    el(
      "div",
      { class: "overview" },
      passage && gatebar(passage),
      now && figures(now, then),
      compared !== "" && el("p", { class: "quiet small", id: "compared" }, compared),
    ),
};

function gatebar({ accepted, rejected, received }: Quality): HTMLElement {
  const passed = el("span", { class: "passed" });
  passed.style.flexGrow = String(accepted);
  const refused = el("span", { class: "refused" });
  refused.style.flexGrow = String(rejected);
  return el(
    "div",
    { class: "passage" },
    el(
      "p",
      {},
      rich(
        "{accepted} of {received} events received came through, {refused} was refused | {accepted} of {received} events received came through, {refused} were refused",
        {
          accepted: el("strong", { "data-kpi": "accepted" }, count(accepted)),
          received: el("span", { "data-kpi": "received" }, count(received)),
          refused: el("strong", { class: "is-refused", "data-kpi": "rejected" }, count(rejected)),
        },
        rejected,
      ),
    ),
    el("div", { class: "gatebar", "aria-hidden": "true" }, accepted > 0 && passed, rejected > 0 && refused),
  );
}

function figures(now: Overview, then: Overview | undefined): HTMLElement {
  return el(
    "dl",
    { class: "figures" },
    figure("events", t("Activity"), short(now.events), change(now.events, then?.events)),
    figure("people", t("People"), short(now.people), change(now.people, then?.people)),
    figure("new_people", t("New people"), short(now.new_people), change(now.new_people, then?.new_people)),
    figure(
      "returning_people",
      t("Returning"),
      short(now.returning_people),
      change(now.returning_people, then?.returning_people),
    ),
    figure("sessions", t("Sessions"), short(now.sessions), change(now.sessions, then?.sessions)),
    figure(
      "engaged_seconds",
      t("Engaged time"),
      duration(now.engaged_seconds),
      change(now.engaged_seconds, then?.engaged_seconds),
    ),
    // What was refused belongs to no visit.
    now.rejected !== null &&
      figure(
        "rejection_rate",
        t("Refused"),
        percent(now.rejection_rate),
        change(now.rejection_rate, then?.rejection_rate, false),
      ),
    figure("errors", t("Errors"), short(now.errors), change(now.errors, then?.errors, false)),
  );
}

function figure(key: string, name: string, value: string, changed: HTMLElement | string): HTMLElement {
  return el(
    "div",
    {},
    el("dt", {}, name),
    el("dd", { class: "value", "data-kpi": key }, value),
    changed !== "" && el("dd", { class: "change small" }, changed),
  );
}

function change(now: number | null, then: number | null | undefined, moreIsGood = true): HTMLElement | string {
  if (then === undefined) return "";
  if (now === null || then === null || then === 0) return t("nothing to compare");
  const rate = now / then - 1;
  if (Math.abs(rate) < 0.005) return t("unchanged");
  return el(
    "span",
    { class: rate > 0 === moreIsGood ? "better" : "worse" },
    rate > 0 ? t("up {share}", { share: percent(rate) }) : t("down {share}", { share: percent(-rate) }),
  );
}
