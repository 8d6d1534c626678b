/** Alerts: which fire now, when each began and ended, and a form to add one. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf } from "../address.ts";
import { type Alert, type AlertsApi, alertsApi, type Firing } from "../alerts_api.ts";
import { filterBar } from "../filters.ts";
import { dateTime } from "../format.ts";
import { type Change, registryApi } from "../registry_api.ts";
import type { Place } from "../views.ts";
import { condition, KINDS, OF_SENDER, scaleOf } from "./alert_kinds.ts";
import { listed } from "./changes.ts";
import { destinations } from "./destinations.ts";
import { action, field, frame, grid, loaded, said } from "./parts.ts";
import type { Around as Registry } from "./registry.ts";
import { rich, t } from "../texts.ts";

const SHOWN = 50;
const MINUTES = { type: "number", min: 5, max: 10080, step: 1, required: true };
export function show(place: Place): Promise<void> {
  const api = alertsApi(place.client, place.site);
  const registry = registryApi(place.client, place.site);
  const body = el("div", { class: "view-body" });
  const told = el("p", { class: "told", role: "status", tabindex: -1 });
  frame(
    place.main,
    t("Alerts"),
    t("What the site is told of when it goes wrong. A job looks every few minutes, keeps a log and has webhooks told."),
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
        ? el("p", { class: "nothing" }, t("No alert yet."))
        : el("ul", { class: "cards" }, alerts.map((one) => card(one, { api, place, zone, draw, done }))),
      place.owner
        ? form(api, draw)
        : el("p", { class: "quiet" }, t("Owners of the site can add alerts. Ask one of them.")),
      el("h2", { class: "sub" }, t("When they began and ended")),
      log(firings, zone),
      destinations(all, deliveries, { api, owner: place.owner, zone, draw }),
      place.owner && [
        el("h2", { class: "sub" }, t("Who changed alerts and webhooks")),
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
      rich("The job that looks is off. Whoever owns every site switches it on under {place}.", {
        place: el(
          "a",
          { href: addressOf({ view: "registry", part: "jobs" }), "data-view": "registry" },
          t("Schedules"),
        ),
      }),
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
  const change = action(alert.active ? t("Stop looking") : t("Look again"), async () => {
    await api.setActive(alert.id, !alert.active);
    await draw();
    return null;
  }, "button small");
  const remove = action(t("Delete"), async () => {
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
        !alert.active ? t("not looking") : fires ? t("fires") : t("quiet"),
      ),
    ),
    el("p", { class: "quiet" }, condition(alert)),
    alert.since !== null &&
      el(
        "p",
        {},
        rich(fires ? "Since {time}: {value}." : "Ended {time}: {value}.", {
          time: dateTime(alert.since, zone),
          value: el("strong", {}, kind?.value(alert.value ?? 0) ?? ""),
        }),
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
    el("summary", { class: "small" }, t("Change when it fires")),
    el(
      "form",
      { class: "narrow", onsubmit: (event) => void save(event) },
      kind?.threshold !== undefined && field(kind.threshold, threshold),
      field(t("Within so many minutes"), minutes),
      el("button", { class: "button small", type: "submit" }, t("Save")),
      outcome,
    ),
  );

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    try {
      await api.change(alert.id, { threshold: Number(threshold.value) / scale, minutes: Number(minutes.value) });
      await done(t("The alert was saved."));
    } catch (error) {
      console.error(error);
      outcome.textContent = said(error);
    }
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
  const sourceField = field(t("Sender; empty: all of them"), source);
  const outcome = el("p", { class: "problem", role: "status" });
  kind.addEventListener("change", fit);
  fit();
  return el(
    "form",
    { class: "card pad", "aria-labelledby": "new-alert", onsubmit: (event) => void add(event) },
    el("h2", { id: "new-alert" }, t("A new alert")),
    el(
      "div",
      { class: "narrow wide" },
      field(t("When"), kind),
      sourceField,
      thresholdField,
      field(t("Within so many minutes"), minutes),
    ),
    el("button", { class: "button primary", type: "submit" }, t("Add alert")),
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
  if (firings.length === 0) return el("p", { class: "nothing" }, t("None has fired yet."));
  const measured = ({ kind, value }: Firing) => KINDS[kind]?.value(value) ?? String(value);
  return grid(t("Firings of alerts"), [
    { name: t("When"), cell: ({ happened_at }) => dateTime(happened_at, zone), text: ({ happened_at }) => happened_at },
    { name: t("Alert"), cell: ({ kind }) => KINDS[kind]?.name ?? kind, text: ({ kind }) => kind },
    { name: t("Sender"), cell: ({ source }) => source ?? t("all"), text: ({ source }) => source ?? t("all") },
    {
      name: t("What"),
      cell: ({ state }) =>
        el(
          "span",
          { class: `tag ${state === "fired" ? "refuse" : "pass"}` },
          state === "fired" ? t("began") : t("ended"),
        ),
      text: ({ state }) => state,
    },
    { name: t("Measured"), cell: measured, text: ({ value }) => value },
  ], firings);
}
