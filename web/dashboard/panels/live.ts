/**
 * What is happening now: the last half hour, and events as they come in. It can be paused, and pauses while nobody sees it. It
 * asks by itself unless changes are told.
 */
import { el, icon } from "../../shared/dom.ts";
import { addressOf } from "../address.ts";
import { fitted } from "../charts/frame.ts";
import { HEIGHT, liveChart } from "../charts/live.ts";
import { clock, words } from "../format.ts";
import type { Minute, RecentEvent } from "../kpi.ts";
import { type Context, limitsOf, type Panel, pngButton } from "../panel.ts";
import { t } from "../texts.ts";
import { isWatched, onReturn } from "../watched.ts";

/** The latest events are asked for so often, and the minutes every third time: eight questions a minute. */
const EVERY = 10_000;
const MINUTES_EVERY = 3;
const MINUTE = 60_000;
const SHOWN = 14;
const SAID = {
  live: t("live"),
  paused: t("paused"),
  lost: t("no connection, trying again"),
  alone: t("waiting for somebody to look"),
} as const;

export interface LivePanel extends Panel {
  /** Whether somebody else says when there is something new. */
  readonly listening: (yes: boolean) => void;
  /** Shows what a choice leaves of what it has. */
  readonly narrow: (context: Context) => void;
}

export function livePanel(signal: AbortSignal): LivePanel {
  let context: Context | undefined;
  let paused = false;
  let told = false;
  let minutes: readonly Minute[] | undefined;
  let latest: readonly RecentEvent[] | undefined;
  let turn = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let known = new Set<string>();

  const state = el("span", { class: "live-state small", role: "status" }, t("connecting"));
  const chart = el("div");
  const ticker = el("ol", { class: "ticker" });
  const limits = limitsOf();
  const pause = el("button", { class: "button plain", type: "button", onclick: toggle });
  const element = el(
    "section",
    { class: "panel card", id: "live", "aria-labelledby": "live-title" },
    el(
      "header",
      { class: "panel-head" },
      el(
        "div",
        {},
        el("h3", { id: "live-title" }, t("Live")),
        el("p", { class: "quiet small" }, t("The last 30 minutes, and the latest events.")),
        limits.element,
      ),
      pause,
    ),
    el("div", { class: "panel-body" }, state, chart, ticker),
  );
  element.append(
    el("p", { class: "under" }, pngButton(element, t("Live"), () => context?.filters)),
  );
  label();
  onReturn(() => schedule(0), signal);
  // It goes on by itself, whatever is asked beside it.
  return { element, refresh, overtake: () => {}, narrow, listening };

  function listening(yes: boolean): void {
    told = yes;
    schedule(EVERY);
  }

  /** The last half hour goes on, whether or not anything happens in it. */
  function slide(): void {
    if (minutes) drawMinutes(minutes);
    schedule(MINUTE);
  }

  /** The whole board is read again every minute; a list that somebody paused to read stands still. */
  function refresh(now: Context): Promise<void> {
    context = now;
    limits.say("live", now.filters);
    turn = 0;
    return paused ? Promise.resolve() : poll();
  }

  /** What is listed says itself of which tier it is, so nobody is asked. */
  function narrow(now: Context): void {
    context = now;
    limits.say("live", now.filters);
    if (latest) show(latest, now);
  }

  async function poll(): Promise<void> {
    clearTimeout(timer);
    if (!context) return;
    if (!isWatched()) return say("alone");
    const asked = context;
    try {
      const [newer, recent] = await Promise.all([
        turn % MINUTES_EVERY === 0 ? asked.kpi.live() : undefined,
        asked.kpi.recent(SHOWN),
      ]);
      turn += 1;
      if (newer) drawMinutes(newer);
      latest = recent;
      if (context) show(recent, context);
      say(paused ? "paused" : "live");
    } catch (error) {
      console.error(error);
      say("lost");
    }
    schedule(EVERY);
  }

  function schedule(delay: number): void {
    clearTimeout(timer);
    if (paused || signal.aborted) return;
    timer = told ? setTimeout(slide, MINUTE) : setTimeout(() => void poll(), delay);
  }

  function drawMinutes(all: readonly Minute[]): void {
    minutes = all;
    chart.replaceChildren(fitted((width) => liveChart(all, { width, now: new Date() }), HEIGHT));
  }

  function show(recent: readonly RecentEvent[], { filters }: Context): void {
    const { tier, range } = filters;
    const wanted = recent.filter((event) => tier === "all" || event.tier === tier);
    const first = known.size === 0;
    // Whoever stands on an event with the keyboard stays on it while the list moves.
    const held = document.activeElement?.closest(".ticker a")?.getAttribute("href");
    ticker.replaceChildren(...wanted.map((event) => line(event, range.zone, !first && !known.has(event.id))));
    for (const link of ticker.querySelectorAll("a")) if (link.getAttribute("href") === held) link.focus();
    if (wanted.length === 0) ticker.replaceChildren(el("li", { class: "nothing" }, t("No event yet.")));
    known = new Set(recent.map(({ id }) => id));
  }

  function toggle(): void {
    paused = !paused;
    label();
    say(paused ? "paused" : "live");
    if (paused) clearTimeout(timer);
    else void poll();
  }

  function label(): void {
    pause.replaceChildren(icon(paused ? "play" : "pause"), paused ? t("Go on") : t("Pause"));
  }

  /** Written only when it changes, so that a screen reader hears it once. */
  function say(what: keyof typeof SAID): void {
    const text = SAID[what];
    state.dataset["state"] = what;
    if (state.textContent !== text) state.textContent = text;
  }
}

function line(event: RecentEvent, zone: string, fresh: boolean): HTMLElement {
  return el(
    "li",
    { class: fresh ? "fresh" : null, "data-tier": event.tier },
    el("time", { class: "mono quiet small", datetime: event.recorded_at }, clock(event.recorded_at, zone)),
    el(
      "span",
      { class: "what" },
      el(
        "a",
        {
          href: addressOf({ view: "explore", event: event.id }),
          "data-view": "explore",
          class: event.rejected ? "rule-id" : null,
        },
        event.rejected ? event.rule_id ?? t("refused") : words(event.event_type),
      ),
    ),
    event.rejected
      ? el("span", { class: "tag refuse" }, t("refused"))
      : el("span", { class: "tag" }, event.event_category),
  );
}
