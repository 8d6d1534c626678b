/** Events: a list that can be narrowed, one event, one session, one person. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf, asked, go } from "../address.ts";
import { filterBar, type Filters } from "../filters.ts";
import { dateTime, words } from "../format.ts";
import { type EventFilter, type ListedEvent, type Room, room } from "../room.ts";
import type { Place } from "../views.ts";
import { oneEvent } from "./event.ts";
import { type Column, frame, grid, loaded } from "./parts.ts";
import { provenSince } from "./proof.ts";
import { trailOf } from "./trail.ts";
import { t } from "../texts.ts";

const SHOWN = 50;
/** What the list can be narrowed by: words of the address, and how a field for each is called. */
const NARROWED = { type: t("Event type"), page: t("Page path"), campaign: t("Campaign"), source: t("Source") } as const;
type Narrowed = keyof typeof NARROWED;
const EVERYTHING = Object.fromEntries([...Object.keys(NARROWED), "kind"].map((name) => [name, ""]));

export function show(place: Place): Promise<void> {
  const api = room(place.client, place.site);
  const [event, whose] = [asked("event"), asked("of")];
  const body = el("div", { class: "view-body" });
  if (event === "") return list(place, api, body);
  const titles: Readonly<Record<string, string>> = { session: t("One session"), person: t("One person") };
  frame(
    place.main,
    titles[whose] ?? t("One event"),
    whose === ""
      ? t("What was recorded, and where to go from here.")
      : t("Newest first. Who it is stands in no address: the event that you came from names them."),
    el(
      "nav",
      { class: "trail small", "aria-label": t("Where you are") },
      el("a", { href: addressOf({ view: "explore" }), "data-view": "explore" }, t("All events")),
      whose !== "" &&
        el("a", { href: addressOf({ view: "explore", event }), "data-view": "explore" }, t("The event you came from")),
    ),
    body,
  );
  const filters = filterBar(() => void draw(), { tiers: false, ranges: false });
  return draw();

  async function draw(): Promise<void> {
    const { range: { zone } } = filters.read();
    if (whose === "") await oneEvent(body, api, event, zone);
    else await trailOf(body, { place, api, event, whose, zone });
    if (!place.signal.aborted) place.main.dataset["loaded"] = place.site;
  }
}

function list(place: Place, api: Room, body: HTMLElement): Promise<void> {
  frame(
    place.main,
    t("Events"),
    t("What was recorded, newest first, by when it came. Choose one to see it whole."),
    form(),
    body,
  );
  const filters = filterBar(() => void draw());
  return draw();

  async function draw(): Promise<void> {
    const now = filters.read();
    const before = asked("before");
    await loaded(
      body,
      () => Promise.all([api.events(now.range, filterOf(now), before === "" ? null : before, SHOWN), api.proof()]),
      ([events, proof]) => [provenSince(proof, now.range.zone), rows(events, now), pages(events, before)],
    );
    if (!place.signal.aborted) place.main.dataset["loaded"] = place.site;
  }
}

function filterOf({ tier }: Filters): EventFilter {
  const word = (name: string) => (asked(name) === "" ? null : asked(name));
  const kind = asked("kind");
  return {
    tier: tier === "all" ? null : tier,
    event_type: word("type"),
    page: word("page"),
    campaign: word("campaign"),
    source: word("source"),
    rejected: kind === "" ? null : kind === "refused",
  };
}

/** The words that the list is narrowed by now. */
function narrowed(): Record<string, string> {
  return Object.fromEntries(Object.keys(EVERYTHING).map((name) => [name, asked(name)]));
}

