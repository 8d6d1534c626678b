/** Alerts: which fire now, when each began and ended, and a form to add one. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf } from "../address.ts";
import { type Alert, type AlertsApi, alertsApi, type Firing } from "../alerts_api.ts";
import { filterBar } from "../filters.ts";
import { count, dateTime, duration, percent } from "../format.ts";
import { type Change, registryApi } from "../registry_api.ts";
import type { Place } from "../views.ts";
import { listed } from "./changes.ts";
import { destinations } from "./destinations.ts";
import { action, field, frame, grid, loaded, said } from "./parts.ts";
import type { Around as Registry } from "./registry.ts";

const SHOWN = 50;
interface Kind {
  readonly name: string;
  /** What the threshold is called; undefined: the window says it all. */
  readonly threshold?: string;
  readonly value: (measured: number) => string;
  /** What is suggested to begin with. */
  readonly begin: number;
}
const KINDS: Readonly<Record<string, Kind>> = {
  rejected_share: { name: "Too much is refused", threshold: "More than this share, in %", value: percent, begin: 5 },
  silence: { name: "A sender fell silent", value: (minutes) => `${duration(minutes * 60)} of silence`, begin: 0 },
  lag: {
    name: "States or figures lag behind",
    threshold: "More than so many minutes",
    value: (minutes) => `${duration(minutes * 60)} behind`,
    begin: 30,
  },
  failed_jobs: {
    name: "Jobs fail",
    threshold: "More failed runs than",
    value: (runs) => `${count(runs)} failed runs`,
    begin: 0,
  },
  contract_drift: {
    name: "Another contract judges",
    threshold: "More events than",
    value: (events) => `${count(events)} events`,
    begin: 0,
  },
};
const MINUTES = { type: "number", min: 5, max: 10080, step: 1, required: true };
/** Kinds that can look at one sender alone. */
const OF_SENDER = ["rejected_share", "silence"];

export function show(place: Place): Promise<void> {
  const api = alertsApi(place.client, place.site);
  const registry = registryApi(place.client, place.site);
  const body = el("div", { class: "view-body" });
  const told = el("p", { class: "told", role: "status", tabindex: -1 });
  frame(
    place.main,
    "Alerts",
    "What the site is told of when it goes wrong. A job looks every few minutes, keeps a log and has webhooks told.",
    told,
    body,
  );
  const filters = filterBar(() => void draw(), { tiers: false, ranges: false });
  return draw();

  async function draw(): Promise<void> {
    const { range: { zone } } = filters.read();
    const load = () =>
      Promise.all([
        api.list(),
        api.firings(SHOWN),
        api.destinations(),
        api.deliveries(SHOWN),
        changesOf("alert"),
        changesOf("alert_destination"),
        registry.me(),
      ]);
    await loaded(body, load, ([alerts, firings, all, deliveries, ofAlerts, ofDestinations, me]) => [
      alerts.some(({ job_active }) => !job_active) && asleep(),
      alerts.length === 0
        ? el("p", { class: "nothing" }, "No alert yet.")
        : el("ul", { class: "cards" }, alerts.map((one) => card(one, { api, place, zone, draw, done }))),
      place.owner
        ? form(api, draw)
        : el("p", { class: "quiet" }, "Owners of the site can add alerts. Ask one of them."),
      el("h2", { class: "sub" }, "When they began and ended"),
      log(firings, zone),
      destinations(all, deliveries, { api, owner: place.owner, zone, draw }),
      place.owner && [
        el("h2", { class: "sub" }, "Who changed alerts and webhooks"),
        listed(
          [...ofAlerts, ...ofDestinations].toSorted((one, other) => other.id - one.id),
          { place, zone, me, editor: false, api: registry, done },
        ),
      ],
    ]);
    if (!place.signal.aborted) place.main.dataset["loaded"] = place.site;
  }

  async function changesOf(entity: string): Promise<readonly Change[]> {
    return place.owner ? await registry.changes({ entity }, SHOWN) : [];
  }

  async function done(what: string): Promise<void> {
    await draw();
    told.textContent = what;
    told.focus();
  }
}

function asleep(): HTMLElement {
  return el(
    "p",
    { class: "card pad warn" },
    el(
      "span",
      {},
      "The job that looks is off. Whoever owns every site switches it on under ",
      el("a", { href: addressOf({ view: "registry", part: "jobs" }), "data-view": "registry" }, "Schedules"),
      ".",
    ),
  );
}

interface Around {
  readonly api: AlertsApi;
  readonly place: Place;
  readonly zone: string;
  readonly draw: () => Promise<void>;
  readonly done: Registry["done"];
}

function card(alert: Alert, { api, place, zone, draw, done }: Around): HTMLElement {
  const kind = KINDS[alert.kind];
  const fires = alert.state === "fired";
  const change = action(alert.active ? "Stop looking" : "Look again", async () => {
    await api.setActive(alert.id, !alert.active);
    await draw();
    return null;
  }, "button small");
  const remove = action("Delete", async () => {
    await api.remove(alert.id);
    await draw();
    return null;
  }, "button plain small");
  return el(
    "li",
    { class: `card pad alert${fires ? " fires" : ""}`, "data-kind": alert.kind },
    el(
      "div",
      { class: "tools" },
      el(
        "h2",
        {},
        kind?.name ?? alert.kind,
        alert.source !== null && el("span", { class: "quiet" }, `: ${alert.source}`),
      ),
      el(
        "span",
        { class: `tag ${!alert.active ? "" : fires ? "refuse" : "pass"}` },
        !alert.active ? "not looking" : fires ? "fires" : "quiet",
      ),
    ),
    el("p", { class: "quiet" }, condition(alert)),
    alert.since !== null &&
      el(
        "p",
        {},
        `${fires ? "Since" : "Ended"} ${dateTime(alert.since, zone)}: `,
        el("strong", {}, kind?.value(alert.value ?? 0) ?? ""),
        ".",
      ),
    place.owner && [
      terms(alert, api, done),
      el("div", { class: "facts" }, change.button, remove.button, change.outcome, remove.outcome),
    ],
  );
}