function form(): HTMLElement {
  const fields = (Object.keys(NARROWED) as Narrowed[]).map((name) =>
    el(
      "div",
      { class: "field" },
      el("label", { for: `narrow-${name}` }, NARROWED[name]),
      el("input", { id: `narrow-${name}`, name, value: asked(name), maxlength: 200, autocomplete: "off" }),
    )
  );
  const kind = el(
    "select",
    { id: "narrow-kind", name: "kind" },
    Object.entries({ "": t("Accepted and refused"), accepted: t("Accepted"), refused: t("Refused") }).map((
      [value, name],
    ) => el("option", { value, selected: asked("kind") === value }, name)),
  );
  return el(
    "form",
    {
      class: "narrow",
      "aria-label": t("Narrow the list"),
      onsubmit: (event) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget as HTMLFormElement);
        go(
          addressOf({
            view: "explore",
            ...Object.fromEntries([...given].map(([name, value]) => [name, String(value).trim()])),
          }),
        );
      },
    },
    fields,
    el("div", { class: "field" }, el("label", { for: "narrow-kind" }, t("Outcome")), kind),
    el("button", { class: "button", type: "submit" }, t("Show")),
    Object.values(narrowed()).some((value) => value !== "") &&
      el(
        "a",
        { href: addressOf({ view: "explore", ...EVERYTHING }), "data-view": "explore", class: "button plain" },
        t("Show all"),
      ),
  );
}

function rows(events: readonly ListedEvent[], { range: { zone } }: Filters): Child {
  if (events.length === 0) {
    return el(
      "p",
      { class: "nothing" },
      t("No event of the latest 50,000 in this range is like that. Show more of them, or another range."),
    );
  }
  const narrow = (name: Narrowed, value: string | null) =>
    value === null || value === ""
      ? ""
      : el("a", { href: addressOf({ view: "explore", ...narrowed(), [name]: value }), "data-view": "explore" }, value);
  const columns: readonly Column<ListedEvent>[] = [
    {
      name: t("Event"),
      text: ({ event_type }) => event_type,
      cell: ({ id, event_type }) =>
        el(
          "a",
          { href: addressOf({ view: "explore", event: id }), "data-view": "explore" },
          words(event_type) || t("Not named"),
        ),
    },
    {
      name: t("Recorded"),
      text: ({ recorded_at }) => recorded_at,
      cell: ({ recorded_at }) => el("time", { datetime: recorded_at }, dateTime(recorded_at, zone)),
    },
    {
      name: t("Outcome"),
      text: ({ rule_id }) => rule_id ?? t("accepted"),
      cell: ({ rejected, rule_id }) =>
        rejected
          ? el("a", {
            class: "tag refuse rule-id",
            href: addressOf({ view: "refusals", rule: rule_id ?? "" }),
            "data-view": "refusals",
          }, rule_id ?? t("refused"))
          : el("span", { class: "tag pass" }, t("accepted")),
    },
    { name: t("Tier"), text: ({ tier }) => tier, cell: ({ tier }) => tier ?? "" },
    {
      name: t("Source"),
      text: ({ event_source }) => event_source,
      cell: ({ event_source }) => narrow("source", event_source),
    },
    { name: t("Page"), text: ({ page }) => page, cell: ({ page }) => narrow("page", page) },
    { name: t("Campaign"), text: ({ campaign }) => campaign, cell: ({ campaign }) => narrow("campaign", campaign) },
    {
      name: t("Who"),
      text: ({ signed_in }) => (signed_in ? t("signed in") : t("visitor")),
      cell: ({ signed_in }) => (signed_in ? t("signed in") : t("visitor")),
    },
  ];
  return grid(t("Events"), columns, events);
}

/** The way to older events: the address names the last one shown. */
function pages(events: readonly ListedEvent[], before: string): Child {
  const last = events.at(-1);
  return el(
    "p",
    { class: "trail" },
    before !== "" &&
      el("a", { href: addressOf({ view: "explore", ...narrowed() }), "data-view": "explore" }, t("Newest")),
    events.length === SHOWN && last !== undefined &&
      el(
        "a",
        { href: addressOf({ view: "explore", ...narrowed(), before: last.id }), "data-view": "explore" },
        t("Older"),
      ),
  );
}