/** What it fires at, in the words and units of the form that adds one. */
function terms(alert: Alert, api: AlertsApi, done: Registry["done"]): HTMLElement {
  const kind = KINDS[alert.kind];
  const scale = scaleOf(alert.kind);
  const threshold = el("input", {
    id: `threshold-${alert.id}`,
    type: "number",
    min: 0,
    step: "any",
    required: true,
    value: alert.threshold * scale,
  });
  const minutes = el("input", { id: `minutes-${alert.id}`, ...MINUTES, value: alert.minutes });
  const outcome = el("p", { class: "problem", role: "status" });
  return el(
    "details",
    {},
    el("summary", { class: "small" }, "Change when it fires"),
    el(
      "form",
      { class: "narrow", onsubmit: (event) => void save(event) },
      kind?.threshold !== undefined && field(kind.threshold, threshold),
      field("Within so many minutes", minutes),
      el("button", { class: "button small", type: "submit" }, "Save"),
      outcome,
    ),
  );

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    try {
      await api.change(alert.id, { threshold: Number(threshold.value) / scale, minutes: Number(minutes.value) });
      await done("The alert was saved.");
    } catch (error) {
      console.error(error);
      outcome.textContent = said(error);
    }
  }
}

/** A share is typed in per cent. */
function scaleOf(kind: string): number {
  return kind === "rejected_share" ? 100 : 1;
}

function condition({ kind, threshold, minutes }: Alert): string {
  const window = duration(minutes * 60);
  switch (kind) {
    case "rejected_share":
      return `Fires when more than ${percent(threshold)} of at least ten events received in ${window} are refused.`;
    case "silence":
      return `Fires when nothing was accepted for ${window}, though something was in the week before.`;
    case "lag":
      return `Fires when states or figures were last computed more than ${duration(threshold * 60)} ago.`;
    case "failed_jobs":
      return `Fires when more than ${count(threshold)} runs of jobs failed in ${window}.`;
    default:
      return `Fires when more than ${
        count(threshold)
      } events of ${window} were judged by another contract than the one in force.`;
  }
}

function form(api: AlertsApi, saved: () => Promise<void>): HTMLElement {
  const kind = el(
    "select",
    { id: "alert-kind" },
    Object.entries(KINDS).map(([value, { name }]) => el("option", { value }, name)),
  );
  const source = el("input", { id: "alert-source", maxlength: 64, autocomplete: "off" });
  const threshold = el("input", { id: "alert-threshold", type: "number", min: 0, step: "any", required: true });
  const minutes = el("input", { id: "alert-minutes", ...MINUTES, value: 60 });
  const label = el("label", { for: "alert-threshold" });
  const thresholdField = el("div", { class: "field" }, label, threshold);
  const sourceField = field("Sender; empty: all of them", source);
  const outcome = el("p", { class: "problem", role: "status" });
  kind.addEventListener("change", fit);
  fit();
  return el(
    "form",
    { class: "card pad", "aria-labelledby": "new-alert", onsubmit: (event) => void add(event) },
    el("h2", { id: "new-alert" }, "A new alert"),
    el(
      "div",
      { class: "narrow wide" },
      field("When", kind),
      sourceField,
      thresholdField,
      field("Within so many minutes", minutes),
    ),
    el("button", { class: "button primary", type: "submit" }, "Add alert"),
    outcome,
  );

  function fit(): void {
    const chosen = KINDS[kind.value];
    thresholdField.hidden = chosen?.threshold === undefined;
    sourceField.hidden = !OF_SENDER.includes(kind.value);
    label.textContent = chosen?.threshold ?? "";
    threshold.value = String(chosen?.begin ?? 0);
  }

  async function add(event: Event): Promise<void> {
    event.preventDefault();
    const named = source.value.trim();
    try {
      await api.add({
        kind: kind.value,
        source: named === "" || sourceField.hidden ? null : named,
        threshold: Number(threshold.value) / scaleOf(kind.value),
        minutes: Number(minutes.value),
      });
      await saved();
    } catch (error) {
      console.error(error);
      outcome.textContent = said(error);
    }
  }
}

function log(firings: readonly Firing[], zone: string): Child {
  if (firings.length === 0) return el("p", { class: "nothing" }, "None has fired yet.");
  const measured = ({ kind, value }: Firing) => KINDS[kind]?.value(value) ?? String(value);
  return grid("Firings of alerts", [
    { name: "When", cell: ({ happened_at }) => dateTime(happened_at, zone), text: ({ happened_at }) => happened_at },
    { name: "Alert", cell: ({ kind }) => KINDS[kind]?.name ?? kind, text: ({ kind }) => kind },
    { name: "Sender", cell: ({ source }) => source ?? "all", text: ({ source }) => source ?? "all" },
    {
      name: "What",
      cell: ({ state }) =>
        el("span", { class: `tag ${state === "fired" ? "refuse" : "pass"}` }, state === "fired" ? "began" : "ended"),
      text: ({ state }) => state,
    },
    { name: "Measured", cell: measured, text: ({ value }) => value },
  ], firings);
}
